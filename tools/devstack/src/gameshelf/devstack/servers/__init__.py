"""The embedded servers, each behind one small class that could be swapped."""

from gameshelf.devstack.servers.base import Server
from gameshelf.devstack.servers.brokers import Brokers
from gameshelf.devstack.servers.citus import Citus
from gameshelf.devstack.servers.kafka import Kafka
from gameshelf.devstack.servers.moto import Moto
from gameshelf.devstack.servers.objects import ObjectServer
from gameshelf.devstack.servers.postgres import Postgres
from gameshelf.devstack.servers.s3 import S3
from gameshelf.devstack.servers.valkey import Valkey

__all__ = ["S3", "Brokers", "Citus", "Kafka", "Moto", "ObjectServer", "Postgres", "Server", "Valkey"]

"""What the servers of tests keep on the disk: a whole run makes hundreds of databases and uploads gigabytes."""

import asyncio
import os
from urllib.parse import urlsplit

import asyncpg
import pytest
from botocore.session import get_session
from gameshelf.devstack.pytest_plugin import wait_for
from gameshelf.devstack.servers import S3

MIB = 1024**2


def size(folder):
    while True:
        try:
            return sum(path.lstat().st_size for path in folder.rglob("*"))
        except FileNotFoundError:  # one was deleted meanwhile
            continue


@pytest.fixture
def client(own_s3):
    keys = {"aws_access_key_id": own_s3.access_key, "aws_secret_access_key": own_s3.secret_key}
    made = get_session().create_client("s3", region_name="us-east-1", endpoint_url=own_s3.endpoint, **keys)
    yield made
    made.close()


def test_an_object_is_stored_once_and_is_gone_when_it_is_deleted(own_s3, client):
    begun = size(own_s3.directory)
    client.put_object(Bucket=own_s3.bucket, Key="save", Body=os.urandom(16 * MIB))
    assert len(client.get_object(Bucket=own_s3.bucket, Key="save")["Body"].read()) == 16 * MIB
    assert 16 * MIB <= size(own_s3.directory) - begun < 20 * MIB
    client.delete_object(Bucket=own_s3.bucket, Key="save")
    wait_for(lambda: size(own_s3.directory) - begun < 4 * MIB)


def test_a_removed_server_has_ended_and_leaves_no_file(server_directory):
    server = S3(server_directory / "removed")
    server.start()
    server.remove()
    assert not server.alive
    assert not server.directory.exists()
    server.remove()  # twice does nothing


def test_a_closed_platform_leaves_no_database_and_no_file(postgres, create_platform):
    platform = create_platform()
    name = urlsplit(platform.dsn).path[1:]
    with asyncio.Runner() as loop:
        user = loop.run(asyncpg.connect(platform.dsn))  # its session is ended
        others = loop.run(asyncpg.connect(postgres.dsn("postgres")))
        find = "SELECT FROM pg_database WHERE datname = $1"
        assert loop.run(others.fetchrow(find, name)) is not None
        platform.close()
        assert loop.run(others.fetchrow(find, name)) is None
        user.terminate()
        loop.run(others.close())
    assert not platform.directory.exists()

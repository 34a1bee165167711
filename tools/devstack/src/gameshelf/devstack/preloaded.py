"""What the fork server does once, before it forks the service's processes.

Imports the service and its client of S3, lets that read what S3 is from a megabyte of JSON, and takes all of it out of
the garbage collector's sight, so that the first collection of a process doesn't walk over it.
"""

import asyncio
import gc

from gameshelf.gateway import main  # noqa: F401 - imported for the processes to come
from gameshelf.gateway.domains.savegames.s3.client import new_client
from gameshelf.gateway.runtime.settings import load_settings

_S3 = {
    "POSTGRES_DSN": "postgresql://127.0.0.1/never",
    "ERASURE_HASH_KEY": "00" * 32,
    "LIBRARY_SERVICE_ROLES": "api",
    "AUTH_MODE": "gateway",
    "AUTH_TRUSTED_PROXIES": "127.0.0.1/32",
    "GRPC_TLS_REQUIRED": "false",
    "S3_BUCKET_SAVEGAMES": "never",
    "S3_ENDPOINT": "127.0.0.1:1",
    "S3_ACCESS_KEY_ID": "never",
    "S3_SECRET_ACCESS_KEY": "never",
}
"""Settings of a store that nothing is sent to."""


async def _open_and_close() -> None:
    settings = load_settings(_S3)
    async with new_client(settings, settings.s3_url):
        pass


asyncio.run(_open_and_close())
gc.collect()
gc.freeze()

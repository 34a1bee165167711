"""What the fork server does once, before it forks the service's processes.

Imports the service and its client of S3, lets that read what S3 is from a megabyte of JSON, and takes all of it out of
the garbage collector's sight, so that the first collection of a process doesn't walk over it.
"""

import asyncio
import gc

from gameshelf.gateway import main  # noqa: F401 - imported for the processes to come
from gameshelf.savegames.s3 import S3Config, new_client

_CONFIG = S3Config(bucket="never", endpoint="http://127.0.0.1:1", access_key_id="never", secret_access_key="never")
"""A store that nothing is sent to."""


async def _open_and_close() -> None:
    async with new_client(_CONFIG):
        pass


asyncio.run(_open_and_close())
gc.collect()
gc.freeze()

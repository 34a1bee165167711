"""The fork server imports this module once, before it forks the service's processes.

It imports the service and its event loop, reads the names of its migrations, creates an S3 client, which parses a
megabyte of JSON, and freezes all objects, so that the first garbage collection of a process doesn't traverse them.
"""

import asyncio
import gc

gc.disable()  # imports leave next to no garbage, and the searches for it take a sixth of their time

from gameshelf.gateway import main  # noqa: E402, F401 - imported for the processes to come
from gameshelf.gateway.runtime.event_loop import loop_factory  # noqa: E402
from gameshelf.gateway.wiring import MIGRATIONS  # noqa: E402
from gameshelf.savegames.s3 import S3Config, new_client  # noqa: E402

_CONFIG = S3Config(bucket="never", endpoint="http://127.0.0.1:1", access_key_id="never", secret_access_key="never")
"""A store that nothing is sent to."""


async def _open_and_close() -> None:
    async with new_client(_CONFIG):
        pass


loop_factory("auto")
for _package in MIGRATIONS:
    _package.missing(None)
asyncio.run(_open_and_close())
gc.collect()
gc.freeze()
gc.enable()

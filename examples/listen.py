"""A device that follows its user's library: ``python examples/listen.py TOKEN [CURSOR]``.

Prints each message as it comes. After a cut it resumes behind the last message that it saw. It needs the distribution
``gameshelf-client``; the variable LIBRARY_API names another address.
"""

import asyncio
import json
import os
import sys

from gameshelf.client import LibraryClient, LibraryError

ADDRESS = os.environ.get("LIBRARY_API", "http://127.0.0.1:8084/api/v1/library")


async def listen(token: str, cursor: str | None) -> None:
    """Follows the user's events until the token runs out."""
    async with LibraryClient(ADDRESS, token) as client, client.live_updates(cursor) as updates:
        async for message in updates:
            print(json.dumps(message, ensure_ascii=False, separators=(",", ":")), flush=True)
            if message["event_type"] == "resync.required":
                print("earlier messages are no longer known: read GET /items again", file=sys.stderr)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    try:
        asyncio.run(listen(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None))
    except (LibraryError, ValueError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)

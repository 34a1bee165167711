"""A device that follows its user's library: ``python examples/listen.py TOKEN [CURSOR]``.

Prints each message as it comes. After a cut it resumes behind the last message that it saw. It needs the package
``websockets``; the variable LIBRARY_WS names another address.
"""

import asyncio
import json
import os
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

ADDRESS = os.environ.get("LIBRARY_WS", "ws://127.0.0.1:8084/api/v1/ws/library-updates")
BAD_TOKEN = 4401


async def listen(token: str, cursor: str | None) -> None:
    """Follows the user's events until the token runs out."""
    while True:
        address = f"{ADDRESS}?cursor={cursor}" if cursor else ADDRESS
        try:
            async with connect(address, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
                while True:
                    text = await socket.recv()
                    message = json.loads(text)
                    cursor = message["id"]
                    if message["event_type"] == "auth.success":
                        continue  # the token was accepted; events follow
                    print(text, flush=True)
                    if message["event_type"] == "resync.required":
                        print("earlier messages are no longer known: read GET /items again", file=sys.stderr)
        except ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code == BAD_TOKEN:
                sys.exit("the token is not valid (any more)")
        except OSError as error:
            print(f"{error}; trying again", file=sys.stderr)
        await asyncio.sleep(1)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    try:
        asyncio.run(listen(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None))
    except KeyboardInterrupt:
        sys.exit(130)

"""Checks whether a server answers at an address."""

import asyncio
from urllib.parse import urlsplit


async def connects(address: str) -> None:
    """Opens and closes a connection to ``host:port``, to check that a server listens. Raises OSError."""
    url = urlsplit(f"//{address}")
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.close()


async def answers_http(url: str) -> None:
    """Sends a request to a URL and accepts any response. A connection alone proves nothing: the kernel accepts
    connections also for a process that hangs. Raises OSError, and EOFError if the connection ends without a response.
    """
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=is_secure)
    try:
        writer.write(f"HEAD / HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        await reader.readexactly(1)
    finally:
        writer.close()

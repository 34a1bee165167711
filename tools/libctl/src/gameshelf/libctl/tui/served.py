"""The screen in a browser of this machine. What is shown is a player's data, so an address alone opens nothing.

Any page of any site may open a connection to a port of this machine, and so may other users of it. All paths begin with
a key that is printed on the terminal only. It is in no cookie: a browser sends those to every port of a host, also to
the server of another user. The page loads nothing from elsewhere, and no link reveals its address.
"""

import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from uuid import UUID

import click
from aiohttp import web
from gameshelf.libctl.errors import Unavailable, Usage
from textual_serve.server import Server

MOST_SCREENS = 8
"""The number of screens at once; each is a process."""
_KEY_BYTES = 24
_HTTP = 80
"""The port that no address of a page names."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def loopback(address: str) -> tuple[str, int]:
    """Returns host and port of ``HOST:PORT``. Raises Usage for an address that other machines can reach."""
    host, _, port = address.rpartition(":")
    name = host.strip("[]")
    if not name or not port.isdigit() or not 0 < int(port) < 2**16:
        raise Usage(f"{address} is not an address", "--address 127.0.0.1:8000")
    try:
        is_here = name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise Usage(
            f"{name} is not an address of this machine alone, and the screen is for nobody else",
            "--address 127.0.0.1:8000; from elsewhere by a tunnel of ssh: -L 8000:127.0.0.1:8000",
        )
    return host, int(port)


def serve(user: UUID, options: Sequence[str], host: str, port: int) -> None:
    """Serves the screen of a player until the process is interrupted. Raises Unavailable if the port is taken."""
    command = shlex.join([sys.executable, "-m", "gameshelf.libctl", *options, "tui", str(user)])
    try:
        LockedServer(command, host, port, f"libctl tui {user}").serve()
    except OSError as error:
        raise Unavailable(f"{host}:{port} can't be used: {error.strerror}", "--address with another port") from None


class LockedServer(Server):
    """textual-serve behind a lock."""

    def __init__(self, command: str, host: str, port: int, title: str) -> None:
        self._authority = host if port == _HTTP else f"{host}:{port}"  # as browsers name it
        super().__init__(command, host.strip("[]"), port, title, public_url=f"http://{self._authority}")
        self.key = secrets.token_urlsafe(_KEY_BYTES)
        self._screens = 0

    def initialize_logging(self) -> None:
        """No log of a library is on the terminal."""

    async def on_startup(self, app: web.Application) -> None:
        click.echo(f"Open {self.public_url}/{self.key}/", err=True)
        click.echo("The address is as good as your token: give it to nobody. Ctrl-C ends it.", err=True)

    async def _make_app(self) -> web.Application:
        locked = web.Application(middlewares=[self._lock])
        locked.add_subapp(f"/{self.key}", await super()._make_app())  # its own addresses get this prefix by that
        return locked

    @web.middleware
    async def _lock(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Lets in those with the key, from this address, and bounds their number."""
        if request.host != self._authority or request.headers.get("Origin", self.public_url) != self.public_url:
            raise web.HTTPForbidden(text=f"Only {self.public_url} is served.")
        key, _, rest = request.path.removeprefix("/").partition("/")
        if not secrets.compare_digest(key.encode(), self.key.encode()):
            raise web.HTTPForbidden(text="The key is missing: open the address that libctl has printed.")
        if rest != "ws":
            return _confined(await handler(request), self._authority)
        if self._screens >= MOST_SCREENS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_SCREENS} screens are open: close one.")
        self._screens += 1
        try:
            return await handler(request)
        finally:
            self._screens -= 1


def _confined(response: web.StreamResponse, authority: str) -> web.StreamResponse:
    """The page may load and send nothing but from and to this server; no other page may frame it."""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self' data: 'unsafe-inline'; connect-src 'self' ws://{authority}; frame-ancestors 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response

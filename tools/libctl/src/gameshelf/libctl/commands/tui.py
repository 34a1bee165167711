"""``libctl tui``: what a player has on one screen, in the terminal or in a browser of this machine."""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from uuid import UUID

import click
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.errors import Refused, Terminated, Unavailable, Usage
from gameshelf.libctl.ids import USER_ID
from gameshelf.libctl.output import Output
from gameshelf.libctl.running import run

_ADDRESS = "127.0.0.1:8000"
_SECONDS = 15.0
"""For how long a read is waited for: somebody looks at the screen."""


@click.command("tui")
@click.argument("user", type=USER_ID)
@click.option("--serve", "is_served", is_flag=True, help="Show it in a browser of this machine instead.")
@click.option("--address", metavar="HOST:PORT", help=f"With --serve: a loopback address. Default: {_ADDRESS}.")
@click.pass_obj
def group(out: Output, user: UUID, is_served: bool, address: str | None) -> None:
    """Show all that a player has on one screen. It changes nothing.

    Keys lead to the commands that say more of what is shown, or would change it; those that were copied are printed
    at the end. Needs the extra tui: pip install "gameshelf-libctl[tui]".
    """
    if out.as_json:
        raise Usage("the screen of a player is for eyes, not for scripts", f"libctl --json user show {user}")
    if address and not is_served:
        raise Usage("--address needs --serve", "add --serve")
    _require_textual()
    client = connect(seconds=_SECONDS, at_limit=_give_up)  # says what is missing before anything is drawn
    if is_served:
        _serve(client, user, address or _ADDRESS)
    else:
        _show(client, user)


def _require_textual() -> None:
    if find_spec("textual") is None or find_spec("textual_serve") is None:
        raise Refused("textual is not installed, with which the screen is drawn", 'pip install "gameshelf-libctl[tui]"')


def _give_up(seconds: float) -> None:
    raise Unavailable("the rate limit was reached", f"again in {seconds:.0f} s")


def _serve(client: Client, user: UUID, address: str) -> None:
    from gameshelf.libctl.tui.served import loopback, serve

    host, port = loopback(address)
    client.close()  # each screen has a connection of its own
    serve(user, list(_options()), host, port)


def _show(client: Client, user: UUID) -> None:
    # A browser is no terminal: textual-serve names its own driver, and has pipes to it.
    if not ("TEXTUAL_DRIVER" in os.environ or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise Usage("a screen needs a terminal", f"libctl user show {user}, or --serve for a browser")
    from gameshelf.libctl.tui.app import PlayerScreen

    screen = PlayerScreen(client, user, list(_options()))
    try:
        copied = run(screen.run_async())
    finally:
        client.close()
    if copied is None:  # somebody who quits leaves a list, if an empty one; textual ends without one when cancelled
        raise Terminated if not screen.return_code else Refused("the screen has failed", "report what stands above")
    for line in copied:
        click.echo(line)


def _options() -> Iterator[str]:
    """The options before the noun, as they were given: a command of another profile would be about somebody else."""
    given = click.get_current_context().find_root().params
    for name in ("profile", "language"):
        if given.get(name):
            yield from (f"--{name}", given[name])

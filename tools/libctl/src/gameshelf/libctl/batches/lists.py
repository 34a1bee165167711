"""Lists of players: a line each, with the arguments of a command that are the player's own, such as USER SESSION."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import click
from gameshelf.libctl.errors import Usage
from gameshelf.libctl.ids import IdParameter, is_whole

MAX_LINES = 1_000_000
"""How many lines a list may have: more are several batches."""
_MAX_BYTES = 1000
"""The length of a line; nothing that stands in one is nearly as long."""
_BETWEEN = re.compile(r"[\s,;]+")
_HEADING = re.compile(r"[A-Za-z_]+")


@dataclass(frozen=True, slots=True)
class ListedPlayer:
    """A line of a list: its words, or what is wrong with it."""

    number: int
    words: tuple[str, ...] = ()
    problem: str = ""


def read_lines(source: BinaryIO, arguments: Sequence[click.Parameter], ctx: click.Context) -> Iterator[ListedPlayer]:
    """Yields the lines, each one read when it is asked for. Empty ones, comments and a heading are left out.

    Words are separated by spaces, commas or semicolons, so a column of a spreadsheet is a list too. Values come in the
    form that the command gives them, so that equal ones look alike. Raises Usage for a list that is too long.
    """
    is_first = True
    for number in range(1, MAX_LINES + 2):
        sent = source.readline(_MAX_BYTES)
        if not sent:
            return
        if number > MAX_LINES:
            raise Usage(f"a list has at most {MAX_LINES:,} lines", "split it, and run a batch for each part")
        is_cut = len(sent) == _MAX_BYTES and not sent.endswith(b"\n")
        while is_cut and (rest := source.readline(_MAX_BYTES)) and not rest.endswith(b"\n"):
            pass
        text = sent.decode("utf-8-sig", errors="replace").partition("#")[0]
        words = tuple(word for word in _BETWEEN.split(text) if word)
        if not words or (is_first and all(map(_HEADING.fullmatch, words))):
            is_first = is_first and not words
            continue
        is_first = False
        yield ListedPlayer(number, problem="it is too long") if is_cut else _understood(number, words, arguments, ctx)


def _understood(
    number: int, words: tuple[str, ...], arguments: Sequence[click.Parameter], ctx: click.Context
) -> ListedPlayer:
    if len(words) != len(arguments):
        named = " ".join(argument.make_metavar(ctx) for argument in arguments)
        return ListedPlayer(number, problem=f"it has {len(words)} words instead of {named}")
    try:
        values = [_value(one, word, ctx) for one, word in zip(arguments, words, strict=True)]
    except click.BadParameter as error:
        return ListedPlayer(number, problem=error.message.rstrip("."))
    return ListedPlayer(number, tuple(map(str, values)))


def _value(argument: click.Parameter, word: str, ctx: click.Context) -> Any:
    """Converts a word. A list has whole ids: the service would have to be asked for each one that is shortened, for
    hours and before it is known whether the other lines can be read.
    """
    if isinstance(argument.type, IdParameter) and not is_whole(word):
        raise click.BadParameter(f"{word!r} is not a whole id, and a list has no shortened ones")
    return argument.type.convert(word, argument, ctx)


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Opens a list; ``-`` is standard input. Raises Usage."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(name).open("rb")  # noqa: SIM115 - closed below; an error of the block is none of the file
    except OSError as error:
        raise Usage(f"{name} can't be read: {error.strerror}", "--users-file FILE, or - for standard input") from None
    with source:
        yield source

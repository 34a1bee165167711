"""The common part of commands that change data: they show the change, and apply it only with ``--apply --reason``."""

import json
import re
import shlex
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.errors import Unavailable, Usage
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Output, table
from gameshelf.libctl.reasons import require_full_reason
from gameshelf.libctl.shapes import Shape, with_shape
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeResult
from google.protobuf.message import Message
from rich.console import RenderableType

F = TypeVar("F", bound=Callable[..., Any])

_PART_OF_A_SECOND = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+(?=(?:Z|[+-]\d\d:\d\d)$)")
_OPTIONS = ("--apply", "--reason", "--revision")


@dataclass(frozen=True, slots=True)
class ChangeCall:
    """The call that makes a change, and what a command says besides what each change says."""

    rpc: str
    request: Message
    """It has a field ``change``."""
    introduce: Callable[[Client], None] | None = None
    """Says of what the change is, before it is shown."""
    conclude: Callable[[dict[str, Any]], None] | None = None
    """Says what follows from the result."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """The options of a change: whether to apply it, the reason, the revision (None: the current one), the ticket."""

    apply: bool
    reason: str | None
    revision: str | None
    ticket: str = ""


CHANGE = Shape(ChangeResult)
"""The shape of a change."""

ticket_option = click.option(
    "--ticket", metavar="TICKET", default="", help="Ticket for the audit; audit list --ticket finds the change by it."
)
"""``--ticket`` of a change. A dry run may have it, so that the command which applies it has it too."""


def changing(command: F) -> F:
    """Gives a command ``--apply``, ``--reason``, ``--ticket`` and ``--revision``; it gets them as ``options``."""
    return changing_as(CHANGE)(command)


def changing_as(shape: Shape) -> Callable[[F], F]:
    """The same for a command whose JSON has another shape."""

    def decorate(command: F) -> F:
        def with_options(
            *arguments: Any, apply: bool, reason: str | None, revision: str | None, ticket: str, **more: Any
        ) -> Any:
            return command(*arguments, options=options_of(apply, reason, revision, ticket), **more)

        with_options.__doc__, with_options.__name__ = command.__doc__, command.__name__
        wrapped: Any = with_options
        wrapped.__click_params__ = getattr(command, "__click_params__", [])
        return with_change_options(with_shape(shape)(wrapped))  # type: ignore[no-any-return]

    return decorate


def with_change_options(command: Any) -> Any:
    """Adds the options that each change has; the command gets them under their own names."""
    for option in (
        click.option(
            "--revision", metavar="REVISION", help="Revision that the dry run printed; refused if the data has changed."
        ),
        ticket_option,
        click.option(
            "--reason", metavar="TEXT", help="Reason for the audit, of at least 10 characters. --apply needs it."
        ),
        click.option("--apply", is_flag=True, help="Make the change; without this it is only shown."),
    ):
        command = option(command)
    return command


def options_of(apply: bool, reason: str | None, revision: str | None, ticket: str) -> ApplyOptions:
    """Returns the options of a change. Raises Usage where they contradict each other, or a reason says nothing."""
    if not apply and (reason or revision):
        raise Usage("--reason and --revision need --apply", "add --apply")
    return ApplyOptions(apply, require_full_reason(reason, "audit") if apply else None, revision, ticket)


def carry_out(
    out: Output, rpc: str, request: Message, options: ApplyOptions, client: Client | None = None
) -> dict[str, Any]:
    """Shows the effect of a change, or applies it. ``request`` has a field ``change``, and is sent twice.

    The change is applied on the revision of a dry run, that of this command or of an earlier one. Returns the result as
    ``--json`` prints it.
    """
    client = client or connect()
    change: Any = request.change  # type: ignore[attr-defined]
    change.ticket = options.ticket  # in the dry run too: it may be refused, which the audit keeps
    revision = options.revision
    if not (options.apply and revision):
        result = client.call(rpc, request).result
        revision = result.revision
    if options.apply:
        change.apply, change.reason, change.revision = True, options.reason, revision
        try:
            result = client.call(rpc, request).result
        except Unavailable as error:
            unknown = f"it is not known whether the change was made ({error.message})"
            raise Unavailable(unknown, f"{again(revision, options.reason)}, which makes it unless it is made") from None
        except KeyboardInterrupt:
            out.say(f"To make the change unless it is made: {again(revision, options.reason)}", "yellow")
            raise
    outcome = plain(result)
    out.result(outcome, differences(outcome["before"], outcome["after"]))
    if outcome["before"] == outcome["after"] and not outcome["applied"]:
        no_entry = " The audit got no entry." if options.apply else ""
        out.say(f"Nothing to change: the data is like this already.{no_entry}", "bold")
        return outcome
    if not options.apply:
        out.say("Nothing was changed. To do it:", "bold")
        out.say(f"  {again(revision or '')}")
        return outcome
    out.say(f"Done. Audit entry {outcome['audit_id']}.", "green")
    if outcome["can_undo"]:
        out.say(f"To undo it: libctl audit undo {outcome['audit_id']}")
    return outcome


def again(revision: str, reason: str | None = None) -> str:
    """Returns the command line that applies this command on that revision.

    It may be repeated with the same reason: the service recognises a change that it has made, and makes none twice.
    """
    said = shlex.quote(reason) if reason else '"…"'
    return f"libctl {shlex.join(typed(_OPTIONS))} --apply --reason {said} --revision {revision}"


def typed(options: Collection[str]) -> list[str]:
    """Returns the words of this command line without these options and their values; ``--apply`` has none."""
    words, skip = [], False
    for word in sys.argv[1:]:
        if skip or word.partition("=")[0] in options:
            skip = not skip and word in options and word != "--apply"
            continue
        words.append(word)
    return words


def differences(before: dict[str, Any] | None, after: dict[str, Any] | None) -> RenderableType:
    """Returns the differences of a change, one value per line."""
    return table(["what", "before", "after"], difference_rows(before, after), empty="No difference.")


def difference_rows(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """Returns each value that differs: its name, and what it was and becomes."""
    was, becomes = dict(_leaves("", before or {})), dict(_leaves("", after or {}))
    names = [*was, *(name for name in becomes if name not in was)]
    return [
        (name, *_short(_shown(was.get(name)), _shown(becomes.get(name))))
        for name in names
        if was.get(name) != becomes.get(name)
    ]


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _leaves(f"{name}.{key}" if name else key, one)
    elif isinstance(value, list) and value:
        for place, one in enumerate(value):
            yield from _leaves(f"{name}[{place}]", one)
    elif name:
        yield name, value


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(was: str, becomes: str) -> tuple[str, str]:
    """Times without parts of a second, unless nothing else differs: a narrow terminal would break the lines of both."""
    short = _PART_OF_A_SECOND.sub(r"\1", was), _PART_OF_A_SECOND.sub(r"\1", becomes)
    return short if short[0] != short[1] else (was, becomes)

"""``libctl events``: what goes out to Kafka, and what came in and could not be applied."""

import base64
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast
from uuid import UUID

import click
from gameshelf.libctl.changing import ApplyOptions, again, changing_as
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.errors import Usage
from gameshelf.libctl.ids import LETTER_ID, USER_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, size, table, visible
from gameshelf.libctl.progress import progress
from gameshelf.libctl.shapes import FLAG, NUMBER, STRING, TEXT_OR_NULL, Shape, answers, list_of, with_shape
from gameshelf.libctl.times import MomentParameter
from gameshelf.libctl.watching import watch, watch_options
from gameshelf.protos.library.v1 import admin_events_pb2 as messages
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions
from rich.console import RenderableType
from rich.text import Text

F = TypeVar("F", bound=Callable[..., Any])

_PART = 500
_SHOWN = 200
"""The number of characters of an original that a list shows; with --id all that the service returns are shown."""

_TEXTS = ("key", "value", "key_base64", "value_base64")
_OF_LETTER = Shape(
    messages.DeadLetter,
    fields=dict.fromkeys(_TEXTS, TEXT_OR_NULL),
    optional=frozenset({"key_base64", "value_base64"}),
)
_LETTERS = Shape(
    messages.ListDeadLettersResponse,
    "dead_letters",
    fields={"dead_letters": list_of(_OF_LETTER)},
    also=("key_base64", "value_base64"),
    or_else=_OF_LETTER,
)
_REPLAYED = Shape(
    fields={
        "applied": FLAG,
        "total": NUMBER,
        "is_more": FLAG,
        "revision": STRING,
        "counts": list_of(messages.DeadLetterCount),
    },
    or_else=Shape(
        fields={
            "applied": FLAG,
            "replayed": NUMBER,
            "left": NUMBER,
            "first_audit_id": TEXT_OR_NULL,
            "last_audit_id": TEXT_OR_NULL,
            "revision": STRING,
        }
    ),
)


@noun("events")
def group() -> None:
    """The outbox to Kafka, and dead letters."""


@group.command()
@watch_options
@answers(messages.ShowOutboxResponse, "topics")
@click.pass_obj
def outbox(out: Output, seconds: float | None) -> int | None:
    """Show, per topic, records waiting for Kafka and those that Kafka refused."""
    client = connect()

    def look() -> tuple[dict[str, Any], list[RenderableType]]:
        found = plain(client.call("ShowOutbox", messages.ShowOutboxRequest()))
        return found, _drawn_outbox(found)

    if seconds:
        return watch(out, seconds, look)
    found, drawn = look()
    out.result(found, *drawn)
    return None


def _drawn_outbox(found: dict[str, Any]) -> list[RenderableType]:
    shown = {
        "pending": _number(found["pending"], found["is_more"]),
        "oldest waits for": f"{found['lag_seconds']:.1f} s",
        "waiting for other users' transactions": found["forwarded"],
    }
    rows = [(one["topic"], _number(one["pending"], one["is_more"]), one["oldest_at"]) for one in found["topics"]]
    columns = [Column("topic"), Column("pending", "right"), Column("oldest since")]
    drawn: list[RenderableType] = [facts(shown), Text(), table(columns, rows, empty="Nothing waits.")]
    if found["refused"]:
        columns = [
            Column("topic (refused)"),
            Column("reason"),
            Column("records", "right"),
            Column("oldest since"),
        ]
        of_kind = [(one["topic"], one["detail"], one["count"], one["oldest_at"]) for one in found["refused"]]
        more = ", and there are more" if found["is_more_refused"] else ""
        drawn += [Text(), table(columns, of_kind), Text(f"Refused records return to the outbox every hour{more}.")]
    return drawn


@group.group()
def dlq() -> None:
    """List and replay dead letters: records that could not be applied."""


def choosing(command: F) -> F:
    """Gives a command the options of a filter; it gets them as ``chosen``."""

    def with_chosen(
        *arguments: Any,
        topic: str | None,
        only_reason: str | None,
        user: UUID | None,
        since: datetime | None,
        until: datetime | None,
        letter: UUID | None,
        **more: Any,
    ) -> Any:
        chosen = messages.DeadLetterFilter(
            topic=topic or "", reason=only_reason or "", user_id=str(user or ""), dead_letter_id=str(letter or "")
        )
        for name, moment in (("since", since), ("until", until)):
            if moment is not None:
                getattr(chosen, name).FromDatetime(moment)
        return command(*arguments, chosen=chosen, **more)

    with_chosen.__doc__, with_chosen.__name__ = command.__doc__, command.__name__
    wrapped: Any = with_chosen
    wrapped.__click_params__ = getattr(command, "__click_params__", [])
    wrapped.shape = getattr(command, "shape", None)
    for option in (
        click.option("--id", "letter", type=LETTER_ID, help="Only this dead letter."),
        click.option("--until", type=MomentParameter(), help="Only those up to this time."),
        click.option("--since", type=MomentParameter(), help="Only those from this time on."),
        click.option("--user", type=USER_ID, help="Only entries about this user."),
        click.option("--only-reason", metavar="CODE", help="Only this reason, such as MALFORMED_JSON."),
        click.option("--topic", help="Only this topic."),
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


@dlq.command("list")
@choosing
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--cursor", default="", help="Continue the listing at this cursor.")
@click.option("--all", "is_all", is_flag=True, help="Print all dead letters; with --json one document per line.")
@watch_options
@with_shape(_LETTERS)
@click.pass_obj
def list_(
    out: Output, chosen: messages.DeadLetterFilter, limit: int, cursor: str, is_all: bool, seconds: float | None
) -> int | None:
    """List dead letters, oldest first."""
    if is_all and seconds:
        raise Usage("--watch and --all exclude each other", "--watch --limit 500")
    asked = messages.ListDeadLettersRequest(filter=chosen, cursor=cursor, limit=_PART if is_all else limit)
    client = connect()
    if is_all:
        for part in _parts(client, asked):
            for one in part.dead_letters:
                letter = _letter(one)
                out.line(letter, partial(_drawn, letter, _SHOWN))
        return None
    if seconds:
        return watch(out, seconds, WatchedLetters(client, asked).look)
    part = _page(client, asked)
    found, drawn = _shown(part, None if chosen.dead_letter_id else _SHOWN)
    out.result(found, *drawn)
    if not cursor and part.dead_letters:
        out.say(f"{len(part.dead_letters)} of {_number(part.total, part.is_more)}.")
    if part.next_cursor:
        out.say(f"More: --cursor {part.next_cursor}, or --all")
    if chosen.user_id and not part.dead_letters:
        doubt(out, UUID(chosen.user_id))
    return None


def _page(client: Client, first: messages.ListDeadLettersRequest) -> messages.ListDeadLettersResponse:
    """Reads as many letters as are asked for: of a rare kind, a part may find few, or none."""
    asked, limit = messages.ListDeadLettersRequest(), first.limit
    asked.CopyFrom(first)
    part = client.call("ListDeadLetters", asked)
    while part.next_cursor and len(part.dead_letters) < limit:
        asked.cursor, asked.limit = part.next_cursor, limit - len(part.dead_letters)
        more = client.call("ListDeadLetters", asked)
        part.dead_letters.extend(more.dead_letters)
        part.next_cursor = more.next_cursor
    return cast("messages.ListDeadLettersResponse", part)


class WatchedLetters:
    """A page of letters for ``--watch``. Each look reads one part: a search for a rare kind takes several looks.

    Otherwise each look would read all letters there are. The search begins again after the look that has ended it.
    """

    def __init__(self, client: Client, asked: messages.ListDeadLettersRequest) -> None:
        self._client, self._asked = client, asked
        self._found: messages.ListDeadLettersResponse | None = None

    def look(self) -> tuple[dict[str, Any], list[RenderableType]]:
        """Returns what the search has found so far: its number first, because the rest may not fit on the screen."""
        page = self._next_part()
        is_over = not page.next_cursor or len(page.dead_letters) >= self._asked.limit
        self._found = None if is_over else page
        found, drawn = _shown(page, _SHOWN)
        total = "" if self._asked.cursor else f" of {_number(page.total, page.is_more)}"
        so_far = "" if is_over else " So far: the next look searches on."
        return found, [Text(f"{len(page.dead_letters)}{total}.{so_far}"), *drawn]

    def _next_part(self) -> messages.ListDeadLettersResponse:
        """Reads the next part. If that is refused, the next look reads it."""
        asked, page = messages.ListDeadLettersRequest(), messages.ListDeadLettersResponse()
        asked.CopyFrom(self._asked)
        if self._found is None:
            page.CopyFrom(self._client.call("ListDeadLetters", asked))
            return page
        page.CopyFrom(self._found)
        asked.cursor, asked.limit = page.next_cursor, asked.limit - len(page.dead_letters)
        part = self._client.call("ListDeadLetters", asked)
        page.dead_letters.extend(part.dead_letters)
        page.next_cursor = part.next_cursor
        return page


def _shown(part: messages.ListDeadLettersResponse, longest: int | None) -> tuple[dict[str, Any], list[RenderableType]]:
    letters = [_letter(one) for one in part.dead_letters]
    drawn: list[RenderableType] = [each for letter in letters for each in _drawn(letter, longest)]
    return {**plain(part), "dead_letters": letters}, drawn or [Text("No dead letters.", style="dim")]


@dlq.command()
@choosing
@click.option("--cursor", default="", help="Resume an interrupted run at this cursor.")
@changing_as(_REPLAYED)
@click.pass_obj
def replay(out: Output, chosen: messages.DeadLetterFilter, cursor: str, options: ApplyOptions) -> None:
    """Send dead letters to their topics again, except those that arrive later.

    Needs the role admin.
    """
    client = connect()
    asked = messages.ReplayDeadLettersRequest(filter=chosen, cursor=cursor, limit=_PART)
    revision, total = options.revision or "", 0
    if not revision:
        seen = client.call("ReplayDeadLetters", asked)
        revision, total = seen.revision, seen.total
        if not options.apply:
            _show_dry(out, plain(seen))
            return
    asked.change.CopyFrom(ChangeOptions(apply=True, reason=options.reason, revision=revision, ticket=options.ticket))
    _send(out, client, asked, total)


def _show_dry(out: Output, seen: dict[str, Any]) -> None:
    names = ("total", "is_more", "revision", "counts")
    columns = [Column("topic"), Column("reason"), Column("letters", "right"), Column("can be replayed", "right")]
    rows = [(one["topic"], one["reason"], one["count"], one["can_replay"]) for one in seen["counts"]]
    found = {"applied": False, **{name: seen[name] for name in names}}
    out.result(found, table(columns, rows, empty="No dead letters."))
    if rows:
        out.say(f"Nothing was replayed. To replay {_number(seen['total'], seen['is_more'])}:", "bold")
        out.say(f"  {again(seen['revision'])}")


def _send(out: Output, client: Client, asked: messages.ReplayDeadLettersRequest, total: int) -> None:
    """Part by part, each a transaction and an entry of the audit of its own."""
    done: dict[str, Any] = {"replayed": 0, "left": 0, "first_audit_id": None, "last_audit_id": None}
    try:
        with progress(out, "dead letters replayed") as report:
            while True:
                part = client.call("ReplayDeadLetters", asked)
                done["replayed"] += part.replayed
                done["left"] += part.left
                if part.audit_id:
                    done["first_audit_id"] = done["first_audit_id"] or part.audit_id
                    done["last_audit_id"] = part.audit_id
                report(f"{done['replayed'] + done['left']:,} of {total:,}")
                if not part.next_cursor:
                    break
                asked.cursor = part.next_cursor
    except BaseException as error:
        if asked.cursor or isinstance(error, KeyboardInterrupt):
            out.say(f"{done['replayed']} were replayed and are no longer dead letters. To continue:")
            out.say(f"  {again(asked.change.revision)}")
        raise
    out.result({"applied": True, **done, "revision": asked.change.revision}, facts(_counts(done)))
    if done["left"]:
        out.say(
            "Not sent: dead letters without a value, with a key that is not text, of erased accounts, and those that"
        )
        out.say("another transaction has locked; run the same command again for these.")


def _counts(done: dict[str, Any]) -> dict[str, object]:
    entries = f"{done['first_audit_id']} to {done['last_audit_id']}" if done["first_audit_id"] else "none"
    return {"replayed": done["replayed"], "not sent": done["left"], "audit entries": entries}


def _parts(client: Client, asked: messages.ListDeadLettersRequest) -> Iterator[messages.ListDeadLettersResponse]:
    while True:
        part = client.call("ListDeadLetters", asked)
        yield part
        if not part.next_cursor:
            return
        asked.cursor = part.next_cursor


def _letter(of: messages.DeadLetter) -> dict[str, Any]:
    """As JSON has it: bytes as text where they are text, else in base64."""
    document = plain(of)
    del document["value"], document["key"]
    is_cut = of.value_size > len(of.value)
    document |= _bytes("key", of.key if of.HasField("key") else None, False)
    return document | _bytes("value", of.value if of.value_size or of.can_replay else None, is_cut)


def _bytes(name: str, held: bytes | None, is_cut: bool) -> dict[str, Any]:
    """Bytes that may have been cut in the middle of a character."""
    if held is None:
        return {name: None}
    for length in range(len(held), len(held) - (4 if is_cut else 1), -1):
        try:
            return {name: held[:length].decode()}
        except UnicodeDecodeError:
            continue
    return {name: None, f"{name}_base64": base64.b64encode(held).decode()}


def _drawn(letter: dict[str, Any], shown: int | None) -> list[Any]:
    """A letter in words. What somebody has sent to us is shown as text, and does nothing to the terminal."""
    original = letter["value"] if letter.get("value_base64") is None else f"base64: {letter['value_base64']}"
    is_cut = shown is not None and len(original or "") > shown
    text = visible((original or "")[:shown]) + ("…" if is_cut else "")
    details = {
        "topic": letter["topic"],
        "reason": f"{letter['reason']}: {letter['detail']}",
        "when": letter["created_at"],
        "user": letter["user_id"] or None,
        "key": letter["key"] if letter.get("key_base64") is None else f"base64: {letter['key_base64']}",
        "original": Text(text or "none") if original is not None else "none",
        "size": size(letter["value_size"]),
        "can be replayed": None if letter["can_replay"] else "no: it has no value, or its key is not text",
    }
    head = Text(letter["dead_letter_id"], style="bold")
    return [head, facts((name, value) for name, value in details.items() if value is not None), Text()]


def _number(number: int, is_more: bool) -> str:
    return f"{number}+" if is_more else str(number)

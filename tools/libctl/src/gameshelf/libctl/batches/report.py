"""What is shown of a batch: numbers, what changes, and the exceptions, of which a file has all."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from gameshelf.libctl.batches.journal import OTHER, BatchItem, ChangeState, Journal
from gameshelf.libctl.changing import difference_rows
from gameshelf.libctl.output import Column, Output, facts, lines, table, visible
from gameshelf.libctl.shapes import NUMBER, STRING, TEXT_OR_NULL, Shape, list_of
from rich.console import RenderableType

_SHOWN = 10
"""How many kinds of changes and exceptions are shown; the file has all exceptions."""
_ROWS, _LONGEST = 5, 100
"""How much of one change is kept to be compared with the others."""
BATCH = Shape(
    fields={
        "batch_id": STRING,
        "command": STRING,
        "players": NUMBER,
        "listed_twice": NUMBER,
        **dict.fromkeys(map(str, ChangeState), NUMBER),
        "unanswered": NUMBER,
        "differences": list_of(Shape(fields={"what": STRING, "players": NUMBER})),
        "refusals": list_of(Shape(fields={"code": STRING, "example": STRING, "players": NUMBER})),
        "exceptions": list_of(
            Shape(fields={"line": NUMBER, "words": list_of(STRING), "code": STRING, "message": STRING})
        ),
        "exceptions_file": TEXT_OR_NULL,
    }
)
"""The shape of a batch."""


def summary(journal: Journal) -> dict[str, Any]:
    """Returns what ``--json`` prints: bounded, whatever the size of the batch."""
    counts = journal.counts()
    return {
        "batch_id": journal.noted("batch_id"),
        "command": journal.noted("command"),
        "players": sum(counts.values()),
        "listed_twice": journal.noted("listed_twice") or 0,
        **{state.value: counts[state] for state in ChangeState},
        "unanswered": journal.unanswered(ChangeState.READ) + journal.unanswered(ChangeState.PLANNED),
        "differences": [{"what": what, "players": players} for what, players in journal.differences()],
        "refusals": [{"code": code, "example": text, "players": players} for code, text, players in journal.refusals()],
        "exceptions": [_exception(one) for one in islice(journal.exceptions(), _SHOWN)],
        "exceptions_file": None,
    }


def show(out: Output, journal: Journal) -> dict[str, Any]:
    """Shows a batch, and writes the file of exceptions if there are any. Returns the summary."""
    found = summary(journal)
    if number := found["refused"] + found["failed"] + journal.unanswered(ChangeState.READ):
        found["exceptions_file"] = str(_write_exceptions(journal))
    out.result(found, *_drawn(found))
    if number:
        out.say(f"Exceptions, each with its reason: {number:,} in {found['exceptions_file']}", "yellow")
    return found


def _drawn(found: dict[str, Any]) -> Iterator[RenderableType]:
    named = {
        "batch": found["batch_id"],
        "changes": f"{found['players']:,}",
        "not yet looked at": found["read"],
        "to be changed": found["planned"],
        "changed": found["applied"],
        "already like this": found["unchanged"],
        "refused in the dry run": found["refused"],
        "refused": found["failed"],
        "without an answer": found["unanswered"],
        "listed twice": found["listed_twice"],
    }
    yield facts((name, f"{value:,}" if isinstance(value, int) else value) for name, value in named.items() if value)
    if found["differences"]:
        rows = [(f"{one['players']:,}", *_sides(one["what"])) for one in found["differences"][:_SHOWN]]
        hidden = sum(one["players"] for one in found["differences"][_SHOWN:])
        if hidden:
            rows.append((f"{hidden:,}", OTHER, "", ""))
        yield table([Column("players", "right"), "what", "before", "after"], rows)
    if found["exceptions"]:
        rows = [(str(one["line"]), lines(*one["words"]), one["message"]) for one in found["exceptions"]]
        yield table([Column("line", "right"), Column("exception", whole=True), "why"], rows)


def describe(result: dict[str, Any]) -> str:
    """Says what a change does, one difference per line: equal ones of several players are counted as one."""
    rows = difference_rows(result["before"], result["after"])
    short = ("\t".join(visible(cell)[:_LONGEST] for cell in row) for row in rows[:_ROWS])
    return "\n".join(short) + (f"\n{OTHER}\t\t" if len(rows) > _ROWS else "")


def _sides(what: str) -> tuple[object, ...]:
    rows = [row.split("\t") for row in what.split("\n")]
    return (OTHER, "", "") if what == OTHER else tuple(lines(*column) for column in zip(*rows, strict=True))


def _exception(item: BatchItem) -> dict[str, Any]:
    return {"line": item.line, "words": list(item.words), "code": item.code, "message": item.message}


def _write_exceptions(journal: Journal) -> Path:
    """Writes the changes that were not made as a list, each with its reason as a comment."""
    path = journal.path.with_suffix(".txt")
    with path.open("w", encoding="utf-8") as file:
        path.chmod(0o600)
        for one in journal.exceptions(to_repeat=True):
            file.write(f"{' '.join(one.words)}  # {one.code}: {visible(one.message)}\n")
    return path

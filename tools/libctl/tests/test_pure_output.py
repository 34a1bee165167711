"""Output is harmless, whole, and the same for scripts."""

import io
import json
import sys
from datetime import UTC, datetime
from uuid import UUID

import pytest
from gameshelf.libctl.changing import differences
from gameshelf.libctl.output import Branch, Column, Output, facts, lines, size, table, tree, visible
from rich.console import Console


def drawn(renderable, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Экспресс «Северное сияние» 🎮", "Экспресс «Северное сияние» 🎮"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x9b31m\x7f\x00", "\\x9b31m\\x7f\\x00"),
        ("abc\u202egnp.exe", "abc\\u202egnp.exe"),
        ("a\u2028b\u200bc\U000e0041", "a\\u2028b\\u200bc\\U000e0041"),
        ("\ud800", "\\ud800"),
        (None, ""),
        (True, "yes"),
        (datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC), "2026-01-02 03:04:05+00:00"),
    ],
)
def test_text_of_users_can_do_nothing_to_a_terminal(written, shown):
    assert visible(written) == shown


def test_markup_of_users_is_shown_and_not_followed():
    evil = "[red]x[/red] [link=http://x]y[/link]"
    for made in (
        table(["name"], [[evil]]),
        table(["name"], [[lines("x", evil)]]),
        facts({"name": evil}),
        tree(evil, [Branch(evil)]),
    ):
        assert evil in drawn(made)


def test_nothing_of_a_cell_is_lost_where_there_is_little_room():
    text = drawn(table([Column("id", whole=True), "name"], [["x" * 36, "y" * 200]]), width=60)
    assert "x" * 36 in text
    assert text.count("y") == 200
    assert max(map(len, text.splitlines())) <= 60


def test_an_empty_table_says_so():
    assert drawn(table(["name"], [], empty="no saves")).strip() == "no saves"


def test_json_is_one_document_whose_letters_can_be_read(capsys):
    name = "Ёлка 🎮 \x1b\x7f\x9b\u202e\u2028\U000e0041\ud800 \n \\u"
    Output(as_json=True).result({"at": datetime(2026, 1, 2, tzinfo=UTC), "id": UUID(int=1), "name": name}, "drawn")
    text = capsys.readouterr().out
    assert "Ёлка 🎮" in text
    escaped = "\\u001b\\u007f\\u009b\\u202e\\u2028\\udb40\\udc41\\ud800"
    assert escaped in text
    assert json.loads(text) == {"at": "2026-01-02T00:00:00Z", "id": str(UUID(int=1)), "name": name}


def test_json_is_ascii_where_the_output_has_another_encoding(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    Output(as_json=True).line({"name": "Ёлка"}, list)
    sys.stdout.flush()
    assert json.loads(sys.stdout.buffer.getvalue().decode("ascii")) == {"name": "Ёлка"}


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 40, "1.0 TiB"), (1 << 52, "4096.0 TiB")]
)
def test_sizes_are_for_people(number, said):
    assert size(number) == said


def test_a_table_stands_apart_from_what_is_above_it(capsys):
    Output().result({}, facts({"limit": 1}), table(["first"], [["x"]]), table(["second"], [["y"]]))
    said = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [said[said.index(name) - 1] for name in ("first", "second")] == ["", ""]
    assert said[0] == "limit  1"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (
            "2026-11-25T02:34:11.254911Z",
            "2026-11-25T02:36:13.1+00:00",
            "2026-11-25T02:34:11Z 2026-11-25T02:36:13+00:00",
        ),
        ("2026-11-25T02:34:11.1Z", "2026-11-25T02:34:11.2Z", "2026-11-25T02:34:11.1Z 2026-11-25T02:34:11.2Z"),
        (None, "2026-11-25T02:34:11.254911Z", "- 2026-11-25T02:34:11Z"),
        ("v1.5Z", "at 2026-11-25T02:34:11.2Z", "v1.5Z at 2026-11-25T02:34:11.2Z"),
    ],
)
def test_times_are_short_unless_that_would_hide_the_difference(before, after, shown):
    text = drawn(differences({"at": before}, {"at": after}), width=120)
    assert shown in " ".join(text.split())

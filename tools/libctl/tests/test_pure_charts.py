"""Bars and sparklines say what the numbers say, in any terminal."""

import io
from datetime import date, timedelta

import pytest
from gameshelf.libctl.charts import Bar, Sparkline, below, share_of
from gameshelf.libctl.commands.playtime import recent_play
from gameshelf.libctl.output import Column, facts, table
from rich.cells import cell_len
from rich.console import Console


def drawn(*renderables, width=80, encoding="utf-8"):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    console = Console(file=file, width=width, highlight=False)
    for one in renderables:
        console.print(one)
    file.flush()
    return file.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, ""), (0.001, "▏"), (0.25, "██"), (0.5, "████"), (0.57, "████▌"), (1, "████████"), (7, "████████"), (-1, "")],
)
def test_a_bar_is_as_long_as_its_share_and_little_is_more_than_nothing(share, shown):
    assert Bar(share, 8).text().plain.rstrip() == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "░░░░"), (0.004, "░░░░"), (0.01, "█░░░"), (0.5, "██░░"), (0.99, "███░"), (1, "████"), (2, "████")],
)
def test_only_what_is_complete_looks_complete(share, shown):
    assert Bar(share, 4, has_track=True).text().plain == shown


def test_the_share_of_nothing_is_none():
    assert (share_of(0, 0), share_of(5, 0), share_of(1, 4)) == (0, 0, 0.25)


def test_a_sparkline_distinguishes_nothing_from_little():
    assert Sparkline([0, 1, 50, 100, 0]).text().plain == "·▁▅█·"
    assert Sparkline([0, 0]).text().plain == "··"
    assert Sparkline([]).text().plain == ""


def test_without_utf_8_they_are_of_ascii():
    shown = drawn(Bar(0.5, 8), Bar(0.25, 8, has_track=True), Sparkline([0, 1, 100]), encoding="latin-1")
    assert shown.split() == ["####", "##......", ".18"]


def test_nothing_but_text_is_in_a_pipe():
    assert "\x1b" not in drawn(facts({"used": Bar(0.99, 8, "red", has_track=True)}), Sparkline([1]))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_bars_stay_below_their_values_beside_long_and_wide_titles(width):
    title = "Дальний горизонт 🐉 龍の夢 — название, которое не помещается"
    columns = [Column("product", least=36), Column("total", "right", whole=True)]
    shown = drawn(table(columns, [[title, below("1h 00m 00s", Bar(0.5, 14))]]), width=width)
    lines = shown.splitlines()
    assert max(map(cell_len, lines)) <= width
    [of_bar] = [line for line in lines if "█" in line]
    [of_value] = [line for line in lines if "1h" in line]
    assert cell_len(of_bar[: of_bar.index("█")]) == cell_len(of_value.rstrip()) - 14
    assert lines.index(of_bar) == lines.index(of_value) + 1


def test_the_last_weeks_are_added_up_from_their_days():
    last = date(2026, 11, 29)
    days = {last: 7200, last - timedelta(1): 3600, last - timedelta(6): 60, last - timedelta(97): 1800}
    found = {
        "products": [{}],
        "first_day": "2026-08-24",
        "last_day": "2026-11-29",
        "days": [{"day": str(day), "seconds": seconds} for day, seconds in sorted(days.items())],
    }
    of_days, of_weeks = drawn(*recent_play(found)).splitlines()
    assert of_days.split(maxsplit=3)[3].rstrip() == "·······▁····▅█  3h 01m, most 2h 00m (2026-11-29)"
    assert of_weeks.split(maxsplit=3)[3].rstrip() == "▂············█  3h 31m, most 3h 01m (week of 2026-11-23)"
    [of_days, _] = drawn(*recent_play(found | {"days": found["days"][:1]})).splitlines()
    assert of_days.split(maxsplit=3)[3].rstrip() == "··············  not played"
    assert recent_play(found | {"products": []}) == recent_play(found | {"last_day": ""}) == []

"""A save's versions as a tree, line by line."""

import io

import pytest
from gameshelf.libctl.history import drawn, lanes
from rich.cells import cell_len
from rich.console import Console


def version(number, parent, merged=None, status="history", **more):
    return {
        "version": number,
        "parent_version": parent,
        "merged_version": merged,
        "status": status,
        "is_pinned": False,
        "file_size_bytes": 10,
        "server_uploaded_at": None,
        "device_id": "pc",
        "playtime_seconds": 3600,
        "comment": "",
        **more,
    }


def tree(*versions):
    return lanes([version(*one) for one in versions])


def test_a_straight_history_is_one_line_however_long():
    assert set(lanes([version(number, number - 1) for number in range(500, 0, -1)])) == {"●"}


def test_a_branch_stands_beside_the_head_until_where_it_grew_from():
    assert tree((4, 2, None, "branch"), (3, 2, None, "head"), (2, 1), (1, 0, None, "pruned")) == [
        "●",
        "│ ◉",
        "●─╯",
        "○",
    ]


def test_a_merge_has_two_lines_below_it():
    assert tree((4, 2, 3, "head"), (3, 1), (2, 1), (1, 0)) == ["◉─╮", "│ ●", "● │", "●─╯"]


def test_several_branches_of_one_version_end_in_it():
    assert tree((5, 1, None, "branch"), (4, 1, None, "branch"), (3, 2, None, "head"), (2, 1), (1, 0)) == [
        "●",
        "│ ●",
        "│ │ ◉",
        "│ │ ●",
        "●─┴─╯",
    ]


def test_a_branch_that_was_merged_and_continued_is_led_to_twice():
    assert tree((5, 3, None, "branch"), (4, 2, 3, "head"), (3, 1), (2, 1), (1, 0)) == [
        "●",
        "│ ◉─╮",
        "●─┼─╯",
        "│ ●",
        "●─╯",
    ]


def test_what_grew_from_nothing_begins_a_tree_of_its_own():
    assert tree((2, 0, None, "branch"), (1, 0, None, "head")) == ["●", "◉"]


def test_a_page_from_the_middle_is_drawn_as_far_as_it_is_known():
    assert tree((7, 5), (6, 2)) == ["●", "│ ●"]


def test_very_many_branches_do_not_fill_the_screen():
    drawn_lines = lanes([version(number, 1, None, "branch") for number in range(60, 1, -1)])
    assert max(map(len, drawn_lines)) <= 34
    assert drawn_lines[-1].endswith("…")


def test_what_a_game_wrote_cannot_do_anything_to_a_terminal():
    console = Console(file=io.StringIO(), width=120)
    console.print(drawn([version(1, 0, status="head", comment="\x1b[2J[red]", device_id="\x07")]))
    assert "\x1b" not in console.file.getvalue()
    assert "\\x1b[2J[red]" in console.file.getvalue()


LONG = {"device_id": "an old laptop in the kitchen", "comment": "автосохранение перед боссом, глава 3 ✨"}
BRANCHED = [
    version(5, 3, 4, "head", **LONG),
    version(4, 2, **LONG),
    version(3, 2, is_pinned=True),
    version(2, 1, None, "pruned", comment="x" * 150),
    version(1, 0),
]


@pytest.mark.parametrize("width", [40, 60, 80, 109])
def test_where_a_table_has_no_room_the_tree_leads_on_beside_each_line(width):
    console = Console(file=io.StringIO(), width=width)
    console.print(drawn(BRANCHED))
    lines = console.file.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    numbers = [word for line in lines for word in line.split() if word in ("v5", "v4", "v3", "v2", "v1")]
    assert numbers == ["v5", "v4", "v3", "v2", "v1"]
    assert {line[0] for line in lines} <= set("◉●○│ ")


def test_the_lines_of_a_version_hang_on_its_tree():
    console = Console(file=io.StringIO(), width=60)
    console.print(drawn(BRANCHED[:3]))
    assert [line.rstrip() for line in console.file.getvalue().splitlines()] == [
        "◉─╮  v5  head  10 B",
        "│ │  an old laptop in the kitchen  1h 00m  автосохранение",
        "│ │  перед боссом, глава 3 ✨",
        "│ ●  v4  history  10 B",
        "│ │  an old laptop in the kitchen  1h 00m  автосохранение",
        "│ │  перед боссом, глава 3 ✨",
        "● │  v3  history, pinned  10 B",
        "│ │  pc  1h 00m",
    ]


@pytest.mark.parametrize("width", [110, 200])
def test_where_it_has_room_a_version_is_a_row(width):
    console = Console(file=io.StringIO(), width=width)
    console.print(drawn(BRANCHED))
    assert console.file.getvalue().split()[:3] == ["tree", "version", "status"]


def test_no_versions_are_said_in_words():
    console = Console(file=io.StringIO(), width=60)
    console.print(drawn([], empty="No versions here."))
    assert console.file.getvalue() == "No versions here.\n"

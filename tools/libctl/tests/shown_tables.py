"""Reads the tables of a command's output as an eye does: headings above a line, rows below it."""

import re
from itertools import takewhile

WIDE = 250
"""The columns of a terminal in which no cell is broken."""


def tables_of(out: str) -> list[tuple[list[str], list[list[str]]]]:
    """Returns the headings and the rows of each table; what is empty in a row or a heading is left out."""
    lines = out.splitlines()
    return [
        (_cells(lines[place - 1]), [_cells(row) for row in takewhile(str.strip, lines[place + 1 :])])
        for place, line in enumerate(lines)
        if place and line.strip() and set(line.strip()) == {"─"}
    ]


def headings_of(out: str) -> list[list[str]]:
    """Returns the headings of each table."""
    return [headings for headings, _ in tables_of(out)]


def _cells(line: str) -> list[str]:
    return re.split(r" {3,}", line.strip())

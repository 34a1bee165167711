"""Sizes as people type them."""

import re
from typing import Any

import click

_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?i?B?)", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_MOST = 2**53
"""8 PiB: what every JSON reader holds exactly, and far within the 64 bits of the service."""


class Size(click.ParamType[int]):
    """Bytes: ``500MB`` (powers of 1000), ``2GiB`` (of 1024), or a plain number; at most 8 PiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _FORM.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no size: try 2GiB, 500MB, or a number of bytes", param, ctx)
        number, unit = found[1], found[2].lower()
        base = 1024 if "i" in unit else 1000
        size = float(number) * base ** _POWERS[unit.rstrip("b").rstrip("i")]
        if size > _MOST:
            self.fail(f"{value!r} is more than 8 PiB", param, ctx)
        return int(size)

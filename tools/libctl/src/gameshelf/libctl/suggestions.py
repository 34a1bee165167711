"""Names that somebody may have meant, for the hint of an error."""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 3
_CLOSE = 0.6


def close_to(word: str, names: Iterable[str]) -> list[str]:
    """Returns the names that look like ``word``, the most alike first; case doesn't count."""
    by_lower = {name.lower(): name for name in names}
    return [by_lower[found] for found in get_close_matches(word.lower(), by_lower, _MOST, _CLOSE)]


def did_you_mean(names: Iterable[str]) -> str:
    """Returns the end of an error's sentence that asks for a name, "" without one."""
    found = list(names)
    return f"; did you mean {' or '.join(found)}?" if found else ""

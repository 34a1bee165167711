"""How deep a JSON document that somebody sent may nest."""

from gameshelf.kernel.errors import Problem

MAX_LEVELS = 32
"""How deep objects and lists may nest; the document itself is the first level (contract, section 3.7)."""


def too_deep(pointer: str) -> Problem:
    """What is wrong with a document that nests deeper, at ``pointer``."""
    return Problem("too_deep", pointer=pointer, params={"max": MAX_LEVELS})

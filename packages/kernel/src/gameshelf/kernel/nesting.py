"""The maximum nesting of JSON documents in requests."""

from gameshelf.kernel.errors import Problem

MAX_LEVELS = 32
"""The maximum number of nested objects and lists; the document itself is the first level (contract, section 3.7)."""


def too_deep(pointer: str) -> Problem:
    """Returns the problem of a document that nests deeper, at ``pointer``."""
    return Problem("too_deep", pointer=pointer, params={"max": MAX_LEVELS})

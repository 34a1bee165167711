"""Docstrings as the descriptions of a document: paragraphs of CommonMark."""

import re
from inspect import cleandoc

_PARAGRAPHS = re.compile(r"\n\s*\n")


def plain(text: str) -> str:
    """A docstring as CommonMark: each paragraph on one line, code between single backticks.

    >>> plain('''Of one product,
    ... or of ``all``.''')
    'Of one product, or of `all`.'
    """
    return "\n\n".join(" ".join(part.split()) for part in _PARAGRAPHS.split(cleandoc(text))).replace("``", "`")


def summary_of(docstring: str) -> str:
    """The first sentence of a docstring, which is its first paragraph, without the full stop."""
    return plain(docstring).partition("\n\n")[0].removesuffix(".")


def description_of(docstring: str) -> str:
    """What follows the first paragraph; the first one where nothing does."""
    first, _, rest = plain(docstring).partition("\n\n")
    return rest or first

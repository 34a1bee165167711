"""Converts docstrings to descriptions of the OpenAPI document, in CommonMark."""

import re
from inspect import cleandoc

_PARAGRAPHS = re.compile(r"\n\s*\n")


def plain(text: str) -> str:
    """Converts a docstring to CommonMark: each paragraph on one line, code between single backticks.

    >>> plain('''Of one product,
    ... or of ``all``.''')
    'Of one product, or of `all`.'
    """
    return "\n\n".join(" ".join(part.split()) for part in _PARAGRAPHS.split(cleandoc(text))).replace("``", "`")


def summary_of(docstring: str) -> str:
    """Returns the first paragraph of a docstring, which is one sentence, without the full stop."""
    return plain(docstring).partition("\n\n")[0].removesuffix(".")


def description_of(docstring: str) -> str:
    """Returns all paragraphs after the first one; the first one if there are no others."""
    first, _, rest = plain(docstring).partition("\n\n")
    return rest or first

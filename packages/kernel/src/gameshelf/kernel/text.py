"""Text that people typed: one normal form, no character that can lie, keys that sort the same on every server.

The rules are the contract's (section 3, Text): NFC first, then length in code points.

A bounded text is ``Annotated[str, Field(max_length=200), NORMALISED]``. The bounds stand next to ``str``: after a
validator pydantic would call them those of a list, and leave them out of the JSON Schema.
"""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")
# Controls, and the marks that reorder text on screen: a category named with them could pose as another one.
_CONTROL_OR_BIDI = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


# They belong to letters or symbols, but nothing of them is seen: Hangul fillers and the blank Braille pattern.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def normalise(text: str) -> str:
    """``text`` in NFC.

    Raises ValueError for NUL and lone surrogates, which no store of ours can hold.
    """
    if _NUL_OR_SURROGATE.search(text):
        raise PydanticCustomError("text_forbidden_character", "NUL and lone surrogates are not allowed")
    return unicodedata.normalize("NFC", text)


def _normalised(value: object) -> object:
    return normalise(value) if isinstance(value, str) else value


def _one_line(text: str) -> str:
    if _CONTROL_OR_BIDI.search(text):
        raise PydanticCustomError("text_control_character", "control and bidi characters are not allowed")
    if not any(map(_is_visible, text)):
        raise PydanticCustomError("text_blank", "must contain a visible character")
    return text


def _is_visible(character: str) -> bool:
    # Spaces, format characters (such as the zero-width ones) and marks without a letter show nothing by themselves.
    return unicodedata.category(character) not in {"Zs", "Cf", "Mn", "Me"} and character not in _BLANKS


NORMALISED = BeforeValidator(_normalised)
"""Brings a string into NFC before it is measured; refuses NUL and lone surrogates."""

ONE_LINE = AfterValidator(_one_line)
"""Refuses control and bidi characters, and text in which nothing can be seen."""

Text = Annotated[str, NORMALISED]
"""Any text, normalised. It has no bound of its own: use it where something else bounds the text."""

Name = Annotated[str, Field(min_length=1, max_length=100), NORMALISED, ONE_LINE]
"""A name that people see in a list: 1 to 100 code points on one line."""


def fold(text: str) -> str:
    """The key that names are compared, sorted and searched by: NFC, case-folded, ё as е.

    Stored beside the name and compared byte by byte, so that the order does not depend on a database's locale.
    Folding a key again gives the same key. It can be longer than the text (ß becomes ss). The folding is that of no
    language in particular: the Turkish İ becomes i and a dot above, and ı stays what it is.
    """
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    while "ё" in folded:  # more than once only where a second diaeresis makes a ё of the е again
        folded = unicodedata.normalize("NFC", folded.replace("ё", "е"))
    return folded

"""Text of users: one normal form, and no misleading characters.

The rules are the contract's (section 3, Text): NFC first, then length in code points.

A bounded text is ``Annotated[str, Field(max_length=200), NORMALISED]``. The bounds stand next to ``str``: after a
validator pydantic would report them as those of a list, and omit them from the JSON Schema. ``max_length`` is required:
a text is measured before it is normalised, which costs more than reading it.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

_NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")
# Controls, and the marks that reorder text on screen: a category with them in its name could look like another one.
_CONTROL_OR_BIDI = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


# Letters and symbols that are invisible: Hangul fillers and the blank Braille pattern.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


MOST_DECOMPOSED = 4
"""The maximum number of code points into which one code point of NFC decomposes. A text of n code points in NFC has at
most 4 n before, so a longer one is refused without normalising it."""

# Up to this length an algorithm that is quadratic in the length of a run of marks is fast enough.
_SHORT_TEXT = 64
_LONG_RUN = re.compile(rb"[^\x00]{33,}")

# The only code points that decompose into marks without being marks. NFC never composes them again.
_MARKS_IN_DISGUISE = {code: unicodedata.normalize("NFD", chr(code)) for code in (0x0344, 0x0F73, 0x0F75, 0x0F81)}


def is_storable(text: str) -> bool:
    """Returns whether our databases can store the text: it has no NUL and no lone surrogate."""
    return not _NUL_OR_SURROGATE.search(text)


def normalise(text: str) -> str:
    """Returns ``text`` in NFC, in time proportional to its length, for any content.

    Raises ValueError for NUL and lone surrogates, which our databases cannot store.
    """
    if not is_storable(text):
        raise PydanticCustomError("text_forbidden_character", "NUL and lone surrogates are not allowed")
    return _nfc(text)


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", in_canonical_order(text))


def in_canonical_order(text: str) -> str:
    """Returns ``text`` with its long runs of combining marks sorted.

    ``unicodedata`` sorts the marks of a run by insertion, which is quadratic: minutes for half a megabyte. Sorted marks
    take one step each. The sort is stable, so its order is that of the Unicode Standard (section 3.11, D108).
    """
    if len(text) <= _SHORT_TEXT:
        return text
    text = text.translate(_MARKS_IN_DISGUISE)
    classes = bytes(map(unicodedata.combining, text))
    parts: list[str] = []
    done = 0
    for run in _LONG_RUN.finditer(classes):
        parts += text[done : run.start()], *sorted(text[run.start() : run.end()], key=unicodedata.combining)
        done = run.end()
    return "".join((*parts, text[done:])) if done else text


class _Normalised:
    """An annotation after the bounds of a ``str``. The declaration of a type without bounds raises TypeError."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        if schema["type"] != "str" or "max_length" not in schema:
            raise TypeError("NORMALISED has to follow a str and its max_length")
        return core_schema.no_info_before_validator_function(_measured(schema["max_length"]), schema)


def _measured(max_length: int) -> Callable[[object], object]:
    def normalised(value: object) -> object:
        if not isinstance(value, str):
            return value
        if len(value) > max_length * MOST_DECOMPOSED:
            raise PydanticKnownError("string_too_long", {"max_length": max_length})
        return normalise(value)

    return normalised


def _one_line(text: str) -> str:
    if _CONTROL_OR_BIDI.search(text):
        raise PydanticCustomError("text_control_character", "control and bidi characters are not allowed")
    if not any(map(_is_visible, text)):
        raise PydanticCustomError("text_blank", "must contain a visible character")
    return text


def _is_visible(character: str) -> bool:
    # Spaces, format characters (such as the zero-width ones) and marks without a letter are invisible.
    return unicodedata.category(character) not in {"Zs", "Cf", "Mn", "Me"} and character not in _BLANKS


NORMALISED = _Normalised()
"""Brings a string into NFC before its length is checked. Refuses NUL, lone surrogates and texts that are too long."""

ONE_LINE = AfterValidator(_one_line)
"""Refuses control and bidi characters, and text without a visible character."""

Name = Annotated[str, Field(min_length=1, max_length=100), NORMALISED, ONE_LINE]
"""A name in a list: 1 to 100 code points on one line."""

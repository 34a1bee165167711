"""Text that people typed: one normal form, no character that can lie, keys that sort the same on every server.

The rules are the contract's (section 3, Text): NFC first, then length in code points.
"""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")
# Controls, and the marks that reorder text on screen: a category named with them could pose as another one.
_CONTROL_OR_BIDI = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def normalise(text: str) -> str:
    """``text`` in NFC.

    Raises ValueError for NUL and lone surrogates, which no store of ours can hold.
    """
    if _NUL_OR_SURROGATE.search(text):
        raise PydanticCustomError("text_forbidden_character", "NUL and lone surrogates are not allowed")
    return unicodedata.normalize("NFC", text)


def _normalise_before(value: object) -> object:
    return normalise(value) if isinstance(value, str) else value


def _one_line(text: str) -> str:
    if _CONTROL_OR_BIDI.search(text):
        raise PydanticCustomError("text_control_character", "control and bidi characters are not allowed")
    if not text.strip():
        raise PydanticCustomError("text_blank", "must contain a visible character")
    return text


Text = Annotated[str, BeforeValidator(_normalise_before)]
"""Any text, normalised. Add ``Field(max_length=…)``: every text is bounded."""

Name = Annotated[Text, Field(min_length=1, max_length=100), AfterValidator(_one_line)]
"""A name that people see in a list: 1 to 100 code points on one line."""


def fold(text: str) -> str:
    """The key that names are compared, sorted and searched by: NFC, case-folded, ё as е.

    Stored beside the name and compared byte by byte, so that the order does not depend on a database's locale.
    """
    folded = unicodedata.normalize("NFC", text).casefold().replace("ё", "е")
    return unicodedata.normalize("NFC", folded)

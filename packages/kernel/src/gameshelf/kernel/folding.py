"""Keys that names are compared, sorted and searched by, the same on every server.

They are stored beside the names and compared byte by byte, so that nothing depends on a database's locale. Folding a
key again gives the same key.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

from gameshelf.kernel.text import in_canonical_order

Form = Literal["NFC", "NFKC", "NFKD"]

_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\u2032`\u00b4\u055a"
# They are written between letters as part of a word: Baldur's, S.T.A.L.K.E.R.
_JOINING = re.compile(r"['.]")
# Punctuation that tells titles apart: #DRIVE, 100%, Might & Magic. The plus sign is a symbol anyway.
_KEPT = frozenset("#%&'.")
# Signs that are no punctuation for Unicode and are typed where a dash would be.
_DASHES = frozenset("\u2212\u02d7")
# The diaeresis that makes a ё of an е.
_DIAERESIS = "\u0308"


# Of the million code points that a hostile search may hold.
_MOST_REMEMBERED = 4096


class _Characters(dict[int, str]):
    """What a character becomes before words are told apart; those that occurred first are remembered."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character in _APOSTROPHES:
            replaced = "'"
        elif character in _KEPT:
            replaced = character
        elif category == "Cf" or _is_variation_selector(code):
            replaced = ""
        elif category[0] in "PZ" or category == "Cc" or character in _DASHES:
            replaced = " "
        else:
            replaced = character
        if len(self) < _MOST_REMEMBERED:
            self[code] = replaced
        return replaced


class _Alphabets(dict[str, bool]):
    """Whether marks are removed from a letter: Latin and Greek ones. The й of Cyrillic, or a Hindi vowel, is no и."""

    def __missing__(self, character: str) -> bool:
        loses = unicodedata.name(character, "").startswith(("LATIN", "GREEK"))
        if len(self) < _MOST_REMEMBERED:
            self[character] = loses
        return loses


_CHARACTERS = _Characters()
_LOSES_MARKS = _Alphabets()
# Decomposing makes a space and a mark of an acute accent that stands for an apostrophe, and letters of a trademark
# sign. Nobody types the signs of rights, which say nothing of a title: Batman™ Arkham Asylum.
_BEFORE_DECOMPOSING = {**{ord(one): "'" for one in _APOSTROPHES}, **dict.fromkeys(map(ord, "™℠®©℗"))}


def fold_title(text: str) -> str:
    """The key that titles are sorted and searched by; empty where nothing of the text counts.

    Compatibility-decomposed and case-folded, marks removed from Latin and Greek letters, ё as е. An apostrophe or a dot
    between letters goes, and so do signs of rights (™, ®); other punctuation is a space. The folding is that of no
    language in particular.
    """
    return _until_stable(text, _fold_title)


def fold_name(text: str) -> str:
    """The key by which names that a person gives are the same: case and the amount of white space don't count."""
    return _until_stable(text, _fold_name)


def _until_stable(text: str, fold: Callable[[str], str]) -> str:
    # Almost always once: what is folded may compose, or fold, anew.
    while (folded := fold(text)) != text:
        text = folded
    return folded


def _fold_title(text: str) -> str:
    if not text.isascii():
        text = _without_marks(_form("NFKD", text.translate(_BEFORE_DECOMPOSING)).casefold())
    return " ".join(_joined(text.casefold().translate(_CHARACTERS)).split())


def _fold_name(text: str) -> str:
    return " ".join(_form("NFKC", _form("NFKC", text).casefold()).split())


def _form(form: Form, text: str) -> str:
    return text if text.isascii() else unicodedata.normalize(form, in_canonical_order(text))


def _without_marks(text: str) -> str:
    """The text without the marks that don't count, in NFC."""
    kept: list[str] = []
    letter = ""
    for character in _form("NFKD", text):
        if unicodedata.category(character)[0] != "M":
            letter = character
        elif (letter and _LOSES_MARKS[letter]) or (letter == "е" and character == _DIAERESIS):
            continue
        kept.append(character)
    return _form("NFC", "".join(kept))


def _joined(text: str) -> str:
    """The text with apostrophes and dots gone between letters, and as spaces elsewhere."""

    def replaced(found: re.Match[str]) -> str:
        return "" if _ends_in_letter(text, found.start()) and text[found.end() : found.end() + 1].isalpha() else " "

    return _JOINING.sub(replaced, text)


def _ends_in_letter(text: str, end: int) -> bool:
    """Whether what stands before ``end`` is a letter, with marks of its own or without."""
    while end > 0 and unicodedata.category(text[end - 1])[0] == "M":
        end -= 1
    return end > 0 and text[end - 1].isalpha()


def _is_variation_selector(code: int) -> bool:
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF

"""Keys by which names are compared, sorted and searched, the same on every server.

They are stored beside the names and compared byte by byte, so they do not depend on the locale of a database. Folding a
key again returns the same key.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

from gameshelf.kernel.text import in_canonical_order

Form = Literal["NFC", "NFKC", "NFKD"]

_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\u2032`\u00b4\u055a"
# Between letters these are part of a word: Baldur's, S.T.A.L.K.E.R.
_JOINING = re.compile(r"['.]")
# Punctuation that distinguishes titles: #DRIVE, 100%, Might & Magic. The plus sign is a symbol, which is kept too.
_KEPT = frozenset("#%&'.")
# Signs that Unicode does not list as punctuation, but that people type for a dash.
_DASHES = frozenset("\u2212\u02d7")
# The diaeresis that turns an е into a ё.
_DIAERESIS = "\u0308"


# A bound of the caches below: a hostile search may contain a million code points.
_MOST_REMEMBERED = 4096


class _Characters(dict[int, str]):
    """The replacement of each character before a text is split into words. The first ones are cached."""

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
    """Whether marks are removed from a letter: from Latin and Greek ones. A Cyrillic й is not an и."""

    def __missing__(self, character: str) -> bool:
        loses = unicodedata.name(character, "").startswith(("LATIN", "GREEK"))
        if len(self) < _MOST_REMEMBERED:
            self[character] = loses
        return loses


_CHARACTERS = _Characters()
_LOSES_MARKS = _Alphabets()
# Decomposition would turn an acute accent that stands for an apostrophe into a space and a mark, and a trademark sign
# into letters. People do not type such signs when they search for a title: Batman™ Arkham Asylum.
_BEFORE_DECOMPOSING = {**{ord(one): "'" for one in _APOSTROPHES}, **dict.fromkeys(map(ord, "™℠®©℗"))}


def fold_title(text: str) -> str:
    """Returns the key by which titles are sorted and searched. It is empty where the text has only ignored characters.

    The text is compatibility-decomposed and case-folded; Latin and Greek letters lose their marks, ё becomes е. An
    apostrophe or a dot between letters is removed, and so are signs such as ™ and ®; other punctuation becomes a space.
    The folding is independent of the language.
    """
    return _until_stable(text, _fold_title)


def fold_name(text: str) -> str:
    """Returns the key by which names of a user are compared, without regard to case and the amount of white space."""
    return _until_stable(text, _fold_name)


def _until_stable(text: str, fold: Callable[[str], str]) -> str:
    # Once is almost always enough: a folded text may rarely compose or fold again.
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
    """Returns the text without the ignored marks, in NFC."""
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
    """Removes apostrophes and dots between letters, and replaces others by spaces."""

    def replaced(found: re.Match[str]) -> str:
        return "" if _ends_in_letter(text, found.start()) and text[found.end() : found.end() + 1].isalpha() else " "

    return _JOINING.sub(replaced, text)


def _ends_in_letter(text: str, end: int) -> bool:
    """Returns whether the text before ``end`` ends in a letter, with or without marks."""
    while end > 0 and unicodedata.category(text[end - 1])[0] == "M":
        end -= 1
    return end > 0 and text[end - 1].isalpha()


def _is_variation_selector(code: int) -> bool:
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF

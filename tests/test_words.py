"""No text of the repository uses a word that the glossary's terms have replaced.

The rule is about prose and names alike: comments, docstrings, documents, texts that users read, identifiers, files.
History is left out (changelogs, decisions, the surfaces of releases), and so is what a generator wrote.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = re.compile(
    r"(^|/)CHANGELOG\.md$|^docs/decisions/|_pb2(_grpc)?\.pyi?$|(^|-)lock\.(txt|json)$|/lock\.txt$|/released/"
    r"|^tests/test_words\.py$"
)
# Columns, tables and fields keep the names that the database and other services know; so does an API of Python.
NAMES_THAT_STAY = re.compile(r"\b(cut_)?heard_at\b|\bfile\.tell\(\)")
BETWEEN = r"(?:[ _]|\s*\n[ \t]*(?:#|//|\*|--)?[ \t]*)"


@dataclass(frozen=True)
class Replaced:
    """A word that may not occur, and what to write instead."""

    pattern: re.Pattern[str]
    instead: str
    hints: tuple[str, ...] = ("",)
    """A text without all of these, in lower case, need not be searched."""


def _phrases(text: str, instead: str) -> Replaced:
    """Phrases by themselves or as parts of names, as in ``told``, ``told_by``, ``ToldBy`` and ``was_told``."""
    found, hints = [], []
    for phrase in text.split(", "):
        parts = phrase.split()
        lower, upper = BETWEEN.join(parts), BETWEEN.join(part.upper() for part in parts)
        camel = "".join(part.capitalize() for part in parts)
        found += [rf"(?<![A-Za-z]){lower}(?![a-z])", rf"(?<![A-Za-z]){lower[0].upper()}{lower[1:]}(?![a-z])"]
        found += [rf"{camel}(?![a-z])", rf"(?<![A-Z]){upper}(?![A-Z])"]
        hints += [phrase, camel.lower()]
    return Replaced(re.compile("|".join(found)), instead, tuple(hints))


def _pattern(pattern: str, instead: str) -> Replaced:
    return Replaced(re.compile(pattern), instead)


PER = "call|user|row|day|minute|second|month|page|player|device|product|domain|topic|transaction"
COUNTED = "row|call|round trip|transaction|statement|query|request|lock|file|line|table|topic|message|event|page"
REPLACED = (
    _phrases("told, tell, tells, telling", "notify, report, announce, state, show, distinguish"),
    _phrases("hear, hears, heard, hearing", "receive, be notified"),
    _phrases("word of", "message, report, statement"),
    _pattern("[Dd]oom", "mark for deletion"),
    _phrases("bury, buries, buried", "delete, remove"),
    _phrases("let go, lets go, letting go", "release"),
    _phrases("in vain", "orphaned, without result"),
    _phrases("that is none, which is none, that are none", "invalid, unknown, not one of"),
    _phrases("anew", "again, from scratch"),
    _phrases("whoever", "the caller, anyone who"),
    _pattern("[Rr]eckon", "compute, compare, usage comparison"),
    _phrases("go on, goes on, went on, going on, gone on", "continue, resume, proceed"),
    _pattern(r"\bclass (Ask|Asks|Ask[A-Z]\w*|Near|Bytes|Desk|Wanted\w*|\w*Guard)\b", "a term of the glossary"),
    _pattern(r"\b(asks|parts)\.py\b|\bimport parts\b|\.parts import\b", "a module named after its content"),
    _pattern(r"\bleaves? to upload\b|\.leave\(|\bleave\.[a-z]|\bleave = |\bdef leave\b", "upload, reservation"),
    _pattern(rf"\b(?:a|one|each|two|\d+) (?:{COUNTED})s? a (?:{PER})\b", "per user, per call, per row"),
)


@dataclass(frozen=True)
class Hit:
    """A place that has a replaced word."""

    path: str
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: '{self.word}'; write {self.instead}"


def _hits_of(path: str, text: str) -> Iterator[Hit]:
    text = NAMES_THAT_STAY.sub(lambda found: " " * len(found[0]), text)
    flat = re.sub(BETWEEN, " ", text).lower()
    for replaced in REPLACED:
        if any(hint in flat for hint in replaced.hints):
            for found in replaced.pattern.finditer(text):
                word = re.sub(r"[\s#/*-]+", " ", found[0])
                yield Hit(path, text.count("\n", 0, found.start()) + 1, word, replaced.instead)


def _hits() -> Iterator[Hit]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if LEFT_OUT.search(name) or not (ROOT / name).is_file():
            continue
        yield from _hits_of(name, name)
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, or another binary file
        yield from _hits_of(name, text)


def test_the_patterns_find_words_and_parts_of_names():
    found = (
        "told",
        "told_by",
        "was_told",
        "ToldBy",
        "AsToldBy",
        "Tell me",
        "HEARD",
        "go\n    # on",
        "word of",
        "doomed",
    )
    found += ("let_go", "whoever", "class Near:", "class DeletionGuard(Base):", "import parts", "one row a user")
    assert [text for text in found if not list(_hits_of("a.py", text))] == []
    fine = ("intellect", "shear", "hearth", "ongoing", "tellurium", "go online", "word offset", "buryat", "heard_at")
    fine += ("class Nearest:", "nbytes", "a user owns", "file.tell()", "cargo on", "asks.python")
    assert [text for text in fine if list(_hits_of("a.py", text))] == []


def test_no_text_has_a_word_that_was_replaced():
    assert [str(hit) for hit in _hits()] == []

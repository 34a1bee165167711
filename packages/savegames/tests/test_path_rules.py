"""Paths of files in a set, on plain values, compared with oracles that look at every pair."""

import sys
import unicodedata

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames._paths import MAX_PROBLEMS, fold, problems, wrong_with
from hypothesis import given, settings
from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
# Letters with all kinds of case: two forms, none, one that composes, one that has several code points.
LETTERS = [
    "a",
    "A",
    "b",
    "é",
    "É",
    "e\u0301",
    "ß",
    "ẞ",
    "ſ",
    "σ",
    "ς",
    "İ",
    "J\u030c",
    "ǰ",
    "ᾈ",
    "ᾀ",
    "ё",
    "Ё",
    "\u212a",
]
names = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=3).map("".join)
paths = st.lists(names, min_size=1, max_size=3).map("/".join).map(lambda path: unicodedata.normalize("NFC", path))


@settings(derandomize=True)
@given(texts)
def test_a_key_is_its_own_key_in_nfc_and_keeps_the_parts(text):
    key = fold(text)
    assert fold(key) == key == unicodedata.normalize("NFC", key)
    assert key.count("/") == text.count("/")


@settings(derandomize=True)
@given(texts)
def test_the_form_of_a_text_does_not_change_its_key(text):
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text)) == fold(text)


def test_a_letter_with_case_folds_to_one_that_stays():
    letters = [sign for sign in map(chr, range(sys.maxunicode + 1)) if sign.casefold() != sign]
    assert len(letters) > 1400
    for letter in letters:
        if unicodedata.is_normalized("NFC", letter):
            assert len(fold(letter)) == 1
            assert fold(fold(letter)) == fold(letter)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SAVE/x", "save/X"),
        ("Мир", "мИР"),
        ("Ё", "ё"),
        ("ς", "Σ"),
        ("ſ", "S"),
        ("ẞ", "ß"),
        ("ᾈ", "ᾀ"),
        ("ǅ", "Ǆ"),
        ("\u212b", "å"),
        ("J\u030c", "ǰ"),
        ("Ꭰ", "ꭰ"),
    ],
)
def test_two_spellings_of_one_name(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ß", "ss"), ("İ", "i"), ("ı", "i"), ("ﬁ", "fi"), ("ё", "е"), ("a.", "a"), ("a\u200b", "a")]
)
def test_names_that_differ_for_every_system(one, other):
    assert fold(one) != fold(other)


def test_marks_in_the_worst_order_fold_in_time():
    """``unicodedata`` alone takes time quadratic in a run of marks."""
    run = "a" + "\u0301\u0316" * 20_000
    assert len(fold(run)) == len(unicodedata.normalize("NFC", "a\u0301")) + 40_000 - 1


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("x" * 256, "path_part_too_long"),
        ("/".join(["x" * 255] * 4), None),
        ("/".join(["x" * 255] * 4) + "/x", "path_too_long"),
        ("\U0001f600" * 255, None),
        ("a/con", "path_reserved"),
        ("a/con.d/b", "path_reserved"),
        ("a/con d/b", None),
        ("com¹.txt", "path_reserved"),
        ("COM4", "path_reserved"),
        ("lpt", None),
        ("a\n", "path_control"),
        ("a/b|c", "path_character"),
        (".", "path_part_dots"),
        ("..", "path_part_dots"),
        ("...", "path_end"),
        ("~", None),
        (" a", None),
        ("\u202ea", None),
    ],
)
def test_the_first_rule_that_a_path_breaks(path, rule):
    assert wrong_with(path) == rule


@settings(derandomize=True)
@given(texts)
def test_an_allowed_path_is_relative_and_stays_below_its_folder(path):
    if wrong_with(path) is None:
        parts = path.split("/")
        assert not {"", ".", ".."} & set(parts)
        assert all(part == part.rstrip(". ") for part in parts)


def expected(listed):
    """Looks at every pair."""
    wrong = [(index, wrong_with(path), None) for index, path in enumerate(listed) if wrong_with(path)]
    keys = {}
    taken = []
    for index, path in enumerate(listed):
        if wrong_with(path):
            continue
        if fold(path) in keys:
            taken.append((index, "path_taken", keys[fold(path)]))
        else:
            keys[fold(path)] = index
    folders = []
    for key, index in keys.items():
        below = [other for path, other in keys.items() if path.startswith(key + "/")]
        if below:
            folders.append((index, "path_is_folder", min(below)))
    return wrong + taken + sorted(folders)


@settings(max_examples=sized(30, 150), derandomize=True)
@given(
    st.lists(
        paths | st.sampled_from(["", "a", "a/b/a/b", "a//b", "/a", "a/", "a/b/a", "a/b", "A", "a b", "a.b/c"]),
        max_size=8,
    )
)
def test_problems_of_a_list_are_those_of_its_pairs(listed):
    found = problems(listed, lambda index: f"files/{index}/path", most=1000)
    shown = [(index, rule, None if other is None else f"files/{other}/path") for index, rule, other in expected(listed)]
    assert [(one.pointer, one.rule, one.params.get("other")) for one in found] == [
        (f"files/{index}/path", rule, other) for index, rule, other in shown
    ]


def test_two_forms_of_one_path_are_named_both():
    """Scenario 7: both arrive in NFC."""
    forms = [unicodedata.normalize(form, "saves/é") for form in ("NFC", "NFD")]
    (found,) = problems([unicodedata.normalize("NFC", one) for one in forms], lambda index: f"files/{index}/path")
    assert (found.rule, found.pointer) == ("path_taken", "files/1/path")
    assert found.params == {"other": "files/0/path", "path": "saves/é"}


def test_a_list_has_at_most_so_many_problems():
    assert len(problems(["a"] * 1000, str)) == MAX_PROBLEMS
    assert len(problems(["a:"] * 1000, str)) == MAX_PROBLEMS


def test_deep_paths_cost_no_more_than_their_length():
    """All folders of these paths together have 250 MB of text."""
    deep = ["/".join("a" * 510) + f"/{index}" for index in range(1000)]
    assert problems([*deep, deep[0] + "/x", "a"], str) != []

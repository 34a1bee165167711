"""Text: one normal form, and no misleading characters."""

import sys
import unicodedata
from typing import Annotated

import pytest
from gameshelf.kernel.text import MOST_DECOMPOSED, NORMALISED, Name, normalise
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

name = TypeAdapter(Name)


def test_a_name_is_counted_in_code_points_after_normalisation():
    decomposed = "й" * 100  # й as и + breve: 200 code points before NFC
    assert name.validate_python(unicodedata.normalize("NFD", decomposed)) == decomposed
    with pytest.raises(ValidationError):
        name.validate_python("й" * 101)


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", "a\nb", "x\u202egpj", "\u2066x", "", "   ", "a\x7f", "\u200f"])
def test_a_name_with_a_misleading_character_is_refused(bad):
    with pytest.raises(ValidationError):
        name.validate_python(bad)


@pytest.mark.parametrize("invisible", ["\u200b", "\u00a0\u2003", "\ufeff", "\u2060\u00ad", "\u3164", "\u2800"])
def test_a_name_without_a_visible_character_is_refused(invisible):
    with pytest.raises(ValidationError, match="visible"):
        name.validate_python(invisible)


def test_a_long_name_is_reported_as_a_text_and_not_as_a_list():
    with pytest.raises(ValidationError) as refused:
        name.validate_python("й" * 101)
    assert [(error["type"], error["ctx"]["max_length"]) for error in refused.value.errors()] == [
        ("string_too_long", 100)
    ]
    assert name.json_schema() == {"type": "string", "minLength": 1, "maxLength": 100}


@pytest.mark.parametrize("good", ["Любимые", "日本語", "a b", "👍🏽", "ё", "👩‍👧", "क्‍ष", "\u0378"])
def test_an_ordinary_name_stays_unchanged(good):
    assert name.validate_python(good) == good


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")))
def test_normalising_is_idempotent(text):
    assert normalise(normalise(text)) == normalise(text)


def marks():
    """Returns every character that combines with others, or that begins with another one when it is decomposed."""
    every = [chr(code) for code in range(sys.maxunicode)]
    return [one for one in every if unicodedata.normalize("NFD", one)[0] != one or unicodedata.combining(one)]


MARKS = st.deferred(lambda: st.sampled_from(marks()))


@given(st.lists(MARKS, min_size=65, max_size=200).map("".join), st.sampled_from("aé\u1f82क\u0f40가"))
def test_the_normal_form_of_many_marks_is_that_of_the_unicode_standard(marks, letter):
    for text in (marks, letter + marks, f"{letter}{marks}{letter}{marks[::-1]}"):
        assert normalise(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0f73", "\u0344\u0316", "\u0f81\u0f73"])
def test_marks_reach_unicodedata_in_sorted_order(marks, monkeypatch):
    sorted_by_hand = []
    monkeypatch.setattr(
        "gameshelf.kernel.text.unicodedata.normalize", lambda _, text: sorted_by_hand.append(text) or text
    )
    normalise("a" + marks * 5_000)
    assert sorted_by_hand
    for text in sorted_by_hand:
        decomposed = [unicodedata.combining(one) for one in text[1:]]
        assert 0 not in decomposed
        assert decomposed == sorted(decomposed)


def test_a_text_too_long_for_any_normal_form_is_refused_unread(monkeypatch):
    monkeypatch.setattr("gameshelf.kernel.text.normalise", lambda _: pytest.fail("it was normalised"))
    with pytest.raises(ValidationError) as refused:
        name.validate_python("a" * (MOST_DECOMPOSED * 100 + 1))
    assert [(error["type"], error["ctx"]["max_length"]) for error in refused.value.errors()] == [
        ("string_too_long", 100)
    ]


def test_the_longest_decomposition_has_the_length_of_the_bound():
    lengths = {len(unicodedata.normalize("NFD", chr(code))) for code in range(sys.maxunicode)}
    assert max(lengths) == MOST_DECOMPOSED
    longest = "\u1f82" * 100
    assert name.validate_python(unicodedata.normalize("NFD", longest)) == longest


@pytest.mark.parametrize("unbounded", [Annotated[str, NORMALISED], Annotated[int, Field(le=3), NORMALISED]])
def test_a_text_without_a_bound_can_not_be_declared(unbounded):
    with pytest.raises(TypeError, match="max_length"):
        TypeAdapter(unbounded)

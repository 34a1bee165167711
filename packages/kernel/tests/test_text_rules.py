"""Text: one normal form, nothing that can lie, keys that sort the same everywhere."""

import unicodedata

import pytest
from gameshelf.kernel.text import Name, fold, normalise
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

name = TypeAdapter(Name)


def test_a_name_is_counted_in_code_points_after_normalisation():
    decomposed = "й" * 100  # й as и + breve: 200 code points before NFC
    assert name.validate_python(unicodedata.normalize("NFD", decomposed)) == decomposed
    with pytest.raises(ValidationError):
        name.validate_python("й" * 101)


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800", "a\nb", "x\u202egpj", "\u2066x", "", "   ", "a\x7f", "\u200f"])
def test_a_name_with_a_character_that_can_lie_is_refused(bad):
    with pytest.raises(ValidationError):
        name.validate_python(bad)


@pytest.mark.parametrize("good", ["Любимые", "日本語", "a b", "👍🏽", "ё"])
def test_an_ordinary_name_is_kept_as_it_is(good):
    assert name.validate_python(good) == good


@pytest.mark.parametrize(
    ("one", "other"), [("Ёж", "ЕЖ"), ("STRASSE", "straße"), ("Café", "Cafe\u0301"), ("Й", "и\u0306")]
)
def test_names_that_a_person_takes_for_the_same_fold_to_the_same_key(one, other):
    assert fold(one) == fold(other)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")))
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text)) == normalise(text)

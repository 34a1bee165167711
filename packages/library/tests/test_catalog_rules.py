"""The catalog projection: each field is the last writer's, in whatever order the facts come."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

from gameshelf.library._product_facts import FIELDS, ProductFact, merge
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PRODUCT = uuid4()
EMPTY = dict.fromkeys((*FIELDS, *(f"{name}_at" for name in FIELDS), "sort_key_ru", "sort_key_en"))


def said(hours, **values):
    return ProductFact(PRODUCT, NOW - timedelta(hours=hours), values)


def after(*facts):
    product = EMPTY
    for fact in facts:
        product = merge(product, fact, NOW)
    return product


def test_each_field_keeps_its_newest_value():
    facts = [said(3, title_ru="Старое", is_free_to_play=True), said(2, title_en="Old"), said(1, title_ru="Новое")]
    for order in permutations(facts):
        product = after(*order)
        assert (product["title_ru"], product["title_en"], product["is_free_to_play"]) == ("Новое", "Old", True)


def test_a_title_in_one_language_sorts_for_the_other_too():
    assert after(said(1, title_ru="Ёлка"))["sort_key_en"] == "елка"
    both = after(said(1, title_ru="Ёлка", title_en="Fir"))
    assert (both["sort_key_ru"], both["sort_key_en"]) == ("елка", "fir")


def test_a_fact_from_a_clock_that_runs_ahead_does_not_win_forever():
    ahead = ProductFact(PRODUCT, NOW + timedelta(days=365), {"title_ru": "Из будущего"})
    later = ProductFact(PRODUCT, NOW + timedelta(hours=1), {"title_ru": "Потом"})
    product = merge(merge(EMPTY, ahead, NOW), later, NOW + timedelta(hours=1))
    assert product["title_ru"] == "Потом"


facts = st.lists(
    st.tuples(
        st.integers(0, 1000),
        st.sampled_from(["title_ru", "title_en", "cover_image_url"]),
        st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=3),
    ),
    max_size=6,
    unique_by=lambda fact: (fact[0], fact[1]),
)


@given(facts, st.randoms(use_true_random=False))
def test_any_order_of_the_same_facts_gives_the_same_product(drawn, random):
    shuffled = list(drawn)
    random.shuffle(shuffled)
    as_facts = [[said(hours, **{name: value}) for hours, name, value in order] for order in (drawn, shuffled)]
    assert after(*as_facts[0]) == after(*as_facts[1])

"""The store of answers is bounded, and never mixes users."""

import base64
import json

from gameshelf.client import KeptAnswer, MemoryEtagStore
from gameshelf.client.etags import user_of
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 40)), max_size=60))
def test_number_and_size_have_bounds(puts):
    store = MemoryEtagStore(most=4, most_bytes=100)
    for key, size in puts:
        store.put(str(key), KeptAnswer("e", b"x" * size))
        assert len(store) <= 4
        kept = [store.get(str(one)) for one in range(9)]
        assert store.size == sum(len(one.body) for one in kept if one) <= 100
    if puts:
        key, size = puts[-1]
        assert store.get(str(key)) == KeptAnswer("e", b"x" * size)


def test_what_was_used_last_stays():
    store = MemoryEtagStore(most=2)
    for key in "ab":
        store.put(key, KeptAnswer(key, b""))
    store.get("a")
    store.put("c", KeptAnswer("c", b""))
    assert [store.get(key) is not None for key in "abc"] == [True, False, True]


def test_an_answer_that_is_too_large_takes_the_earlier_one_away():
    store = MemoryEtagStore(most_bytes=10)
    store.put("a", KeptAnswer("1", b"x"))
    store.put("a", KeptAnswer("2", b"x" * 11))
    assert store.get("a") is None
    assert store.size == 0


def token(payload):
    return "e30." + base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=") + ".s"


def test_tokens_of_one_user_are_the_same_user():
    assert user_of(token({"sub": "u1", "exp": 1})) == user_of(token({"sub": "u1", "exp": 2})) == "u1"


@settings(max_examples=30)
@given(st.text(max_size=60))
def test_any_other_token_stands_for_itself(text):
    assert user_of(text) != user_of(text + "x")

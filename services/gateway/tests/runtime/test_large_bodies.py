"""Bodies with lists of thousands of objects: the same results as at once, in steps that others can run between."""

import json
import threading
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID, uuid4

import pytest
from gameshelf.gateway.runtime import large_bodies
from gameshelf.gateway.runtime.errors import MalformedJson, UnsupportedMediaType
from gameshelf.gateway.runtime.http.json_values import values_hash
from gameshelf.gateway.runtime.http.parse import parse_body, parse_large_body
from gameshelf.gateway.runtime.large_bodies import CHUNK, values_hash_in_chunks
from gameshelf.gateway.runtime.problems import MAX_PROBLEMS
from gameshelf.kernel.clock import Moment
from gameshelf.kernel.errors import DomainError, InvalidInput
from gameshelf.kernel.text import NORMALISED
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

JSON = "application/json"
MOST = 2000


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[str, Field(min_length=1, max_length=20), NORMALISED]
    size: int = Field(ge=0)
    at: Moment | None = None


class Listed(BaseModel):
    """Files, or names to remove."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product_id: UUID
    note: str | None = Field(default=None, max_length=5)
    at: Moment | None = None
    files: tuple[Entry, ...] | None = Field(default=None, min_length=1, max_length=MOST)
    remove: tuple[Annotated[str, Field(max_length=20)], ...] = Field(default=(), max_length=MOST)
    few: tuple[int, ...] = Field(default=(), max_length=3)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.files and self.remove:
            raise PydanticCustomError("slot_name", "either files or remove")
        return self


def body(attributes, **beside):
    return json.dumps({"data": {"attributes": attributes, **beside}}).encode()


def result(parse, sent, content_type=JSON, path_id=None):
    try:
        return parse(Listed, content_type, sent, path_id)
    except InvalidInput as error:
        return {(one.rule, one.pointer) for one in error.problems}
    except DomainError as error:
        return type(error)


def files(count):
    return [{"path": f"a/{number}", "size": number} for number in range(count)]


PRODUCT = str(uuid4())
GOOD = {"product_id": PRODUCT, "files": files(3)}
BODIES = {
    "good": body(GOOD),
    "times": body({**GOOD, "at": "2026-01-02T03:04:05Z", "files": [{**files(1)[0], "at": "2026-01-02T03:04:05Z"}]}),
    "many": body({"product_id": PRODUCT, "files": files(2 * CHUNK + 1)}),
    "no lists": body({"product_id": PRODUCT}),
    "an explicit null": body({"product_id": PRODUCT, "files": None}),
    "as many as allowed": body({"product_id": PRODUCT, "remove": ["x"] * MOST}),
    "too many": body({"product_id": PRODUCT, "remove": ["x"] * (MOST + 1)}),
    "an empty list": body({"product_id": PRODUCT, "files": []}),
    "a bad field beside": body({**GOOD, "note": "too long", "unknown": 1}),
    "a bad file far behind": body({"product_id": PRODUCT, "files": [*files(CHUNK + 7), {"path": "", "size": -1}]}),
    "an unknown field of a file": body({"product_id": PRODUCT, "files": [{"path": "a", "size": 1, "x": [1]}]}),
    "bad fields and bad files": body({"files": [{"path": 1, "size": "1"}], "remove": [1], "few": [1, 2, "3"]}),
    "too many of few": body({**GOOD, "few": [1, 2, 3, 4]}),
    "no list": body({"product_id": PRODUCT, "files": 5, "remove": {}}),
    "no product": body({"files": files(1)}),
    "both lists": body({**GOOD, "remove": ["x"]}),
    "a number with a point": body({"product_id": PRODUCT, "files": [{"path": "a", "size": 1.0}]}),
    "decomposed": body({"product_id": PRODUCT, "files": [{"path": "e\u0301", "size": 1}]}),
    "attributes that are no object": b'{"data": {"attributes": []}}',
    "no attributes": b'{"data": {}}',
    "no data": b"{}",
    "a list": b"[]",
    "nothing": b"",
    "no json": b"{",
    "half a pair": b'{"data": {"attributes": {"note": "\\ud800"}}}',
    "deep": b'{"data": {"attributes": {"note": ' + b"[" * 5000 + b"]" * 5000 + b"}}}",
    "far too many values": body({"product_id": PRODUCT, "note": [[]] * 200_000}),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_means_the_same_in_chunks(name):
    assert result(parse_large_body, BODIES[name]) == result(parse_body, BODIES[name])


@pytest.mark.parametrize("levels", [300, 900])
def test_levels_that_only_the_encoder_refuses_are_refused(levels):
    deep = b"[" * levels + b"]" * levels
    for place in (b'{"data": {"attributes": {"note": %s}}}', b'{"data": {"attributes": {"files": [%s]}}}'):
        assert result(parse_large_body, place % deep) == {("too_deep", "/data")}
        assert values_hash_in_chunks(place % deep)


def test_what_was_said_is_known_as_in_a_small_body():
    sent = body({"product_id": PRODUCT, "files": files(1), "note": None})
    assert parse_large_body(Listed, JSON, sent).model_fields_set == parse_body(Listed, JSON, sent).model_fields_set
    assert isinstance(parse_large_body(Listed, JSON, BODIES["times"]).files[0].at, datetime)


def test_the_type_and_the_id_are_checked():
    own = str(uuid4())
    assert result(parse_large_body, body(GOOD, id=own.upper()), path_id=own).product_id == UUID(PRODUCT)
    assert result(parse_large_body, body(GOOD, id="x"), path_id=own) == {("id_mismatch", "/data/id")}
    assert result(parse_large_body, body(GOOD), "text/plain") is UnsupportedMediaType
    assert result(parse_large_body, b"{") is MalformedJson


def test_thousands_of_bad_files_are_refused_after_the_first_chunks(monkeypatch):
    seen = []
    entries_of = large_bodies.entries_of
    monkeypatch.setattr(large_bodies, "entries_of", lambda error: seen.append(1) or entries_of(error))
    with pytest.raises(InvalidInput) as error:
        parse_large_body(Listed, JSON, body({"product_id": PRODUCT, "files": [{"path": "", "size": 1}] * MOST}))
    assert (len(error.value.problems), len(seen)) == (MAX_PROBLEMS, 1)


def test_the_problems_of_a_long_body_are_bounded_in_number():
    sent = body({"product_id": PRODUCT, "files": [{"path": "", "size": -1, "at": 0, "x": 1}] * MOST})
    assert len(result(parse_large_body, sent)) == MAX_PROBLEMS


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, width=16) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(one=VALUES, other=VALUES)
def test_values_are_the_same_in_chunks_if_they_are_at_once(one, other):
    bodies = [json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") for value in (one, other)]
    if None in map(values_hash_in_chunks, bodies):
        return  # half of a surrogate pair
    is_same = values_hash(bodies[0]) == values_hash(bodies[1])
    assert (values_hash_in_chunks(bodies[0]) == values_hash_in_chunks(bodies[1])) == is_same


def test_a_body_of_too_many_values_is_hashed_without_being_parsed(monkeypatch):
    sent = body({"files": [[]] * 200_000})
    monkeypatch.setattr(large_bodies.orjson, "loads", None)
    assert values_hash_in_chunks(sent) != values_hash_in_chunks(sent + b" ")


def test_long_lists_are_compared_value_by_value():
    def values(files, **beside):
        return values_hash_in_chunks(json.dumps({"data": {"attributes": {"files": files, **beside}}}).encode())

    many = files(1000)
    again = [dict(reversed(one.items())) for one in many]
    assert values(many, a=1, b=2) == values(again, b=2.0, a=1)
    assert values(many) != values(many[::-1])
    assert values(many) != values([*many[:-1], {**many[-1], "size": 1}])
    assert values(many) != values(many, few=[])
    assert values_hash_in_chunks(b"") != values_hash_in_chunks(b"{}")
    assert values_hash_in_chunks(b"{") is values_hash_in_chunks(b"NaN") is None


def test_others_run_between_the_chunks_of_a_body(monkeypatch):
    """One call never sees more than a chunk, so a thread that waits for the interpreter gets it between them."""
    lists = large_bodies._lists_of(Listed).elements
    seen = []
    validate = large_bodies.orjson.dumps
    monkeypatch.setattr(large_bodies.orjson, "dumps", lambda value, **more: seen.append(len(value)) or validate(value))
    thread = threading.Thread(target=parse_large_body, args=(Listed, JSON, BODIES["as many as allowed"]))
    thread.start()
    thread.join()
    assert set(lists) == {"files", "remove"}
    assert (max(seen), sum(seen)) == (CHUNK, MOST + 1)

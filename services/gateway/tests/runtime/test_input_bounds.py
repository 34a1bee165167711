"""All input is bounded where it is declared, so that nothing reads or normalises more than a field may hold."""

import importlib
import json
import pkgutil

import gameshelf  # pants: no-infer-dep
import pytest
from gameshelf.gateway.domains.library.consumed import OrderData
from gameshelf.gateway.domains.settings.conditions import precondition
from gameshelf.gateway.runtime.http.conditions import is_match
from gameshelf.gateway.runtime.http.parse import PageQuery, _remembered, parse_body, parse_query
from gameshelf.gateway.runtime.kafka.incoming import Malformed, parse_data, parse_envelope
from gameshelf.gateway.runtime.problems import MAX_PROBLEMS
from gameshelf.gateway.wiring import ROUTES
from gameshelf.kernel.errors import MAX_ECHO, InvalidInput
from gameshelf.library import NewCategory, NewLink
from gameshelf.settings import LayerPrecondition
from pydantic import BaseModel

# Where commands, queries and consumed events are declared. Other models describe our own tables and files.
_INPUTS = ("commands", "set_commands", "incoming", "http", "rest", "changes", "consumed", "fields")
_BOUNDED_FORMATS = {"uuid", "date", "date-time", "zoneinfo"}


def is_of_inputs(module):
    return not {part.lstrip("_") for part in module.split(".")}.isdisjoint(_INPUTS)


def input_models():
    for module in pkgutil.walk_packages(gameshelf.__path__, "gameshelf."):
        if module.name.startswith(("gameshelf.libctl", "gameshelf.devstack", "gameshelf.protos")):
            continue
        if is_of_inputs(module.name):
            importlib.import_module(module.name)
    waiting, found = [BaseModel], set()
    while waiting:
        for model in waiting.pop().__subclasses__():
            waiting.append(model)
            is_ours = model.__module__.startswith("gameshelf.") and "libctl" not in model.__module__
            if is_ours and is_of_inputs(model.__module__) and "[" not in model.__name__:
                found.add(model)
    return sorted(found, key=lambda model: (model.__module__, model.__name__))


def unbounded(schema, path=""):
    if isinstance(schema, list):
        return [found for at, part in enumerate(schema) for found in unbounded(part, f"{path}/{at}")]
    if not isinstance(schema, dict):
        return []
    is_text = schema.get("type") == "string" and schema.get("format") not in _BOUNDED_FORMATS
    is_list = schema.get("type") == "array"
    here = (is_text and not schema.keys() & {"maxLength", "enum", "const"}) or (is_list and "maxItems" not in schema)
    return [path] * here + [found for name, part in schema.items() for found in unbounded(part, f"{path}/{name}")]


@pytest.mark.parametrize("model", input_models(), ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_text_and_every_list_that_comes_in_has_a_bound(model):
    if not model.__pydantic_generic_metadata__["parameters"]:
        assert not unbounded(model.model_json_schema())


def test_the_models_of_inputs_are_found():
    names = {model.__name__ for model in input_models()}
    assert {"NewCategory", "NewUpload", "NewWish", "OrderData", "ProductChange", "FeedQuery", "Incoming"} <= names


def body(**attributes):
    return json.dumps({"data": {"attributes": attributes}}).encode()


def refused(model, sent):
    with pytest.raises(InvalidInput) as error:
        parse_body(model, "application/json", sent)
    return error.value.problems


def test_the_name_of_an_unknown_field_is_cut_in_the_answer():
    problems = refused(NewCategory, body(name="a", **{"x" * 200_000: 1, "\u0301\u0316" * 10_000: 1}))
    assert len(problems) == 2
    for problem in problems:
        assert problem.pointer.startswith("/data/attributes/")
        assert len(problem.pointer) <= len("/data/attributes/") + MAX_ECHO


def test_the_name_of_an_unknown_parameter_is_cut_in_the_answer():
    with pytest.raises(InvalidInput) as error:
        parse_query(PageQuery, b"x" * 16_000 + b"=1")
    assert len(error.value.problems[0].parameter) == MAX_ECHO


def test_an_answer_names_a_bounded_number_of_problems():
    assert len(refused(NewCategory, body(**{f"x{n}": 1 for n in range(200)}))) == MAX_PROBLEMS
    with pytest.raises(InvalidInput) as error:
        parse_query(PageQuery, b"&".join(b"x%d=1" % n for n in range(100)))
    assert len(error.value.problems) == MAX_PROBLEMS


def test_thousands_of_problems_are_one():
    assert [problem.rule for problem in refused(NewCategory, body(**{f"x{n}": 1 for n in range(1_005)}))] == [
        "too_many_problems"
    ]


_WRONG = (None, 5, -5, "x", "", [], ["x"], [[]], [{}], [5], {}, True, 1.5, "x" * 5_000, "2026-01-01", 10**30)


@pytest.mark.parametrize("model", sorted({route.body for route in ROUTES if route.body}, key=repr))
def test_one_bad_field_is_one_problem(model):
    def problems(sent):
        try:
            parse_body(model, "application/json", body(**sent))
        except InvalidInput as error:
            return {one.pointer for one in error.problems}, len(error.problems)
        return set(), 0

    for name in model.model_fields:
        for value in _WRONG:
            places, count = problems({name: value})
            assert count == len(places), (name, value)
            inside = {place for place in places if place.startswith(f"/data/attributes/{name}/")}
            assert not inside or f"/data/attributes/{name}" not in places, (name, value)


@pytest.mark.parametrize("model", sorted({route.query for route in ROUTES if route.query}, key=repr))
def test_one_bad_parameter_is_one_problem(model):
    for name in model.model_fields:
        for text in ("x", "x,y", "-1", "true", "9" * 30, "5,x,5"):
            try:
                parse_query(model, f"{name}={text}".encode())
            except InvalidInput as error:
                assert [one.parameter for one in error.problems] == [name], text  # noqa: PT017


def test_a_list_is_measured_before_its_elements_are_read(monkeypatch):
    sent = body(shared_with_user_id="x", product_ids=["x"] * 5_000)
    assert [(one.rule, one.pointer) for one in refused(NewLink, sent)] == [("too_long", "/data/attributes/product_ids")]
    nested = body(shared_with_user_id=[[[1, 2]], {"a": [0] * 5_000}])
    assert [one.pointer for one in refused(NewLink, nested)] == ["/data/attributes/shared_with_user_id/1/a"]


def test_long_queries_are_not_remembered():
    before = _remembered.cache_info().currsize
    parse_query(PageQuery, b"page=1&limit=" + b"0" * 600 + b"7")
    assert _remembered.cache_info().currsize == before


def test_of_long_lists_of_tags_the_beginning_is_read():
    tags = ", ".join(f'"a{number}"' for number in range(10_000))
    assert not is_match(tags, '"a9999"')
    assert precondition(tags, None).holds(None, 17)
    assert not precondition(tags, None).holds(None, 9_999)
    assert precondition(None, "*") == LayerPrecondition(is_absent=True)


def test_an_event_with_thousands_of_mistakes_is_described_in_few_words():
    with pytest.raises(Malformed) as error:
        parse_data(OrderData, {"userId": "x", "orderId": "o", "items": [{}] * 20_000})
    assert len(str(error.value)) < 200


def test_a_list_of_an_event_is_measured_before_its_elements_are_read(monkeypatch):
    monkeypatch.setattr(OrderData, "model_validate", None)
    with pytest.raises(Malformed, match="items: at most 2000"):
        parse_data(OrderData, {"userId": "x", "orderId": "o", "items": [1] * 500_000})


@pytest.mark.parametrize("traceparent", [7, "x" * 5_000, None])
def test_an_invalid_traceparent_does_not_keep_an_event_back(traceparent):
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "traceparent": traceparent}
    assert parse_envelope(json.dumps(event).encode()).traceparent is None

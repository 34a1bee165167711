"""A request costs less than 50 ms of CPU before it is refused, whatever its body contains (contract in detail,
section 3).

Parsing is what costs, so it is measured by itself, in CPU time of this thread, and compared with the time that a plain
document takes at the same moment: other programs on the machine make both longer. What was quadratic, or looked at half
a million values in Python, is far beyond it. That the expensive steps are not reached is asserted without a clock.
"""

import gc
import json
import time
from contextlib import suppress
from functools import partial

import pytest
from gameshelf.devstack.cpu_floor import cpu_floor
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.gateway.domains.settings.grpc import _payload
from gameshelf.gateway.runtime import problems
from gameshelf.gateway.runtime.http.parse import PageQuery, parse_body, parse_query
from gameshelf.gateway.wiring import ROUTES
from gameshelf.kernel.errors import DomainError, InvalidInput
from gameshelf.library import ItemFilter, NewCategory
from gameshelf.settings import MAX_VALUES, NewSettings
from gameshelf.wishlist import Order

FLOORS = 60
"""A floor is some 4 ms on an idle core of today."""
TRIES = 20
# Bodies with long lists are parsed in steps beside the event loop: test_large_bodies.py.
BODIES = {route.body: route for route in ROUTES if route.body and not route.has_long_lists}
CHOSEN = ("NewCategory", "Order", "ImportSessions", "NewSettings", "NewUpload")


def repeated(part, size, opens=b"[", closes=b"]"):
    return opens + b",".join([part] * (size // (len(part) + 1))) + closes


def numbered(form, size):
    return b"{" + b",".join(form % number for number in range(size // len(form % 99_999))) + b"}"


SHAPES = {
    "lists": lambda size: repeated(b"[]", size),
    "objects": lambda size: repeated(b"{}", size),
    "whole numbers": lambda size: repeated(b"1", size),
    "nulls": lambda size: repeated(b"null", size),
    "strings": lambda size: repeated(b'""', size),
    "numbers with exponents": lambda size: repeated(b"1e9", size),
    "numbers of 25 digits": lambda size: repeated(b"9" * 25, size),
    "numbers of 4,300 digits": lambda size: repeated(b"9" * 4300, size),
    "a number of all digits": lambda size: b"9" * size,
    "fractions of 700 digits": lambda size: repeated(b"0." + b"9" * 700, size),
    "a fraction of all digits": lambda size: b"1." + b"9" * size,
    "keys": lambda size: numbered(b'"%d":1', size),
    "keys of lists": lambda size: numbered(b'"%d":[]', size),
    "keys with escapes": lambda size: numbered(b'"\\n%d":1', size),
    "one key again and again": lambda size: repeated(b'"a":{}', size, b"{", b"}"),
    "escapes": lambda size: b'"' + b"\\n" * (size // 2) + b'"',
    "escaped pairs of surrogates": lambda size: b'"' + b"\\ud83d\\ude00" * (size // 12) + b'"',
    "levels": lambda size: b"[" * size,
    "levels of objects": lambda size: b'{"a":' * (size // 5),
    "lists of many levels": lambda size: repeated(b"[" * 180 + b"]" * 180, size),
    "objects of some levels": lambda size: repeated(b'{"a":' * 25 + b"1" + b"}" * 25, size),
    "one text": lambda size: b'"' + "é".encode() * (size // 2) + b'"',
    "marks": lambda size: b'"a' + "\u0301\u0316".encode() * (size // 4) + b'"',
    "separators in a text": lambda size: b'"' + b"," * size + b'"',
    "white space": lambda size: b" " * size + b"1",
    "ids": lambda size: numbered(b'"%032x":1', size).replace(b":1", b"").replace(b"{", b"[").replace(b"}", b"]"),
    "no end": lambda size: repeated(b"[]", size, closes=b""),
}


@pytest.fixture(autouse=True)
def no_collector():
    """What collecting costs grows with all that the tests before have left; the service freezes what it has."""
    gc.disable()
    yield
    gc.enable()


def cpu_seconds(ask):
    before = time.thread_time()
    with suppress(DomainError):
        ask()
    return time.thread_time() - before


def is_cheap(ask, tries=TRIES):
    """Compares the least of several times with the least of the floor beside: other programs spent the rest."""
    least = floor = float("inf")
    for _ in range(tries):
        floor, least = min(floor, cpu_floor()), min(least, cpu_seconds(ask))
        if least < FLOORS * floor:
            return True
    return False


def test_what_takes_the_square_of_the_size_is_not_cheap():
    keys = [str(number) for number in range(12_000)]
    assert is_cheap(lambda: [key for key in keys if key in {*keys[:100]}])
    assert not is_cheap(lambda: [key for at, key in enumerate(keys) if key in keys[:at]], 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_parsing_a_body_of_any_shape_is_cheap(shape):
    for model, route in BODIES.items():
        if not sized(0, 1) and model.__name__ not in CHOSEN:
            continue
        value = SHAPES[shape]((2**20 if route.takes_large else 2**18) - 300)
        places = [b'{"data":{"attributes":%s}}', b'{"data":{"attributes":{},"id":%s}}']
        places += [b'{"data":{"attributes":{"%s":%%s}}}' % name.encode() for name in model.model_fields]
        for place in places if sized(0, 1) else places[:3]:
            sent = place % value
            asked = partial(parse_body, model, "application/json", sent)
            assert is_cheap(asked), (model.__name__, place[:40])


def body(value):
    return json.dumps({"data": {"attributes": value}}).encode()


def rules_of(ask):
    with pytest.raises(InvalidInput) as error:
        ask()
    return [
        (problem.rule, problem.pointer if problem.pointer is not None else problem.parameter)
        for problem in error.value.problems
    ]


@pytest.fixture
def not_reached(monkeypatch):
    def fail(*_):
        raise AssertionError("it is to be refused before")

    return lambda module, name: monkeypatch.setattr(module, name, fail)


def test_far_too_many_values_are_refused_without_being_parsed(not_reached):
    not_reached(problems, "from_json")
    for model, sent in ((NewCategory, body({"name": [[]] * 60_000})), (NewSettings, body({"a": [[]] * 200_000}))):
        assert rules_of(lambda model=model, sent=sent: parse_body(model, "application/json", sent)) == [
            ("too_many_values", problems.WHOLE_BODY)
        ]


def test_too_many_values_are_refused_before_the_model_looks_at_them(not_reached):
    sent = body({f"unknown{number}": 1 for number in range(1500)})
    not_reached(NewCategory, "model_validate_json")
    assert rules_of(lambda: parse_body(NewCategory, "application/json", sent)) == [
        ("too_many_values", problems.WHOLE_BODY)
    ]


def test_separators_in_texts_are_no_values():
    text = "[,{" * 20_000
    assert parse_body(NewSettings, "application/json", body({"settings_payload": {"a": text}}))
    assert rules_of(lambda: parse_body(NewCategory, "application/json", body({"name": text[:3_900]}))) == [
        ("string_too_long", "/data/attributes/name")
    ]


def test_as_many_values_as_are_allowed_are_taken_everywhere():
    payload = {"a": [[]] * (MAX_VALUES - 1)}
    taken = parse_body(NewSettings, "application/json", body({"settings_payload": payload}))
    assert taken.settings_payload == payload == _payload(json.dumps(payload))
    ids = [f"{number:032x}" for number in range(10_000)]
    assert len(parse_body(Order, "application/json", body({"item_ids": ids})).item_ids) == 10_000
    assert rules_of(lambda: _payload(json.dumps({"a": [[]] * 200_000}))) == [("too_many_values", "settings_payload")]


def test_unchanged_fields_that_a_client_sends_back_are_accepted():
    resource = {"attributes": {"name": "RPG"}, "relationships": {"items": {"data": [{"type": "x", "id": "y"}] * 250}}}
    sent = json.dumps({"data": resource, "meta": {"a": [1] * 100}}).encode()
    assert parse_body(NewCategory, "application/json", sent).name == "RPG"


def test_parameters_and_list_elements_are_counted_before_parsing():
    assert rules_of(lambda: parse_query(ItemFilter, b"status=" + b"a," * 8_000)) == [("too_long", "status")]
    assert rules_of(lambda: parse_query(PageQuery, b"x=1&" * 4_000)) == [("too_many_parameters", None)]

"""Payloads, the merge of layers and merge patches, on plain values."""

import json

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.settings import LayerKind, LayerPrecondition, parse_tag
from gameshelf.settings._rules import as_text, checked, from_text, is_same, merged, patched, size
from hypothesis import given
from hypothesis import strategies as st

keys = st.text(alphabet="abcéё/~", min_size=1, max_size=4)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), keys
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
payloads = st.dictionaries(keys, values, max_size=4)


def deep(levels, wrap):
    value = 1
    for _ in range(levels):
        value = wrap(value)
    return value


def problem_of(payload):
    with pytest.raises(InvalidInput) as error:
        checked(payload)
    [problem] = error.value.problems
    return problem.rule, problem.pointer.removeprefix("settings_payload")


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"a": {"b": [1, float("inf")]}}, ("finite_number", "/a/b/1")),
        ({"a": float("nan")}, ("finite_number", "/a")),
        ({"a": 2**64}, ("integer_too_large", "/a")),
        ({"a": -(2**63) - 1}, ("integer_too_large", "/a")),
        ({"a": "x\0"}, ("text_forbidden_character", "/a")),
        ({"\ud800": 1}, ("text_forbidden_character", "/?")),
        ({"a/b~": "\ud800"}, ("text_forbidden_character", "/a~1b~0")),
    ],
)
def test_an_invalid_value_is_refused_with_its_place(payload, problem):
    assert problem_of(payload) == problem


@pytest.mark.parametrize("wrap", [lambda value: {"a": value}, lambda value: [value]])
def test_levels_are_counted_with_the_payload_as_the_first(wrap):
    assert checked({"a": deep(31, wrap)})
    rule, pointer = problem_of({"a": deep(32, wrap)})
    assert rule == "too_deep"
    assert pointer.count("/") == 32


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (1e16, 10**16),
        (-1e18, -(10**18)),
        (2.0**63, 2**63),
        (2.0**64, 2.0**64),
        (1e15, 1e15),
        (0.1, 0.1),
    ],
)
def test_a_number_is_what_it_will_be_when_it_is_read_again(sent, kept):
    found = checked({"a": sent})
    assert (found, type(found["a"])) == ({"a": kept}, type(kept))


def test_zero_has_no_sign():
    assert as_text(checked({"a": -0.0})) == '{"a":0.0}'


def test_text_is_kept_code_point_by_code_point_in_keys_and_values():
    sent = {"e\u0301": ["e\u0301", "\u0301\u0316" * 5_000], "é": "\ufb01"}
    assert as_text(checked(sent)) == as_text(sent)


@given(payloads)
def test_what_is_stored_comes_back(payload):
    assert is_same(from_text(as_text(payload)), payload)


def test_a_number_that_postgresql_writes_out_is_a_float_again():
    assert from_text('{"a": 1%s, "b": 18446744073709551615}' % ("0" * 30)) == {"a": 1e30, "b": 2**64 - 1}


def test_equal_for_python_is_not_the_same():
    assert is_same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not is_same({"a": 1}, {"a": True})
    assert not is_same({"a": 1}, None)


def test_numbers_count_as_they_are_stored():
    assert size({"a": "ё"}) == len('{"a":"ё"}'.encode())
    assert size({"a": [1e300, -1e-300]}) > 600


# The table of RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
        ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
        ('{"a":"b"}', '{"a":null}', "{}"),
        ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
        ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
        ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
        ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
        ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
        ('["a","b"]', '["c","d"]', '["c","d"]'),
        ('{"a":"b"}', '["c"]', '["c"]'),
        ('{"a":"foo"}', "null", "null"),
        ('{"a":"foo"}', '"bar"', '"bar"'),
        ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
        ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
        ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
    ],
)
def test_a_merge_patch_does_what_the_rfc_says(target, patch, result):
    assert patched(json.loads(target), json.loads(patch)) == json.loads(result)


def test_later_layers_lie_on_top_and_each_key_has_its_layer():
    payload, origins = merged(
        {
            "account": {"graphics": {"quality": "high", "vsync": True}, "volume": 5, "keys": [1, 2]},
            "platform": {"graphics": {"quality": "low"}, "keys": [3]},
            "device": {"graphics": {"vsync": None}, "dpi": 800},
        }
    )
    assert payload == {"graphics": {"quality": "low", "vsync": None}, "volume": 5, "keys": [3], "dpi": 800}
    assert origins == {
        "graphics": {"quality": "platform", "vsync": "device"},
        "volume": "account",
        "keys": "platform",
        "dpi": "device",
    }


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
        if not value:
            yield path, value
    else:
        yield path, value


def origin_of(origins, path):
    for step in path:
        if isinstance(origins, str):
            return origins
        origins = origins[step]
    return origins


@given(payloads, payloads, payloads)
def test_every_key_has_the_value_of_its_layer(account, platform, device):
    layers = {"account": account, "platform": platform, "device": device}
    payload, origins = merged(layers)
    for path, value in leaves(payload):
        name = origin_of(origins, path)
        if isinstance(name, str):
            found = layers[name]
            for step in path:
                found = found[step]
            assert is_same({"": found}, {"": value})
        else:
            assert not value  # empty in every layer that has it


@given(payloads)
def test_a_layer_alone_is_the_whole(payload):
    assert merged({"account": payload}) == (payload, dict.fromkeys(payload, "account"))
    assert merged({"account": payload, "device": {}})[0] == payload


def test_a_precondition_is_about_the_layer_that_is_written():
    read = LayerPrecondition(frozenset({parse_tag("a3.d9"), parse_tag("a4")}))
    assert [read.holds(None, revision) for revision in (3, 4, 9, 0)] == [True, True, False, False]
    assert [read.holds(LayerKind.DEVICE, revision) for revision in (9, 3, 0)] == [True, False, False]
    assert not read.holds(LayerKind.PLATFORM, 3)
    absent = LayerPrecondition(frozenset({parse_tag("a0")}))
    assert (absent.holds(None, 0), absent.holds(None, 1)) == (True, False)
    assert (LayerPrecondition().holds(None, 7), LayerPrecondition().holds(None, 0)) == (True, False)
    assert (LayerPrecondition(is_absent=True).holds(None, 0), LayerPrecondition(is_absent=True).holds(None, 1)) == (
        True,
        False,
    )


@pytest.mark.parametrize("tag", ["a1", "a1.p2.d3", "a0.d12", "p4"])
def test_a_tag_is_read_as_it_was_written(tag):
    assert parse_tag(tag).tag == tag


@pytest.mark.parametrize("tag", ["", "7", "a", "a1.", "a1d2", ".p1", "d1.a2", "a01", "a-1", "a1.x2", f"a{'2' * 5000}"])
def test_what_is_no_tag_of_settings_is_none(tag):
    assert parse_tag(tag) is None

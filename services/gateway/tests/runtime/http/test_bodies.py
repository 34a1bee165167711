"""Bodies as clients send them: the same values written otherwise, and bodies for calls that need none."""

import json
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.gateway.runtime.http.json_values import values_hash
from gameshelf.gateway.runtime.http.parse import require_no_input
from gameshelf.gateway.runtime.http.reply import BASE
from gameshelf.gateway.runtime.problems import WHOLE_BODY
from gameshelf.gateway.wiring import ROUTES
from gameshelf.kernel.errors import DomainError, InvalidInput

JSON = {"Content-Type": "application/json"}
SAME = [
    ('{"a": 1, "b": [1, 2]}', '{ "b":[1,2],\n"a":1 }'),
    ('{"a": 1}', '{"a": 1.0}'),
    ('{"a": 100}', '{"a": 1e2}'),
    ('{"a": 0}', '{"a": -0.0}'),
    ('{"a": 0.1}', '{"a": 0.10}'),
    ('{"a": 9007199254740993}', '{"a": 9007199254740993.0}'),
    ('{"a": "\\u0451"}', '{"a": "ё"}'),
    ('{"a": 1e400}', '{"a": 1e400}'),
    ('{"a": 1, "a": 2}', '{"a": 2}'),
]
OTHER = [
    ('{"a": [1, 2]}', '{"a": [2, 1]}'),
    ('{"a": 1}', '{"a": "1"}'),
    ('{"a": 1}', '{"a": true}'),
    ('{"a": null}', "{}"),
    ('{"a": 9007199254740993.0}', '{"a": 9007199254740992.0}'),
    ('{"a": "\u0451"}', '{"a": "\u0435\u0308"}'),
    ('{"a": 9007199254740993.5}', '{"a": 9007199254740993}'),
    ("", "{}"),
    ('{"a": 1.5}', '{"a": 1.25}'),
    ('{"a": 1e-400}', '{"a": 1e-5}'),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_bodies_of_the_same_values_are_the_same(one, other):
    assert values_hash(one.encode()) == values_hash(other.encode()) is not None


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_bodies_of_other_values_are_not(one, other):
    assert values_hash(one.encode()) != values_hash(other.encode())


@pytest.mark.parametrize(
    "body", ["{", "[" * 50_000 + "]" * 50_000, "NaN", "Infinity", "\xff", '{"a": 1' + "0" * 5_000 + "}"]
)
def test_what_is_no_json_has_no_values(body):
    assert values_hash(body.encode("latin-1")) is None


async def create(player, body, key):
    return await player.http.post("/categories", content=body, headers={**JSON, "Idempotency-Key": key})


async def test_a_repeated_key_knows_its_body_by_its_values(player):
    first = await create(player, '{"data": {"attributes": {"name": "A", "display_order": 1}}}', "k")
    again = await create(player, '{"data":{"attributes":{"display_order":1,"name":"\\u0041"}}}', "k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    other = await create(player, '{"data": {"attributes": {"name": "A", "display_order": 2}}}', "k")
    assert other.json()["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_key_that_the_release_before_has_written_is_known_by_the_bytes(player, platform):
    body = '{"data": {"attributes": {"name": "A"}}}'
    first = await create(player, body, "k")
    connection = await asyncpg.connect(platform.dsn)
    forget = "UPDATE gateway.idempotency_keys SET values_hash = NULL WHERE user_id = $1"
    await connection.execute(forget, player.id)
    await connection.close()
    assert (await create(player, body, "k")).content == first.content
    assert (await create(player, body + " ", "k")).status_code == 409


async def test_a_refusal_of_validation_is_kept(player):
    bad = '{"data": {"attributes": {"name": "", "display_order": "x"}}}'
    first = await create(player, bad, "k")
    assert (first.status_code, len(first.json()["errors"])) == (400, 2)
    again = await create(player, bad, "k")
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    good = '{"data": {"attributes": {"name": "A"}}}'
    assert (await create(player, good, "k")).json()["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (await create(player, good, "another")).status_code == 201


async def test_the_answer_to_what_is_no_json_is_not_kept(player):
    assert (await create(player, "{", "k")).json()["errors"][0]["code"] == "MALFORMED_JSON"
    assert (await create(player, '{"data": {"attributes": {"name": "A"}}}', "k")).status_code == 201


async def test_a_refusal_of_validation_is_kept_where_work_is_done_before(player):
    key = {"Idempotency-Key": "k"}
    first = await player.post("/savegames/confirm-upload", {"internal_save_id": "x"}, **key)
    again = await player.post("/savegames/confirm-upload", {"internal_save_id": "x"}, **key)
    assert (first.status_code, again.content, again.headers["Idempotency-Replayed"]) == (400, first.content, "true")


ID = "0b1e1e64-e9cb-4b39-a326-4689a6662002"
NOTHING = [
    "",
    "{}",
    '{"data": {}}',
    '{"data": null}',
    '{"data": {"type": "x", "attributes": {}}}',
    f'{{"data": {{"id": "{ID.upper()}"}}}}',
    '{"meta": {}}',
]
SOMETHING = {
    "{": None,
    "null": WHOLE_BODY,
    "[]": WHOLE_BODY,
    '"x"': WHOLE_BODY,
    '{"data": []}': "/data",
    '{"data": {"id": "x"}}': "/data/id",
    '{"data": {"id": "6963b19a-df3e-4cfe-bc5f-1e77333324c1"}}': "/data/id",
    '{"data": {"attributes": {"product_id": 1}}}': "/data/attributes/product_id",
    '{"data": {"attributes": []}}': "/data/attributes",
    '{"product_id": 1}': "/product_id",
}


@pytest.mark.parametrize("body", NOTHING)
def test_a_body_may_say_nothing(body):
    require_no_input("application/json", body.encode(), ID)


@pytest.mark.parametrize("body", SOMETHING)
def test_a_body_for_a_call_that_needs_none_says_nothing(body):
    with pytest.raises(DomainError) as error:
        require_no_input("application/json", body.encode(), ID)
    found = [one.pointer for one in error.value.problems] if isinstance(error.value, InvalidInput) else [None]
    assert found == [SOMETHING[body]]


CALLS = [route for route in ROUTES if route.method != "GET" and route.body is None]


@pytest.mark.parametrize("route", CALLS, ids=lambda route: f"{route.method} {route.path}")
async def test_every_call_that_needs_no_body_checks_the_one_that_it_gets(player, route):
    path = route.template.removeprefix(BASE)
    for name in route.ids:
        path = path.replace(f"{{{name}}}", "1" if name in route.numbers else str(uuid4()))
    broken = await player.http.request(route.method, path, content="{", headers=JSON)
    assert (broken.status_code, broken.json()["errors"][0]["code"]) == (400, "MALFORMED_JSON")
    for body in ({"data": {"attributes": {"nonsense": 1}}}, {"nonsense": 1}):
        unknown = await player.http.request(route.method, path, content=json.dumps(body), headers=JSON)
        assert unknown.status_code == 400
        assert unknown.json()["errors"][0]["source"]["pointer"].endswith("/nonsense")
    plain = await player.http.request(route.method, path, content="x", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    if len(route.ids) == 1:
        foreign = await player.http.request(route.method, path, json={"data": {"id": str(uuid4())}})
        assert foreign.json()["errors"][0]["source"] == {"pointer": "/data/id"}

"""REST: envelopes, errors, validation, and access to one's own data only."""

import asyncio
import json
import os
import re
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent
from openapi_spec_validator import validate
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

STORE = "https://store.example"
SHELL = "tauri://localhost"


@pytest.fixture(scope="module")
def service(platform):
    """The module's service, which a browser of the store may ask."""
    made = platform.service(CORS_ALLOWED_ORIGINS=f"{STORE}, {SHELL}")
    made.start()
    return made


@pytest.fixture
async def owner(player, wait_until):
    """A player with three games."""
    player.games = [uuid4() for _ in range(3)]
    await player.buys(*player.games)

    async def arrived():
        return len(await player.products()) == 3

    await wait_until(arrived)
    return player


async def test_the_server_is_the_one_that_was_asked_for(player):
    """So `.ci/granian` can't run its tests on the other one unnoticed."""
    asked = os.environ.get("LIBRARY_SERVICE_SERVER", "hypercorn")
    answer = await player.http.get("/items")
    assert answer.headers.get("Server") == (None if asked == "hypercorn" else asked)


async def test_a_page_says_where_the_others_are(owner):
    page = await owner.get("/items", page=2, limit=1, sort_by="name_asc")
    assert page["meta"] == {"total_items": 3, "current_page": 2, "per_page": 1}
    assert set(page["links"]) == {"self", "first", "prev", "next", "last"}
    seen = []
    link = page["links"]["first"]
    async with httpx.AsyncClient(
        base_url=str(owner.http.base_url).split("/api")[0], headers=owner.http.headers
    ) as client:
        while link:
            body = (await client.get(link)).json()
            seen += [item["id"] for item in body["data"]]
            link = body["links"].get("next")
    assert len(set(seen)) == 3


async def test_an_unchanged_library_answers_304_until_it_changes(owner):
    first = await owner.http.get("/items")
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        assert (await owner.http.get("/items", headers={"If-None-Match": known})).status_code == 304
    for unknown in ('"other"', tag.strip('"')[:-1], "", "W/"):
        assert (await owner.http.get("/items", headers={"If-None-Match": unknown})).status_code == 200
    item = first.json()["data"][0]["id"]
    assert (await owner.patch(f"/items/{item}", {"is_hidden": True})).status_code == 200
    changed = await owner.http.get("/items", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["meta"]["total_items"] == 2


async def test_a_new_title_changes_the_etag_too(owner, wait_until):
    tag = (await owner.http.get("/items")).headers["ETag"]
    title = {"productId": str(owner.games[0]), "newTitle": "Новое имя"}
    await owner.publish(CloudEvent("com.platform.catalog.product.updated.v1", title))

    async def changed():
        return (await owner.http.get("/items", headers={"If-None-Match": tag})).status_code == 200

    await wait_until(changed)


async def test_another_language_has_another_etag(owner):
    tags = {
        (await owner.http.get("/items", headers={"Accept-Language": language})).headers["ETag"]
        for language in ("ru", "en")
    }
    assert len(tags) == 2


async def test_personal_answers_are_kept_by_nobody_else(owner):
    headers = (await owner.http.get("/items")).headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert {part.strip() for part in headers["Vary"].split(",")} >= {"Authorization", "X-User-Id", "Accept-Language"}


async def test_somebody_elses_things_are_not_found(owner, new_player):
    stranger = new_player()
    item = (await owner.get("/items"))["data"][0]["id"]
    category = (await owner.post("/categories", {"name": "Моя"})).json()["data"]["id"]
    answers = [
        await stranger.http.get(f"/items/{item}"),
        await stranger.patch(f"/items/{item}", {"is_hidden": True}),
        await stranger.patch(f"/categories/{category}", {"name": "Чужая"}),
        await stranger.http.delete(f"/categories/{category}"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert await stranger.products() == set()


async def test_every_problem_of_a_body_is_reported_at_once_with_its_place(owner):
    item = (await owner.get("/items"))["data"][0]["id"]
    answer = await owner.patch(
        f"/items/{item}", {"is_hidden": "yes", "installation_status": "melted", "colour": 1, "category_ids": ["x"]}
    )
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert {error["code"] for error in errors} == {"VALIDATION_ERROR"}
    assert {error["source"]["pointer"] for error in errors} == {
        "/data/attributes/is_hidden",
        "/data/attributes/installation_status",
        "/data/attributes/colour",
        "/data/attributes/category_ids/0",
    }
    assert all(re.search("[а-я]", error["detail"]) for error in errors)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "MALFORMED_JSON"),
        (b"\xff\xfe", "MALFORMED_JSON"),
        (b'{"data": {"attributes": {"name": "\\ud800"}}}', "MALFORMED_JSON"),
        (b'{"data": {"attributes": {"name": "a\\u0000b"}}}', "VALIDATION_ERROR"),
        (b'{"data": {"attributes": {"name": "\\u202egpj"}}}', "VALIDATION_ERROR"),
        (b'{"data": {"attributes": {"name": "x", "display_order": NaN}}}', "VALIDATION_ERROR"),
        (b'{"data": {"attributes": {"name": "x", "display_order": 1e400}}}', "VALIDATION_ERROR"),
        (b'{"data": {"attributes": {"name": "x", "display_order": 9999999999}}}', "VALIDATION_ERROR"),
        (b"[]", "VALIDATION_ERROR"),
        (b"null", "VALIDATION_ERROR"),
        (b'{"data": []}', "VALIDATION_ERROR"),
        (b'{"data": {"attributes": "x"}}', "VALIDATION_ERROR"),
        (b"[" * 10_000, "VALIDATION_ERROR"),
        (b"", "VALIDATION_ERROR"),
    ],
)
async def test_a_bad_body_gets_a_clear_error(player, body, code):
    answer = await player.http.post("/categories", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["code"] == code


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "NOT_FOUND"),
        ("GET", "//items", {}, 404, "NOT_FOUND"),
        ("GET", "/family//links", {}, 404, "NOT_FOUND"),
        ("GET", "/items/not-a-uuid", {}, 404, "NOT_FOUND"),
        ("PUT", "/items", {}, 405, "METHOD_NOT_ALLOWED"),
        (
            "POST",
            "/categories",
            {"content": b"a=1", "headers": {"Content-Type": "text/plain"}},
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("POST", "/categories", {"content": b"x" * 300_000}, 413, "PAYLOAD_TOO_LARGE"),
        ("GET", "/items?limit=101", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/items?page=0", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/items?page=1&page=2", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/items?status=melted", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/items?search=%00", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/items?search=%ff", {}, 400, "VALIDATION_ERROR"),
        ("GET", "/events?cursor=abc", {}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_every_error_has_the_envelope(player, method, path, options, status, code):
    for language, alphabet in (("ru", "[а-яё]"), ("en", "[a-z]")):
        headers = {**options.get("headers", {}), "Accept-Language": language}
        answer = await player.http.request(method, path, **{**options, "headers": headers})
        assert answer.status_code == status, answer.text
        body = answer.json()
        assert body["errors"][0]["code"] == code
        assert re.search(alphabet, body["errors"][0]["title"].lower())
        assert re.fullmatch("[0-9a-f]{32}", body["meta"]["trace_id"])
        assert answer.headers["X-Request-ID"]


async def test_the_clients_request_id_comes_back_and_a_bad_one_does_not(player):
    answer = await player.http.get("/items", headers={"X-Request-ID": "abc-123"})
    assert answer.headers["X-Request-ID"] == "abc-123"
    answer = await player.http.get("/items", headers={"X-Request-ID": "a b;c"})
    assert answer.headers["X-Request-ID"] != "a b;c"


async def test_a_token_of_no_player_gets_nothing(platform, service, player):
    for token, status in (
        (None, 401),
        ("nonsense", 401),
        (platform.issuer.issue(player.id, ttl=-60), 401),
        (platform.issuer.issue(player.id, aud="payments"), 401),
        (platform.issuer.issue(player.id, roles=("service",)), 403),
    ):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(headers=headers) as client:
            for path in ("/items", "/categories", "/events"):
                answer = await client.get(service.api + path)
                assert answer.status_code == status
                assert "data" not in answer.json()
                assert (answer.headers.get("WWW-Authenticate") == "Bearer") == (status == 401)


async def test_a_repeated_key_answers_the_first_response_again(player):
    first = await player.post("/categories", {"name": "Любимые"}, **{"Idempotency-Key": "k-1"})
    again = await player.post("/categories", {"name": "Любимые"}, **{"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await player.post("/categories", {"name": "Другие"}, **{"Idempotency-Key": "k-1"})
    assert other.status_code == 409
    assert other.json()["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert len((await player.get("/categories"))["data"]) == 1


async def test_a_refusal_is_repeated_under_its_key_too(player):
    await player.post("/categories", {"name": "A"})
    first = await player.post("/categories", {"name": "A"}, **{"Idempotency-Key": "k-2"})
    assert first.status_code == 409
    [category] = (await player.get("/categories"))["data"]
    await player.http.delete(f"/categories/{category['id']}")
    again = await player.post("/categories", {"name": "A"}, **{"Idempotency-Key": "k-2"})
    assert again.status_code == 409
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_twins_in_flight_do_the_work_once(player):
    answers = await asyncio.gather(
        *(player.post("/categories", {"name": "Раз"}, **{"Idempotency-Key": "twin"}) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len((await player.get("/categories"))["data"]) == 1


@pytest.mark.parametrize("key", ["", "ключ", "a b", "x" * 256])
async def test_a_key_that_is_no_key_is_refused(player, key):
    answer = await player.http.post(
        "/categories", json={"data": {"attributes": {"name": "x"}}}, headers={"Idempotency-Key": key.encode()}
    )
    assert answer.status_code == 400


async def test_a_free_game_is_claimed_and_others_are_not(player, wait_until):
    free, paid = uuid4(), uuid4()
    for product, is_free in ((free, True), (paid, False)):
        data = {"productId": str(product), "newTitle": "Игра", "isFreeToPlay": is_free}
        await player.publish(CloudEvent("com.platform.catalog.product.created.v1", data))

    async def claimed():
        return (await player.post("/items", {"product_id": str(free)})).status_code == 201

    await wait_until(claimed)
    assert (await player.post("/items", {"product_id": str(free)})).status_code == 409
    assert (await player.post("/items", {"product_id": str(uuid4())})).status_code == 404

    async def known():
        return (await player.post("/items", {"product_id": str(paid)})).status_code == 403

    await wait_until(known)


async def test_a_path_and_its_body_agree_on_the_id(owner):
    item = (await owner.get("/items"))["data"][0]["id"]
    body = {"data": {"id": str(uuid4()), "type": "whatever", "attributes": {"is_hidden": True}}}
    answer = await owner.http.patch(f"/items/{item}", json=body)
    assert answer.json()["errors"][0]["source"]["pointer"] == "/data/id"
    body["data"]["id"] = item
    assert (await owner.http.patch(f"/items/{item}", json=body)).status_code == 200


async def test_a_browser_of_an_allowed_origin_may_ask_and_another_may_not(service, player):
    ask = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
    async with httpx.AsyncClient(base_url=service.api) as client:
        allowed = await client.options("/items", headers={"Origin": STORE, **ask})
        foreign = await client.options("/items", headers={"Origin": "https://evil.example", **ask})
    assert allowed.headers["Access-Control-Allow-Origin"] == STORE
    assert "PATCH" in allowed.headers["Access-Control-Allow-Methods"]
    names = {name.strip() for name in allowed.headers["Access-Control-Allow-Headers"].lower().split(",")}
    assert {"authorization", "cache-control", "x-client-version", "x-client-id", "tracestate", "baggage"} <= names
    assert allowed.headers["Access-Control-Max-Age"] == "7200"
    assert "Access-Control-Allow-Origin" not in foreign.headers
    answered = await player.http.get("/items", headers={"Origin": STORE})
    assert answered.headers["Access-Control-Allow-Origin"] == STORE
    exposed = {name.strip() for name in answered.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"ETag", "Date", "Allow", "Retry-After"} <= exposed
    # A cache must not hand any answer to a page of another origin.
    plain, refused = await player.http.get("/items"), await player.http.get("/items", headers={"Origin": "null"})
    for one in (allowed, foreign, answered, plain, refused, await player.http.get("/nowhere")):
        assert "Origin" in one.headers["Vary"].replace(" ", "").split(",")


async def test_a_desktop_shell_may_call_and_refused_origins_are_counted(service, player):
    async def refused():
        async with httpx.AsyncClient() as client:
            text = (await client.get(service.metrics)).text
        found = re.search(r'^origins_refused_total\{transport="http"\} (\S+)$', text, re.MULTILINE)
        return float(found[1]) if found else 0

    before = await refused()
    bearer = {"Authorization": f"Bearer {player.token}"}
    for origin, is_allowed in ((SHELL, True), ("null", False), ("https://evil.example", False)):
        answered = await player.http.get("/items", headers={"Origin": origin})
        assert answered.headers.get("Access-Control-Allow-Origin") == (origin if is_allowed else None)
        try:
            async with connect(service.ws, additional_headers=bearer, origin=origin):
                assert is_allowed
        except InvalidStatus:
            assert not is_allowed
    assert await refused() == before + 2
    # A page of the service's own, such as its docs, is not a foreign one.
    own = service.url.replace("http://", "https://")  # as a request is sent behind a proxy that ends TLS
    assert (await player.post("/categories", {"name": "Из документации"}, Origin=own)).status_code == 201
    assert await refused() == before + 2


async def test_a_response_of_more_than_a_kilobyte_is_compressed_for_who_asks(service, player):
    for number in range(20):
        assert (await player.post("/categories", {"name": f"Категория {number}"})).status_code == 201
    paths = ("/api/v1/library/categories", "/api/v1/openapi.json", "/api/v1/docs/assets/swagger-ui.css")
    async with httpx.AsyncClient(base_url=service.url, headers=player.http.headers) as client:
        for path in paths:
            plain = await client.get(path, headers={"Accept-Encoding": "identity"})
            packed = await client.get(path, headers={"Accept-Encoding": "br;q=1.0, gzip"})
            assert "Content-Encoding" not in plain.headers
            assert packed.headers["Content-Encoding"] == "gzip"
            assert packed.content == plain.content
            assert "Accept-Encoding" in packed.headers["Vary"]
            assert packed.headers.get("ETag") == plain.headers.get("ETag")
            assert int(packed.headers.get("Content-Length", 1)) < len(plain.content)
            head = await client.head(path, headers={"Accept-Encoding": "gzip"})
            assert (head.status_code, head.content) == (200, b"")
        for small in ("/health/live", "/api/v1/docs/assets/favicon-32x32.png"):
            assert "Content-Encoding" not in (await client.get(small, headers={"Accept-Encoding": "gzip"})).headers
        for refused in ("gzip;q=0", "identity", "*;q=0", ""):
            answer = await client.get(paths[0], headers={"Accept-Encoding": refused})
            assert "Content-Encoding" not in answer.headers, refused


async def test_the_openapi_document_is_valid_and_names_every_call(service):
    async with httpx.AsyncClient() as client:
        document = (await client.get(service.url + "/api/v1/openapi.json")).json()
        page = await client.get(service.url + "/api/v1/docs")
        script = await client.get(service.url + "/api/v1/docs/assets/swagger-ui-bundle.js")
    validate(document)
    assert set(document["paths"]) >= {
        "/api/v1/library/items",
        "/api/v1/library/items/{item_id}",
        "/api/v1/library/events",
    }
    assert "docs/assets/swagger-ui-bundle.js" in page.text
    assert script.status_code == 200
    assert "oas31" in script.text, "a page that can't show OpenAPI 3.1 shows nothing"


async def test_health_shows_the_state_of_each_part(service):
    async with httpx.AsyncClient() as client:
        assert (await client.get(service.url + "/health/live")).json() == {"status": "ok"}
        ready = (await client.get(service.url + "/health/ready")).json()
    assert ready["dependencies"] == {"postgresql": "ok", "redis": "ok", "kafka": "ok"}


async def test_metrics_count_by_the_route_and_never_by_the_path(service, owner):
    item = (await owner.get("/items"))["data"][0]["id"]
    await owner.get(f"/items/{item}")
    async with httpx.AsyncClient() as client:
        text = (await client.get(service.metrics)).text
    assert 'route="/api/v1/library/items/{item_id}"' in text
    assert item not in text
    for name in ("http_request_duration_seconds", "outbox_pending", "websocket_connections", "postgres_pool_size"):
        assert name in text


async def test_a_log_line_is_one_json_object_and_holds_no_token(service, owner):
    await owner.get("/items")
    for line in service.log.read_text().splitlines():
        assert json.loads(line)["service"] == "library-service"
    assert owner.token not in service.log.read_text()


async def test_categories_come_a_page_at_a_time(player):
    for number in range(5):
        await player.post("/categories", {"name": f"Полка {number}", "display_order": number})
    pages = [await player.get("/categories", page=number, limit=2) for number in (1, 2, 3, 4)]
    names = [[one["attributes"]["name"] for one in page["data"]] for page in pages]
    assert names == [["Полка 0", "Полка 1"], ["Полка 2", "Полка 3"], ["Полка 4"], []]
    assert {page["meta"]["total_items"] for page in pages} == {5}
    assert "next" in pages[0]["links"]
    assert "next" not in pages[2]["links"]
    refused = await player.http.get("/categories", params={"limit": 101})
    assert refused.json()["errors"][0]["source"] == {"parameter": "limit"}


async def test_allowed_values_are_listed_in_the_readers_language(player):
    answer = await player.http.get("/items", params={"shared": "maybe"})
    assert answer.json()["errors"][0]["detail"] == "Допустимые значения: include, only, exclude."

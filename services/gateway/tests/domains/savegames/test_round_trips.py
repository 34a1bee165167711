"""The table of round trips in ``docs/architecture.md`` agrees with the measured numbers."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from gameshelf.gateway.wiring import ROUTES

CALL = re.compile(r"`(GET|POST|PATCH|PUT|DELETE) (/[^`?]*)")
MEASURED_DOMAINS = ("/savegames", "/playtime")
"""Every call of these domains has a row; of the others the frequent calls have one."""
ELSEWHERE = {"POST /playtime/sessions/{id}/heartbeat"}
"""These calls ask Redis."""


def test_every_call_of_saves_and_playtime_has_a_row(documented):
    named = {f"{method} {re.sub(r'{[^}]+}', '{}', path)}" for row in documented for method, path in CALL.findall(row)}
    for route in ROUTES:
        if route.path.startswith(MEASURED_DOMAINS):
            path = re.sub(r"<[^>]+>", "{}", route.path)
            call = f"{route.method} {path}"
            assert call in named or call.replace("{}", "{id}") in ELSEWHERE, call


async def test_calls_cost_what_the_table_says(measured, documented, device):
    product, found = str(device.product), {}

    async def ask(method, template, attributes=None, status=200, row="`{}`", headers=None, params=None, **ids):
        path = template.format(**ids)
        answer, cost = await measured.cost(method, path, attributes, status, headers=headers, params=params)
        found.setdefault(row.format(f"{method} {template}"), cost)
        return answer.json() if answer.content else None

    started = await ask("POST", "/playtime/sessions/start", {"product_id": product}, 201)
    session = started["data"]["id"]
    async with measured.gateway.database.acquire() as connection:  # else it would be over before a second has passed
        earlier = "UPDATE playtime.playtime_sessions SET start_time = $2 WHERE id = $1"
        await connection.execute(earlier, UUID(session), datetime.now(UTC) - timedelta(minutes=1))
    await ask("POST", "/playtime/sessions/{id}/end", id=session)
    await ask("GET", "/playtime/sessions/{id}", id=session)
    await ask("GET", "/playtime", row="`{}`, also `?by=platform`", params={"by": "platform"})
    await ask("GET", "/playtime", row="`{}` of products")
    assert found.pop("`GET /playtime` of products") == found["`GET /playtime`, also `?by=platform`"]
    await ask("GET", "/playtime/sessions")
    await ask("GET", "/playtime/daily")
    end = datetime.now(UTC) - timedelta(minutes=2)
    times = {"start_time": (end - timedelta(minutes=1)).isoformat(), "end_time": end.isoformat()}
    sessions = [{"client_session_id": str(number), "product_id": product, **times} for number in range(3)]
    await ask("POST", "/playtime/sessions/import", {"sessions": sessions})

    async def request_upload(content, slot="slot", **more):
        attributes = {"product_id": product, "save_slot_name": slot, "device_id": "pc", **more}
        attributes |= {"file_size_bytes": len(content), "file_hash_sha256": sha256(content).hexdigest()}
        return (await ask("POST", "/savegames/upload-url", attributes))["data"]["attributes"]

    async def save(content, status=200, **more):
        given = await request_upload(content, **more)
        assert (await device.put(given, content)).status_code == 200
        body = {"internal_save_id": given["internal_save_id"]}
        return await ask("POST", "/savegames/confirm-upload", body, status, row="`{}`" if status == 200 else "a branch")

    first = await save(b"one")
    of = {"id": first["data"]["id"]}
    for content in (b"two", b"three"):
        await save(content)
    await ask("GET", "/savegames/{id}/download-url", **of)
    await ask("POST", "/savegames/{id}/synced", {"version": 3, "device_id": "deck"}, 204, **of)
    await ask("GET", "/savegames")
    await ask("GET", "/savegames/quota")
    known = {"slot_name": "slot", "content_hash": sha256(b"three").hexdigest()}
    plan = {"product_id": product, "device_id": "pc", "intent": "launch", "slots": [known]}
    await ask("POST", "/savegames/plan", plan)
    await ask("POST", "/savegames/plan", {**plan, "intent": "exit"}, row="an exit")
    assert found.pop("an exit") == found["`POST /savegames/plan`"] + 4
    changed, absent = {**known, "base_version": 1}, {"slot_name": "absent", "content_hash": known["content_hash"]}
    await ask("POST", "/savegames/plan", {**plan, "slots": [changed, absent]}, row="a plan of others")
    assert found.pop("a plan of others") == found["`POST /savegames/plan`"] + 2
    await ask("GET", "/savegames/policy/{product_id}", product_id=product)
    preferences = "`{} /savegames/policy/{{{{product_id}}}}/me`, `{} /savegames/preferences`"
    for method, sent in (("GET", None), ("PUT", {"auto_sync": True})):
        row = preferences.format(method, method)
        await ask(method, "/savegames/policy/{product_id}/me", sent, row=row, product_id=product)
        await ask(method, "/savegames/preferences", sent, row="another")
        assert found.pop("another") == found[row.format()]
    await ask("GET", "/savegames/{id}", **of)
    await ask("GET", "/savegames/{id}/versions", **of)
    await ask("PATCH", "/savegames/{id}/versions/{version}", {"is_pinned": True}, version=1, **of)
    await ask("POST", "/savegames/{id}/restore", {"version": 1}, **of)
    await ask("DELETE", "/savegames/{id}", status=204, **of)
    await ask("POST", "/savegames/{id}/undelete", **of)
    waiting = {"id": (await request_upload(b"waits", "other"))["internal_save_id"]}
    await ask("GET", "/savegames/uploads")
    await ask("GET", "/savegames/uploads/{id}", **waiting)
    await ask("DELETE", "/savegames/uploads/{id}", status=204, **waiting)
    branch = await save(b"branch", 409, base_version=1, device_id="deck")
    await ask("GET", "/savegames/conflicts")
    conflict = branch["errors"][0]["meta"]["conflict_id"]
    await ask("GET", "/savegames/conflicts/{id}", id=conflict)
    await ask("GET", "/savegames/conflicts/{id}/differences", id=conflict)
    await ask("POST", "/savegames/conflicts/{id}/resolve", {"resolution": "keep_cloud"}, id=conflict)
    del found["a branch"]

    async def save_set(**contents):
        files = [
            {"path": f"saves/{name}", "size_bytes": len(content), "sha256": sha256(content).hexdigest()}
            for name, content in contents.items()
        ]
        attributes = {"product_id": product, "save_slot_name": "set", "device_id": "pc", "files": files}
        given = (await ask("POST", "/savegames/uploads", attributes))["data"]
        by_hash = {sha256(content).hexdigest(): content for content in contents.values()}
        for one in given["attributes"]["uploads"]:
            assert (await device.put(one, by_hash[one["sha256"]])).status_code == 200
        return await ask("POST", "/savegames/uploads/{id}/commit", id=given["id"])

    for number in range(2):
        of = {"id": (await save_set(a=b"a", b=b"%d" % number))["data"]["id"]}
    await ask("GET", "/savegames/{id}/versions/{version}/files", version=1, **of)
    await ask("POST", "/savegames/{id}/download", {"have_version": 1}, **of)
    # Of other domains: what is asked for most.
    await ask("GET", "/items", row="`{}`, rendered again", params={"limit": 7})
    listed = await ask("GET", "/items", row="`{}`, page known to this process; `304`", params={"limit": 7})
    item = listed["data"][0]["id"]
    await ask("GET", "/items/{id}", id=item)
    await ask("PATCH", "/items/{id}", {"is_hidden": True}, id=item)
    await ask("POST", "/categories", {"name": "RPG"}, 201)
    with_key = "any `POST` with an `Idempotency-Key`"
    await ask("POST", "/categories", {"name": "Arcade"}, 201, row=with_key, headers={"Idempotency-Key": "key"})
    found[with_key] -= found["`POST /categories`"]
    await ask("PUT", "/settings/{product_id}", {"settings_payload": {"volume": 3}}, 201, product_id=product)
    await ask("POST", "/wishlist/items", {"product_id": str(uuid4())}, 201)
    table = documented
    assert {row: cost for row, cost in found.items() if table.get(row) != cost} == {}

"""Plans, policies and preferences over REST: what the service says before a game starts and after it ends."""

from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent

CATALOG = "com.platform.catalog.product.updated.v1"
PLAN = "/savegames/plan"


def has(content, slot="slot", **more):
    return {"slot_name": slot, "content_hash": sha256(content).hexdigest(), **more}


async def put(player, path, attributes):
    return await player.http.put(path, json={"data": {"attributes": attributes}})


@pytest.fixture
def plan(device):
    """Asks for a plan of a device, and returns the document."""

    async def ask(*slots, device_id="pc", intent="launch", status=200, **more):
        asked = {"product_id": str(device.product), "device_id": device_id, "intent": intent, "slots": slots, **more}
        answer = await device.player.post(PLAN, asked)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


async def test_a_plan_says_what_to_do_with_each_save(device, plan):
    saved = (await device.save(b"1")).json()["data"]
    document = await plan(has(b"2"), has(b"1", "new"), device_name="PC")
    assert (document["data"]["type"], document["data"]["id"]) == ("savegamePlan", str(device.product))
    assert document["meta"] == {"auto_sync": True}
    attributes = document["data"]["attributes"]
    changed, new = attributes["slots"]
    assert changed == {
        "slot_name": "slot",
        "action": "upload",
        "reason": "changed",
        "savegame_id": saved["id"],
        "head_version": 1,
        "branch_version": None,
        "conflict_id": None,
        "regresses_to": None,
        "written_by_newer_version": None,
    }
    assert (new["action"], new["reason"], new["savegame_id"]) == ("upload", "new", None)
    assert (attributes["others"], attributes["proceed"], attributes["policy_revision"]) == ([], "yes", 0)
    assert (attributes["policy"]["source"], attributes["policy"]["mode"]) == ("default", "sync")
    assert (await plan(policy_revision=0))["data"]["attributes"]["policy"] is None


async def test_a_plan_of_a_stranger_s_or_an_unknown_product_is_empty(device, player, new_player):
    stranger = new_player()
    await device.save(b"1")
    for who, product in ((stranger, device.product), (player, uuid4())):
        answer = await who.post(PLAN, {"product_id": str(product), "device_id": "tv", "intent": "launch"})
        attributes = answer.json()["data"]["attributes"]
        assert (attributes["slots"], attributes["others"], attributes["proceed"]) == ([], [], "yes")


async def test_a_plan_takes_no_idempotency_key(device, plan):
    asked = {"product_id": str(device.product), "device_id": "pc", "intent": "launch", "slots": [has(b"1")]}
    first = await device.player.post(PLAN, asked, **{"Idempotency-Key": "one"})
    await device.save(b"1")
    again = await device.player.post(PLAN, asked, **{"Idempotency-Key": "one"})
    reasons = [one.json()["data"]["attributes"]["slots"][0]["reason"] for one in (first, again)]
    assert reasons == ["new", "identical"]


async def test_bad_questions_name_the_field(plan):
    for slots, pointer in (
        ([has(b"1"), has(b"1", "SLOT")], "slots/1/slot_name"),
        ([{"slot_name": "a", "content_hash": "x" * 64}], "slots/0/content_hash"),
        ([has(b"1", str(number)) for number in range(201)], "slots"),
    ):
        [error] = (await plan(*slots, status=400))["errors"]
        assert error["source"]["pointer"] == f"/data/attributes/{pointer}"
    [error] = (await plan(intent="stop", status=400))["errors"]
    assert error["source"]["pointer"] == "/data/attributes/intent"
    [error] = (await plan(has(b"1", savegame_id=str(uuid4())), status=404))["errors"]
    assert (error["code"], error["source"]["pointer"]) == (
        "SAVEGAME_SLOT_NOT_FOUND",
        "/data/attributes/slots/0/savegame_id",
    )


async def test_a_session_elsewhere_is_named_with_what_was_played(device, plan):
    session = await device.player.post(
        "/playtime/sessions/start", {"product_id": str(device.product), "device_id": "deck"}
    )
    attributes = (await plan())["data"]["attributes"]
    [other] = attributes["others"]
    assert (other["device_id"], other["state"], other["slot_name"]) == ("deck", "session_active", None)
    assert other["since"] == session.json()["data"]["attributes"]["start_time"]
    assert attributes["proceed"] == "ask"
    assert (await plan(device_id="deck"))["data"]["attributes"]["others"] == []


async def test_a_policy_of_the_catalog_is_in_plans(device, plan, wait_until):
    path = f"/savegames/policy/{device.product}"
    found = (await device.player.get(path))["data"]
    assert (found["type"], found["id"], found["attributes"]["revision"]) == ("savegamePolicy", str(device.product), 0)
    policy = {
        "revision": 7,
        "merge": "units",
        "conflictPolicy": "most_recent",
        "roots": {"saves": {"where": [{"when": [{"os": "windows"}], "path": "<winLocalAppData>/G/<storeUserId>"}]}},
        "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
        "limits": {"maxFiles": 100},
        "settleSeconds": 30,
        "processes": ["g.exe"],
    }
    data = {"productId": str(device.product), "newTitle": "Worlds"}
    await device.player.publish(CloudEvent(CATALOG, {**data, "savegamePolicy": policy}))

    async def revision():
        return (await device.player.get(path))["data"]["attributes"]["revision"] == 7

    await wait_until(revision)
    stored = (await device.player.get(path))["data"]["attributes"]
    assert stored == {
        "revision": 7,
        "source": "catalog",
        "mode": "sync",
        "merge": "units",
        "conflict_policy": "most_recent",
        "roots": {
            "saves": {
                "where": [{"when": [{"os": "windows", "store": None}], "path": "<winLocalAppData>/G/<storeUserId>"}],
                "include": ["**"],
                "exclude": [],
                "scope": "all",
            }
        },
        "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
        "limits": {"max_files": 100, "max_bytes": 0, "max_file_bytes": 0, "oversize": "refuse"},
        "settle_seconds": 30,
        "processes": ["g.exe"],
    }
    attributes = (await plan(policy_revision=6))["data"]["attributes"]
    assert (attributes["policy_revision"], attributes["policy"]) == (7, stored)
    assert (await plan(policy_revision=7))["data"]["attributes"]["policy"] is None


async def test_preferences_switch_plans_off(device, plan):
    product, account = f"/savegames/policy/{device.product}/me", "/savegames/preferences"
    await device.save(b"1")
    for path in (product, account):
        assert (await device.player.get(path))["data"]["attributes"] == {"auto_sync": True}
        changed = await put(device.player, path, {"auto_sync": False})
        assert (changed.status_code, changed.json()["data"]["attributes"]) == (200, {"auto_sync": False})
        assert (await device.player.get(path))["data"]["attributes"] == {"auto_sync": False}
        document = await plan(device_id="deck")
        assert document["meta"] == {"auto_sync": False}
        assert [one["reason"] for one in document["data"]["attributes"]["slots"]] == ["auto_sync_off"]
        by_hand = (await plan(device_id="deck", intent="manual"))["data"]["attributes"]["slots"]
        assert [one["reason"] for one in by_hand] == ["not_here"]
        await put(device.player, path, {"auto_sync": True})


async def test_a_version_of_the_game_is_stored_by_the_job(device, plan, connection, wait_until):
    await plan(game_version_id="0.9")  # of a player without a save of the product nothing is stored
    await device.save(b"1")
    await plan(game_version_id="1.0")

    async def versions():
        return await connection.fetch(
            "SELECT game_version_id FROM savegames.savegame_game_versions WHERE product_id = $1", device.product
        )

    await wait_until(versions)
    assert [row["game_version_id"] for row in await versions()] == ["1.0"]

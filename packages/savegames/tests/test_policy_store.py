"""Policies of products: who wrote last, and the revision that clients compare."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.savegames import DEFAULT_POLICY, PolicyFact, PolicySource, PolicyStore
from gameshelf.savegames._policies import from_event
from gameshelf.savegames._policy_store import parse_stored

WORLDS = {"units": [{"name": "{w}", "match": ["saves/{w}/**"]}]}


@pytest.fixture
def store(player):
    return PolicyStore(player.connection, player.clock)


def fact(player, product, revision=1, minutes=0, source=PolicySource.CATALOG, **document):
    said_at = player.now + timedelta(minutes=minutes)
    return PolicyFact(product, from_event({"revision": revision, **document}), said_at, source)


async def test_a_product_without_a_policy_has_the_default_one(store):
    found = await store.policy(uuid4())
    assert (found.revision, found.source, found.policy) == (0, PolicySource.DEFAULT, DEFAULT_POLICY)


async def test_a_policy_is_replaced_as_a_whole(player, store):
    product = uuid4()
    await store.apply([fact(player, product, 3, mode="backup", settleSeconds=30)])
    await store.apply([fact(player, product, 4, **WORLDS)])
    found = await store.policy(product)
    assert (found.revision, found.source) == (4, PolicySource.CATALOG)
    assert found.policy == from_event({**WORLDS, "revision": 4}).policy
    assert (found.policy.mode, found.policy.settle_seconds) == ("sync", 10)


async def test_the_last_writer_wins_by_its_time(player, store):
    product = uuid4()
    player.later(hours=1)
    await store.apply([fact(player, product, 5, mode="backup")])
    await store.apply([fact(player, product, 9, minutes=-1, mode="off")])
    assert (await store.policy(product)).policy.mode == "backup"
    # A time in the future does not keep later writers out.
    await store.apply([fact(player, product, 6, minutes=600, mode="off")])
    player.later(minutes=1)
    await store.apply([fact(player, product, 7, source=PolicySource.COMMUNITY)])
    found = await store.policy(product)
    assert (found.policy.mode, found.revision, found.source) == ("sync", 7, PolicySource.COMMUNITY)


async def test_a_policy_that_differs_has_a_higher_revision(player, store):
    product, revisions = uuid4(), []
    for revision, mode in [
        (5, "sync"),
        (5, "sync"),
        (5, "off"),
        (2, "backup"),
        (2, "backup"),
        (7, "backup"),
        (9, "off"),
    ]:
        player.later(seconds=1)
        await store.apply([fact(player, product, revision, mode=mode)])
        revisions.append((await store.policy(product)).revision)
    assert revisions == [5, 5, 6, 7, 7, 7, 9]


async def test_of_facts_that_are_applied_together_the_newest_counts(player, store):
    one, other = uuid4(), uuid4()
    await store.apply(
        [
            fact(player, one, 1, minutes=-1, mode="off"),
            fact(player, other, 2, minutes=-3, mode="backup"),
            fact(player, one, 2, minutes=-2, mode="backup"),
            fact(player, other, 3, minutes=-3, mode="off"),
        ]
    )
    assert [(await store.policy(product)).policy.mode for product in (one, other)] == ["off", "off"]
    await store.apply([])


async def test_a_stored_policy_is_what_was_stated(player, store):
    product, document = (
        uuid4(),
        from_event(
            {
                "revision": 7,
                "mode": "sync",
                "merge": "units",
                "conflictPolicy": "most_recent",
                "roots": {
                    "saves": {
                        "where": [{"when": [{"os": "windows"}, {}], "path": "<winLocalAppData>/G/<storeUserId>"}],
                        "include": ["**/*.sav"],
                        "exclude": ["**/*.log"],
                        "scope": "os",
                    },
                    "all": {},
                },
                **WORLDS,
                "limits": {"maxFiles": 10, "maxBytes": 0, "oversize": "skip"},
                "settleSeconds": 0,
                "processes": ["g.exe"],
                "somethingNew": 1,
            }
        ),
    )
    await store.apply([PolicyFact(product, document, player.now)])
    assert (await store.policy(product)).policy == document.policy
    row = await player.connection.fetchrow("SELECT * FROM savegames.savegame_policies WHERE product_id = $1", product)
    stored = json.loads(row["policy"])
    assert stored["conflict_policy"] == "most_recent"
    assert {"revision", "source", "mode", "somethingNew"}.isdisjoint(stored)


def test_a_policy_of_a_later_release_replaces_no_files():
    found = parse_stored('{"mode": "mirror", "units": []}')
    assert (found.mode, found.merge, found.roots) == ("backup", "never", {})


async def test_a_removed_policy_leaves_the_default_one(player, store):
    product = uuid4()
    await store.apply([fact(player, product, 5, mode="off")])
    for _ in range(2):
        await store.remove(product)
        found = await store.policy(product)
        assert (found.revision, found.source, found.policy) == (6, PolicySource.DEFAULT, DEFAULT_POLICY)
    await store.remove(uuid4())


async def test_a_policy_never_has_the_revision_of_one_that_was_removed(player, store):
    """A client that was off meanwhile compares the revision of the policy that it has cached."""
    product = uuid4()
    await store.apply([fact(player, product, 5, mode="off")])
    await store.remove(product)
    late = fact(player, product, 5, minutes=-1, mode="backup")
    await store.apply([late])  # it was stated before the removal
    assert (await store.policy(product)).source is PolicySource.DEFAULT
    player.later(seconds=1)
    await store.apply([fact(player, product, 5, mode="backup")])
    found = await store.policy(product)
    assert (found.revision, found.source, found.policy.mode) == (7, PolicySource.CATALOG, "backup")


async def test_the_lock_of_a_policy_returns_it(player, store):
    product = uuid4()
    async with player.connection.transaction():
        assert (await store.lock(product)).revision == 0
        await store.apply([fact(player, product, 5)])
        assert await store.lock(product) == await store.policy(product)

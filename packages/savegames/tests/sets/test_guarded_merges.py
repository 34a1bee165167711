"""Nothing shrinks the head by itself: neither a merge, nor a policy that picks a side, nor a single file.

Public reports: a disk that was not mounted, or a folder that a launcher had moved, emptied every device (Syncthing,
Nextcloud, Steam). On a real PostgreSQL.
"""

from datetime import timedelta

import pytest
from gameshelf.savegames import ConflictsFilter, SavegameShrinks, UploadResult
from gameshelf.savegames._lists import decode

HEAD = {f"s/w1/{number}": b"w1 %d" % number for number in range(4)} | {"s/w2/a": b"w2"}
W1 = {path: data for path, data in HEAD.items() if path.startswith("s/w1/")}
W2 = {"s/w2/a": b"w2"}


@pytest.fixture
async def moved_on(player, sets):
    """The head is version 2: world 2 has changed since version 1, which the deck has."""
    await player.set_policy()
    await sets.save(HEAD, device_id="pc")
    await sets.save(HEAD | {"s/w2/a": b"changed"}, device_id="pc", base_version=1)
    return sets


async def open_conflicts(player):
    return (await player.queries.conflicts(player.id, ConflictsFilter())).total


async def paths_of(player, version):
    """The paths of a version that is a set."""
    [held] = [row["manifest_id"] for row in await player.rows("metadata") if row["version"] == version]
    [body] = [row["body"] for row in await player.rows("manifests") if row["id"] == held]
    return {file.path for file in decode(body)}


@pytest.mark.parametrize(
    ("left", "result"),
    [
        (HEAD | {"s/w1/0": b"played"}, UploadResult.RESOLVED),
        ({path: data for path, data in HEAD.items() if path != "s/w1/3"}, UploadResult.RESOLVED),
        (W2, UploadResult.CONFLICT),  # all of a unit
        (W2 | {"s/w1/0": b"w1 0"}, UploadResult.CONFLICT),  # most of the files
    ],
)
async def test_a_merge_that_would_shrink_the_head_is_the_users(player, moved_on, left, result):
    outcome = await moved_on.save(left, device_id="deck", base_version=1)
    assert (outcome.result, await open_conflicts(player)) == (result, int(result is UploadResult.CONFLICT))


async def test_what_the_head_has_deleted_itself_is_merged(player, sets):
    await player.set_policy()
    await sets.save(HEAD, device_id="pc")
    await sets.save(W1, device_id="pc", base_version=1, confirm_removals=1)
    outcome = await sets.save(HEAD | {"s/w1/0": b"played"}, device_id="deck", base_version=1)
    assert (outcome.result, outcome.resolution) == (UploadResult.RESOLVED, "merge")


@pytest.mark.parametrize("policy", ["most_recent", "longest_playtime"])
async def test_no_policy_picks_a_side_that_shrinks_the_head(player, sets, policy):
    await sets.save(HEAD, device_id="pc")
    await sets.save(HEAD | {"s/w2/a": b"changed"}, device_id="pc", base_version=1)
    later = {"conflict_policy": policy, "client_modified_at": player.now + timedelta(seconds=1), "playtime_seconds": 9}
    player.later(seconds=2)
    few = await sets.save(W2, device_id="deck", base_version=1, **later)
    assert few.result is UploadResult.CONFLICT
    single = await player.save(b"a single file", device_id="tv", base_version=1, **later)
    assert single.result is UploadResult.CONFLICT
    whole = await sets.save(HEAD | {"s/w1/0": b"played"}, device_id="laptop", base_version=1, **later)
    assert (whole.result, whole.resolution) == (UploadResult.RESOLVED, "keep_local")


async def test_a_single_file_replaces_a_set_only_if_that_is_confirmed(player, sets):
    await sets.save(HEAD, device_id="pc")
    for more in ({}, {"confirm_removals": 4}):
        with pytest.raises(SavegameShrinks) as refused:
            await player.request(b"single", device_id="pc", **more)
        assert (refused.value.pointer, refused.value.meta["removed"]) == ("confirm_removals", 5)
    assert await player.rows("uploads") == [row for row in await player.rows("uploads") if row["outcome"]]
    reservation = await player.request(b"single", device_id="pc", confirm_removals=5)
    assert (await player.request(b"single", device_id="pc")).upload_id == reservation.upload_id
    assert (await player.confirm(reservation)).result is UploadResult.HEAD
    # Beside the head nothing is replaced, and few files need no question.
    await sets.save(W2, "other", device_id="pc")
    assert (await player.save(b"single", "other", device_id="pc")).result is UploadResult.HEAD


async def test_what_the_policy_no_longer_covers_is_no_change(player, sets):
    """A narrowed policy leaves files out of new versions. That neither shrinks the head nor hinders a merge."""
    logs = {f"s/w1/{number}.log": b"log %d" % number for number in range(9)}
    await player.set_policy()
    await sets.save(HEAD | logs | {"s/x/x.log": b"x"}, device_id="pc")
    await sets.save(HEAD | logs | {"s/w2/a": b"changed", "s/x/x.log": b"x"}, device_id="pc", base_version=1)
    units = [{"name": "{w}", "match": ["s/{w}/**"]}]
    roots = {"s": {"include": ["**"], "exclude": ["**/*.log"]}}
    await player.set_policy(merge="units", units=units, roots=roots)
    outcome = await sets.save(HEAD | {"s/w1/0": b"played"}, device_id="deck", base_version=1)
    assert (outcome.result, outcome.resolution) == (UploadResult.RESOLVED, "merge")
    # The unit that the device has played is as it saved it; what the policy does not cover stays as the head has it.
    assert await paths_of(player, outcome.version) == {*HEAD, *logs, "s/x/x.log"}
    await player.synced(outcome.slot_id, "pc", outcome.version)
    narrow = await sets.save(HEAD, device_id="pc", base_version=outcome.version)
    assert await paths_of(player, narrow.version) == set(HEAD)
    await player.service.restore(player.id, outcome.slot_id, outcome.version)
    await player.service.restore(player.id, outcome.slot_id, narrow.version, units=["w1", "w2"])
    restored = max(row["version"] for row in await player.rows("metadata"))
    assert await paths_of(player, restored) == {*HEAD, *logs, "s/x/x.log"}

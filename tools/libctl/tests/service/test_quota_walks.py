"""``libctl quota top|recalculate``: what goes through everybody's saves, or through all objects of one user."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.libctl.commands import quota
from gameshelf.savegames import user_prefix

from ..shown_tables import WIDE, tables_of

FILL = """
INSERT INTO savegames.savegame_contents (user_id, id, s3_object_key, file_size_bytes, file_hash_sha256, state,
    created_at)
SELECT $1, gen_random_uuid(), $2 || lpad(n::text, 6, '0'), 10, sha256(($2 || n)::bytea), 'live', now()
FROM generate_series(1, $3::int) n
"""


@pytest.fixture
def fill(platform) -> Iterator[Callable[[int], UUID]]:
    """Gives new users contents without objects; afterwards they are gone."""
    users: list[UUID] = []

    async def do(*statements: tuple[Any, ...]) -> None:
        connection = await asyncpg.connect(platform.dsn)
        for statement in statements:
            await connection.execute(*statement)
        await connection.close()

    def make(contents: int) -> UUID:
        users.append(uuid4())
        asyncio.run(do((FILL, users[-1], user_prefix(users[-1]), contents)))
        return users[-1]

    yield make
    asyncio.run(do(("DELETE FROM savegames.savegame_contents WHERE user_id = ANY($1)", users)))


@pytest.fixture
def ctrl_c(monkeypatch):
    """Somebody presses Ctrl-C as soon as the first part has come."""

    @contextmanager
    def impatient(out, what):
        def interrupt(_):
            raise KeyboardInterrupt

        yield interrupt

    monkeypatch.setattr(quota, "progress", impatient)


def test_who_takes_most_comes_first_and_the_sum_is_that_of_their_quota(support, saver):
    saver.saves(b"x" * 700_000, b"y" * 700_000)
    saver.saves(b"x" * 700_000, slot="the same bytes")
    found = support.data("quota", "top", "--limit", 1)
    [first] = found["users"]
    assert first["user_id"] == str(saver.id)
    assert first["used_bytes"] == support.data("quota", "show", saver.id)["used_bytes"] == 1_400_000
    assert found["looked_at"] >= 1
    assert found["next_cursor"] == ""
    support.applies("quota", "set", saver.id, "2MB")
    shown = support.shows("quota", "top")
    assert str(saver.id) in shown
    assert "set by support" in shown
    assert support.data("quota", "top", "--cursor", "ffffffff-ffff-ffff-ffff-ffffffffffff")["users"] == []
    assert support.refused("quota", "top", "--cursor", "x") == (2, "VALIDATION_ERROR")


def test_what_is_counted_is_what_is_there(support, saver):
    saver.saves(b"one", b"two!")
    saver.saves(b"one", slot="again")
    found = support.data("quota", "recalculate", saver.id)
    assert (found["stored_objects"], found["stored_bytes"]) == (2, 7)
    assert (found["counted_objects"], found["counted_bytes"]) == (2, 7)
    assert found["differing"] == []
    assert "The database matches S3." in support.shows("quota", "recalculate", saver.id)
    assert support.data("quota", "recalculate", uuid4())["stored_objects"] == 0
    assert support.refused("quota", "recalculate", saver.id, "--cursor", "elsewhere/") == (2, "VALIDATION_ERROR")


def test_every_kind_of_difference_is_found(support, saver, bucket):
    saver.saves(b"lost")
    [lost] = bucket.keys_of(saver.id)
    saver.saves(b"grown", slot="b")
    [grown] = bucket.keys_of(saver.id) - {lost}
    dropped = saver.saves(b"thrown away", slot="c")
    saver.http.delete(f"/savegames/{dropped}", params={"permanent": "true"})
    bucket.delete(lost)
    bucket.put(grown, b"grown taller")
    bucket.put(f"{grown}x", b"from nowhere")
    ran = support.run("--json", "quota", "recalculate", saver.id)
    assert ran.code == 1, ran.err
    kinds = {one["key"]: (one["kind"], one["stored_bytes"], one["counted_bytes"]) for one in ran.data["differing"]}
    assert kinds.pop(lost) == ("missing", None, 4)
    assert kinds.pop(grown) == ("other_size", 12, 5)
    assert kinds.pop(f"{grown}x") == ("unknown", 12, None)
    assert list(kinds.values()) == [("dropped", 11, None)]
    assert ran.data["differences"]["dropped"] == {"objects": 1, "bytes": 11}
    support.columns = WIDE
    shown = support.run("quota", "recalculate", saver.id)
    assert shown.code == 1
    sums, named = tables_of(shown.out)
    assert sums[0] == ["objects", "bytes"]
    assert named[0] == ["counted", "stored", "object"]
    assert ["missing", "4", lost] in named[1]
    assert "in the database but not in S3" in shown.out
    first, *others = sorted(bucket.keys_of(saver.id))
    rest = support.run("--json", "quota", "recalculate", saver.id, "--cursor", first)
    assert rest.data["stored_objects"] == len(others)


def test_everybody_is_looked_at_a_part_at_a_time(support, fill):
    sizes = {str(fill(contents)): contents * 10 for contents in (4000, 3000, 2500, 6000)}
    found = support.data("quota", "top", "--limit", 100)
    counted = [(one["user_id"], one["used_bytes"]) for one in found["users"] if one["user_id"] in sizes]
    assert counted == sorted(sizes.items(), key=lambda one: -one[1])
    used = [one["used_bytes"] for one in found["users"]]
    assert used == sorted(used, reverse=True)
    assert support.data("quota", "top", "--limit", 1)["users"] == found["users"][:1]


def test_who_was_interrupted_sees_what_there_is_and_resumes(support, fill, ctrl_c, monkeypatch):
    users = {str(fill(4000)) for _ in range(3)}
    ran = support.run("--json", "quota", "top", "--limit", 100)
    assert ran.code == 130
    cursor = ran.data["next_cursor"]
    assert f"--cursor {cursor}" in ran.err
    monkeypatch.undo()
    rest = support.data("quota", "top", "--limit", 100, "--cursor", cursor)
    first, second = ({one["user_id"] for one in part["users"]} for part in (ran.data, rest))
    assert not first & second
    assert users <= first | second


def test_many_objects_are_compared_a_part_at_a_time(support, fill):
    user = fill(2500)
    ran = support.run("--json", "quota", "recalculate", user)
    assert (ran.code, ran.data["counted_objects"], len(ran.data["differing"])) == (1, 2500, 1000)
    assert ran.data["differences"]["missing"] == {"objects": 2500, "bytes": 25_000}


def test_an_interrupted_comparison_resumes_at_its_cursor(support, fill, ctrl_c, monkeypatch):
    user = fill(1200)
    ran = support.run("--json", "quota", "recalculate", user)
    assert (ran.code, ran.data["counted_objects"]) == (130, 1000)
    assert f"--cursor {ran.data['next_cursor']}" in ran.err
    monkeypatch.undo()
    rest = support.run("--json", "quota", "recalculate", user, "--cursor", ran.data["next_cursor"])
    assert (rest.code, rest.data["counted_objects"]) == (1, 200)

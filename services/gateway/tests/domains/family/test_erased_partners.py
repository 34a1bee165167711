"""After an account is deleted, the others of its family keep the events, without the id of the deleted user."""

import json
from uuid import UUID, uuid4

import asyncpg
import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.mentions import tables_naming

NOBODY = str(UUID(int=0))
INVITE_KEY, ACCEPT_KEY = {"Idempotency-Key": "invite"}, {"Idempotency-Key": "accept"}
SECOND_KEY = {"Idempotency-Key": "second"}
TOMBSTONE = {"gateway.user_streams"}


@pytest.fixture(scope="module")
def service(platform):
    """Links end, and accounts are erased, in the same process."""
    made = platform.service(FAMILY_SEAT_GRACE_SECONDS="60")
    made.start()
    return made


@pytest.fixture
async def owner(new_player, wait_until):
    """Somebody with a game."""
    made = new_player()
    made.game = str(uuid4())
    await made.buys(made.game)
    await wait_until(made.products)
    return made


async def share(owner, member, invite_key=INVITE_KEY):
    """Both with an Idempotency-Key, so that both answers are kept; the link's id."""
    invited = await owner.post("/family/links", {"shared_with_user_id": str(member.id)}, **invite_key)
    assert invited.status_code == 201, invited.text
    link = invited.json()["data"]["id"]
    accepted = await member.post(f"/family/links/{link}/accept", **ACCEPT_KEY)
    assert accepted.status_code == 200, accepted.text
    await member.keeps_shares()
    return link


async def start(player, game, **headers):
    return await player.post("/playtime/sessions/start", {"product_id": game}, **headers)


async def delete_account(player):
    await player.publish(CloudEvent("com.platform.account.user.deleted.v1", {"userId": str(player.id)}))


async def end_tombstone(connection, player):
    """Makes the tombstone old enough to be removed, which otherwise takes a quarter of an hour."""
    await connection.execute(
        "UPDATE gateway.user_streams SET erased_at = now() - interval '1 hour' WHERE user_id = $1", player.id
    )


def nowhere(connection, player, but=frozenset()):
    async def check():
        return await tables_naming(connection, player.id) <= but

    return check


async def feed(player):
    return (await player.get("/events", cursor="0", limit=100))["data"]


def received(player, event_type):
    async def check():
        return [one for one in await feed(player) if one["attributes"]["event_type"] == event_type]

    return check


async def keep_records_of_others(connection, user, named):
    """A record about the user that can't be applied, and is no text; one that Kafka refused; one that is set aside."""
    forms = [str(named.id), str(named.id).upper(), named.id.hex, named.id.hex.upper()]
    value = json.dumps({"data": {"with": forms}}).encode()
    for statement, kept in (
        (
            "INSERT INTO gateway.dead_letters (id, user_id, topic, reason, detail, value) "
            "VALUES (gen_random_uuid(), $1, 'topic', 'reason', '', $2)",
            b"\x00\xff" + value,
        ),
        (
            "INSERT INTO gateway.refused_records (id, shard, user_id, topic, value, created_at, reason) "
            "VALUES ((random() * 1e9)::bigint, 0, $1, 'topic', $2, now(), 'reason')",
            value,
        ),
        (
            "INSERT INTO gateway.deferred_records (subject_id, topic, partition, record_offset, record_timestamp, "
            "next_attempt_at, value) VALUES ($1, 'topic', 0, 0, 0, now() + interval '1 day', $2)",
            value,
        ),
    ):
        await connection.execute(statement, user.id, kept)


@pytest.mark.parametrize("gone", ["owner", "member"])
async def test_the_other_party_keeps_no_id_in_feed_answers_and_what_waits(
    platform, service, owner, new_player, connection, wait_until, gone
):
    member = new_player()
    link = await share(owner, member)
    assert (await start(member, owner.game)).status_code == 201
    # The owner wants the copy: the member is notified.
    assert (await start(owner, owner.game)).status_code == 201
    await wait_until(received(member, "family.seat.reclaimed"))
    leaving, staying = (owner, member) if gone == "owner" else (member, owner)
    await keep_records_of_others(connection, staying, leaving)
    before = await feed(staying)
    assert str(leaving.id) in json.dumps(before)

    await delete_account(leaving)
    await wait_until(nowhere(connection, leaving, TOMBSTONE))
    await end_tombstone(connection, leaving)
    await wait_until(nowhere(connection, leaving))

    # No message is missing, and their user id is the one of nobody.
    after = await feed(staying)
    assert [one["id"] for one in after][: len(before)] == [one["id"] for one in before]
    assert json.loads(json.dumps(before).replace(str(leaving.id), NOBODY)) == after[: len(before)]
    last = [one for one in after if one["attributes"]["event_type"] == "family.link.updated"][-1]["attributes"]
    assert last["payload"]["status"] == ("revoked_by_owner" if gone == "owner" else "declined_by_user")
    assert last["payload"]["owner_user_id" if gone == "owner" else "shared_with_user_id"] == NOBODY

    # The answer that is kept comes again, and brings no id back.
    if gone == "owner":
        again = await member.post(f"/family/links/{link}/accept", **ACCEPT_KEY)
    else:
        again = await owner.post("/family/links", {"shared_with_user_id": str(member.id)}, **INVITE_KEY)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert NOBODY in again.text
    assert str(leaving.id) not in again.text
    assert await nowhere(connection, leaving)()


async def test_ended_and_late_links_of_an_erased_user_leave_nothing(service, owner, new_player, connection, wait_until):
    member = new_player()
    link = await share(owner, member)
    assert (await owner.post(f"/family/links/{link}/revoke", **{"Idempotency-Key": "end"})).status_code == 200
    await delete_account(member)
    await wait_until(nowhere(connection, member, TOMBSTONE))
    await end_tombstone(connection, member)
    await wait_until(nowhere(connection, member))
    late = await owner.post("/family/links", {"shared_with_user_id": str(member.id)}, **{"Idempotency-Key": "late"})
    assert late.status_code == 201
    await wait_until(nowhere(connection, member))
    assert not (await owner.get("/family/links"))["data"]


async def test_a_member_denied_the_seat_keeps_no_id_of_its_erased_holder(
    service, owner, new_player, connection, wait_until
):
    holder, rival = new_player(), new_player()
    await share(owner, holder)
    await share(owner, rival, SECOND_KEY)
    assert (await start(holder, owner.game)).status_code == 201
    denied = await start(rival, owner.game, **{"Idempotency-Key": "play"})
    assert (denied.status_code, str(holder.id) in denied.text) == (409, True)
    await delete_account(holder)
    await wait_until(nowhere(connection, holder, TOMBSTONE))
    await end_tombstone(connection, holder)
    await wait_until(nowhere(connection, holder))


async def test_a_locked_partner_delays_nobody_and_is_cleaned_later(
    platform, service, owner, new_player, connection, wait_until
):
    held, free = new_player(), new_player()
    await share(owner, held)
    await share(owner, free, SECOND_KEY)
    other = new_player()
    await other.buys(uuid4())
    await wait_until(other.products)
    holder = await asyncpg.connect(platform.dsn)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", held.id)
    await delete_account(owner)
    await delete_account(other)

    async def cleaned():
        return not await connection.fetchval(
            "SELECT count(*) FROM gateway.feed WHERE user_id = $1 AND message LIKE '%' || $2 || '%'",
            free.id,
            str(owner.id),
        )

    await wait_until(cleaned)
    await wait_until(nowhere(connection, other, TOMBSTONE))
    await end_tombstone(connection, owner)
    # All that is the account's own is gone as well; its tombstone waits for the one who is held.
    own = {"library.user_library_items", "gateway.outbox", "library.grants"}

    async def erased_so_far():
        return not await tables_naming(connection, owner.id) & own

    await wait_until(erased_so_far)
    assert await tables_naming(connection, owner.id) >= TOMBSTONE
    await transaction.rollback()
    await holder.close()
    await wait_until(nowhere(connection, owner))

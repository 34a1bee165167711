"""The end of an account: late events, tokens and dead letters have no effect, and no data of the user remains."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256
from uuid import uuid4

import asyncpg
import grpc.aio
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.mentions import tables_naming as found_in
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.domains.savegames.object_store import object_store
from gameshelf.protos.library.v1 import admin_family_pb2 as admin_family
from gameshelf.protos.library.v1 import admin_saves_pb2 as admin_saves
from gameshelf.protos.library.v1 import admin_users_pb2 as admin_users
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions
from gameshelf.protos.library.v1.library_admin_service_pb2 import DESCRIPTOR as ADMIN
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import LibraryAdminServiceStub
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub
from gameshelf.savegames import user_prefix
from google.protobuf.message_factory import GetMessageClass

PAYMENTS = "com.platform.payment.events.v1"
DELETED = "com.platform.account.user.deleted.v1"
REFUNDED = "com.platform.payment.purchase.refunded.v1"
LIBRARY_ADMIN_SERVICE = ADMIN.services_by_name["LibraryAdminService"]


@pytest.fixture(scope="module")
def platform(create_platform, s3):
    """A platform with a bucket."""
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def early(platform):
    """Users whose events lie on the broker before the service first looks: one batch holds all of them."""
    return {name: uuid4() for name in ("twice", "two topics", "stays")}


@pytest.fixture(scope="module")
async def service(platform, early, purchase_of):
    """A service without erasures and the relay, so that the tests can read the rows that a user has left."""
    one, two, stays = early.values()
    deleted = [CloudEvent(DELETED, {"userId": str(one)}) for _ in range(2)]
    await send(platform, deleted[0].topic, *((str(one), event.encode()) for event in deleted))
    await send(platform, PAYMENTS, *((str(two), purchase_of(two, uuid4()).encode()) for _ in range(3)))
    gone = CloudEvent(DELETED, {"userId": str(two)})
    await send(platform, gone.topic, (str(two), gone.encode()))
    await send(platform, PAYMENTS, (str(one), purchase_of(stays, uuid4()).encode()))
    made = platform.service(LIBRARY_SERVICE_ROLES="api,consumer")
    made.start()
    return made


@pytest.fixture
async def objects(service):
    """The object store of the bucket."""
    store = object_store(load_settings(service.environment))
    await store.open()
    yield store
    await store.close()


async def send(platform, topic, *records):
    producer = AIOKafkaProducer(bootstrap_servers=platform.kafka.address)
    await producer.start()
    for key, value in records:
        await producer.send(topic, value, key=key.encode())
    await producer.flush()
    await producer.stop()


async def tables_of_users(connection):
    """Every table with a column for a user's id; a new one has to be filled below, and is then covered."""
    rows = await connection.fetch(
        "SELECT DISTINCT format('%I.%I', table_schema, table_name) AS name FROM information_schema.columns "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
        "AND (column_name LIKE '%user_id' OR column_name LIKE '%subject_id' OR column_name = 'user_hash')"
    )
    return {row["name"] for row in rows} - {"gateway.erased_users"}


async def play_too_much(player, product):
    """Play of more hours than the day has, so that an anomaly is kept too; and a session that is still active."""
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    times = {"start_time": yesterday.isoformat(), "end_time": (yesterday + timedelta(hours=20)).isoformat()}
    sessions = [{"client_session_id": name, "product_id": product, **times} for name in ("deck", "desk")]
    imported = await player.post("/playtime/sessions/import", {"sessions": sessions})
    assert [one["attributes"]["result"] for one in imported.json()["data"]] == ["accepted"] * 2
    started = await player.post("/playtime/sessions/start", {"product_id": product})
    assert started.status_code == 201


async def achieve(player, connection, product, wait_until):
    """Publishes an achievement of the product, and unlocks it; before that the player may not."""
    achievement = uuid4()
    assert (await player.post(f"/achievements/{achievement}/unlock")).status_code == 404
    said = CloudEvent(
        "com.platform.catalog.product.updated.v1", {"productId": product, "achievements": [{"id": str(achievement)}]}
    )
    await player.publish(said)

    async def unlocked():
        return (await player.post(f"/achievements/{achievement}/unlock")).status_code == 200

    async def the_refusal_is_stored():
        found = "SELECT EXISTS (SELECT FROM achievements.refused_attempts WHERE user_id = $1)"
        return await connection.fetchval(found, player.id)

    await wait_until(unlocked)
    await wait_until(the_refusal_is_stored)


async def wish_and_set(player, platform, owned, wait_until):
    """Creates settings of a game and changes some, and a wish on sale of which the player was notified."""
    for query, payload in (("", {"a": 1}), ("?platform=linux", {"a": 1}), ("", {"a": 2})):
        put = await player.http.put(
            f"/settings/{owned}{query}", json={"data": {"attributes": {"settings_payload": payload}}}
        )
        assert put.status_code in (200, 201), put.text
    wished = str(uuid4())
    price = {"productId": wished, "priceMinor": 1, "currency": "RUB", "discountPercent": 5, "saleId": "spring"}
    await player.publish(CloudEvent("com.platform.catalog.price.updated.v1", price))
    assert (await player.post("/wishlist/items", {"product_id": wished})).status_code == 201

    async def is_notified():
        feed = await player.get("/events", cursor="0")
        return any(entry["attributes"]["event_type"] == "wishlist.item.on_sale" for entry in feed["data"])

    async def price_is_known():
        return (await player.get("/wishlist/items"))["data"][0]["attributes"]["current_price"]

    await wait_until(price_is_known)
    [item] = (await player.get("/wishlist/items"))["data"]
    # Notified at once if the price was known before; else a change of the conditions checks the price again.
    await player.patch(f"/wishlist/items/{item['id']}", {"min_discount_percent": 2})
    await wait_until(is_notified)


async def save_a_set(player, product, known, new):
    """An upload of a set that stays open, a device that has ended a game, and a preference."""
    files = [
        {"path": f"{number}.sav", "size_bytes": len(content), "sha256": sha256(content).hexdigest()}
        for number, content in enumerate((known, new))
    ]
    attributes = {"product_id": product, "save_slot_name": "d", "device_id": "pc", "base_version": 0, "files": files}
    assert (await player.post("/savegames/uploads", attributes)).status_code == 200
    plan = {"product_id": product, "device_id": "pc", "intent": "exit"}
    assert (await player.post("/savegames/plan", plan)).status_code == 200
    off = {"data": {"attributes": {"auto_sync": False}}}
    assert (await player.http.put("/savegames/preferences", json=off)).status_code == 200


async def save(player, connection, product):
    """Saves two versions and an undecided branch, a save in the trash, and an unconfirmed upload."""
    sent = [("a", b"1", 0), ("a", b"2", 1), ("a", b"3", 1), ("b", b"4", 0), ("c", b"5", 0)]
    for slot, content, base in sent:
        attributes = {
            "product_id": product,
            "save_slot_name": slot,
            "file_size_bytes": len(content),
            "file_hash_sha256": sha256(content).hexdigest(),
            "device_id": "pc",
            "base_version": base,
        }
        upload = (await player.post("/savegames/upload-url", attributes)).json()["data"]["attributes"]
        async with httpx.AsyncClient() as store:
            put = await store.put(upload["upload_url"], content=content, headers=upload["headers"])
        assert put.status_code == 200
        if slot != "c":
            asked = {"internal_save_id": upload["internal_save_id"]}
            assert (await player.post("/savegames/confirm-upload", asked)).status_code in (200, 409)
    [conflict] = (await player.get("/savegames/conflicts"))["data"]
    assert conflict["attributes"]["branch"]["attributes"]["version"] == 3
    trashed = next(
        one["id"] for one in (await player.get("/savegames"))["data"] if one["attributes"]["slot_name"] == "b"
    )
    assert (await player.http.delete(f"/savegames/{trashed}")).status_code == 204
    await save_a_set(player, product, known=b"1", new=b"6")
    await connection.execute("INSERT INTO savegames.savegame_quotas VALUES ($1, 1000, now())", player.id)
    await connection.execute("INSERT INTO savegames.savegame_numbers VALUES ($1, $1, 'gone', 7)", player.id)


async def have_had_a_family(connection, player):
    """Adds an ended link, a free seat, an event that still waits to be forwarded, and a record that Kafka refused."""
    link = (
        "status, mode, product_ids, shared_at, created_at, updated_at",
        "'declined_by_user', 'all', '{}', now(), now(), now()",
    )
    for statement in (
        f"INSERT INTO library.family_sharing_links (owner_user_id, id, shared_with_user_id, invited_at, {link[0]}) "
        f"VALUES ($1, gen_random_uuid(), gen_random_uuid(), '{{}}', {link[1]})",
        f"INSERT INTO library.family_memberships (user_id, owner_user_id, id, {link[0]}) "
        f"SELECT shared_with_user_id, owner_user_id, id, {link[1]} FROM library.family_sharing_links "
        "WHERE owner_user_id = $1",
        "INSERT INTO library.shared_products (user_id, owner_user_id, product_id, added_at) "
        "SELECT user_id, owner_user_id, gen_random_uuid(), now() FROM library.family_memberships "
        "WHERE owner_user_id = $1",
        "INSERT INTO library.share_changes (owner_user_id) VALUES ($1)",
        "INSERT INTO library.family_seats (owner_user_id, product_id, seat_number) VALUES ($1, gen_random_uuid(), 5)",
        "INSERT INTO gateway.forwarded_events (user_id, type, body) VALUES ($1, 'ShareWithdrawn', '{}')",
        "INSERT INTO wishlist.held_back_wishers (user_id, product_id) VALUES ($1, gen_random_uuid())",
        "INSERT INTO gateway.refused_records (id, shard, user_id, topic, value, created_at, reason) "
        "VALUES (1, 0, $1, 'topic', 'value', now(), 'MessageSizeTooLargeError')",
    ):
        await connection.execute(statement, player.id)


async def refused(player):
    return (await player.http.get("/items")).status_code == 401


@pytest.mark.long
async def test_events_around_a_deletion_in_one_batch_are_dropped(platform, service, early, connection, wait_until):
    async def applied():
        return "library.user_library_items" in await found_in(connection, early["stays"])

    await wait_until(applied)
    for name in ("twice", "two topics"):

        async def erased(user_id=early[name]):
            return await connection.fetchval("SELECT erased_at FROM gateway.user_streams WHERE user_id = $1", user_id)

        await wait_until(erased)
    assert await found_in(connection, early["twice"]) == {"gateway.user_streams"}


async def be_administered(player, platform, service):
    """Support changes something of the player's, and the player tries to do so themselves."""
    request = admin_saves.SetQuotaRequest(user_id=str(player.id), limit_bytes=2**30)
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = LibraryAdminServiceStub(channel)
        staff = (("authorization", f"Bearer {platform.token(uuid4(), 'support')}"),)
        dry = (await stub.SetQuota(request, metadata=staff)).result
        request.change.CopyFrom(ChangeOptions(apply=True, reason="a secret story", revision=dry.revision))
        assert (await stub.SetQuota(request, metadata=staff)).result.audit_id
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.SetQuota(request, metadata=(("authorization", f"Bearer {player.token}"),))


async def be_named_by_strangers(player, platform, service, connection):
    """A stranger with a token writes the player's id into every text of every call, and is refused."""
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = LibraryAdminServiceStub(channel)
        stranger = (("authorization", f"Bearer {platform.token(uuid4(), 'user')}"),)
        release = admin_family.ReleaseFamilySeatRequest(owner_user_id=str(player.id), product_id=str(uuid4()))
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.ReleaseFamilySeat(release, metadata=stranger)
        for method in LIBRARY_ADMIN_SERVICE.methods:
            # Each one is another: a caller's later refusals share an entry that only counts them.
            other = (("authorization", f"Bearer {platform.token(uuid4(), 'user')}"),)
            request = filled(GetMessageClass(method.input_type)(), str(player.id))
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await getattr(stub, method.name)(request, metadata=other)
            assert error.value.code() == grpc.StatusCode.PERMISSION_DENIED
    refusals = "SELECT count(*) FROM gateway.audit WHERE kind = 'refusal' AND code = 'PERMISSION_DENIED'"
    assert await connection.fetchval(refusals) > len(LIBRARY_ADMIN_SERVICE.methods)


def filled(message, text):
    """Writes a text into each text of a message, also of the messages in it."""
    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            if field.is_repeated:
                getattr(message, field.name).append(text)
            else:
                setattr(message, field.name, text)
        elif field.type == field.TYPE_MESSAGE and not field.is_repeated:
            filled(getattr(message, field.name), text)
    return message


async def exported(player, platform, service):
    """The tables that an export of the player has rows of, and how many files."""
    request, tables, files = admin_users.ExportUserRequest(user_id=str(player.id)), set(), 0
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = LibraryAdminServiceStub(channel)
        staff = (("authorization", f"Bearer {platform.token(uuid4(), 'admin')}"),)
        while True:
            part = await stub.ExportUser(request, metadata=staff)
            tables |= {found.table for found in part.rows}
            files += len(part.files)
            if not part.next_cursor:
                return tables, files
            request.cursor = part.next_cursor


@pytest.mark.long
async def test_an_erasure_is_complete_when_its_process_was_killed(
    platform, service, player, new_player, purchase_of, connection, objects, wait_until
):
    witness = new_player()

    async def everything_before_is_applied():
        """Waits for a later record: all with the same key lie in one partition."""
        game = uuid4()
        await send(platform, PAYMENTS, (str(player.id), purchase_of(witness.id, game).encode()))

        async def arrived():
            return str(game) in await witness.products()

        await wait_until(arrived)

    malformed = json.dumps({"data": {"userId": str(player.id), "orderId": "secret"}}).encode()
    await player.buys(uuid4(), uuid4(), purchaseTimestamp="2026-01-01T00:00:00Z")
    refund = {"userId": str(player.id), "orderId": str(uuid4()), "items": [{"productId": str(uuid4())}]}
    await player.publish(CloudEvent(REFUNDED, refund))
    await send(platform, PAYMENTS, (str(player.id), malformed))
    await everything_before_is_applied()
    created = await player.post("/categories", {"name": "Мои"}, **{"Idempotency-Key": "k"})
    [item, _] = (await player.get("/items"))["data"]
    await player.patch(f"/items/{item['id']}", {"category_ids": [created.json()["data"]["id"]]})
    product = item["attributes"]["product_id"]
    await play_too_much(player, product)
    await achieve(player, connection, product, wait_until)
    await wish_and_set(player, platform, product, wait_until)
    await save(player, connection, product)
    await have_had_a_family(connection, player)
    await connection.execute("INSERT INTO library.first_accesses VALUES ($1, $1, now())", player.id)
    await connection.execute(
        "INSERT INTO playtime.playtime_copy_parts VALUES ($1, $1, now() - interval '1 minute', now(), $1)", player.id
    )
    await connection.execute(
        "INSERT INTO playtime.playtime_corrections VALUES ($1, $1, $1, 5, 'a mistake', now())", player.id
    )
    await connection.execute(
        "INSERT INTO gateway.deferred_records (subject_id, topic, partition, record_offset, record_timestamp, "
        "next_attempt_at) VALUES ($1, 'held', 0, 0, 0, now() + interval '1 day')",
        player.id,
    )
    # A letter of an earlier release, which did not read keys: only the key names the player.
    await connection.execute(
        "INSERT INTO gateway.dead_letters (id, user_id, topic, reason, detail, record_key, value) "
        "VALUES (gen_random_uuid(), uuid(repeat('0', 32)), $2, 'MALFORMED_JSON', '', convert_to($1, 'UTF8'), '{')",
        str(player.id),
        PAYMENTS,
    )
    await be_administered(player, platform, service)
    await be_named_by_strangers(player, platform, service, connection)
    assert await tables_of_users(connection) == await found_in(connection, player.id)
    saved = await objects.list(user_prefix(player.id))
    assert len(saved) == 4
    # A new table of users is exported too, or this fails.
    assert await exported(player, platform, service) == (await found_in(connection, player.id), 4)
    await objects.copy(saved[0].key, f"{saved[0].key}.unknown", {})

    await player.publish(CloudEvent(DELETED, {"userId": str(player.id)}))
    await wait_until(lambda: refused(player))
    assert (await player.post("/categories", {"name": "Ещё здесь"})).status_code == 401

    # No row has been deleted yet, and no request returns one any more.
    asked = messages.GetLibraryItemsRequest(user_id=str(player.id))
    access = messages.CheckGameAccessRequest(user_id=str(player.id), product_id=item["attributes"]["product_id"])
    async with grpc.aio.insecure_channel(service.grpc) as channel:
        stub = LibraryQueryServiceStub(channel)
        other = (("authorization", f"Bearer {platform.token(uuid4(), 'service')}"),)
        assert not (await stub.GetLibraryItems(asked, metadata=other)).items
        assert not (await stub.CheckGameAccess(access, metadata=other)).has_access
        own = (("authorization", f"Bearer {player.token}"),)
        for call in (stub.GetLibraryItems(asked, metadata=own), stub.CheckGameAccess(access, metadata=own)):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call
            assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED

    late = [purchase_of(player.id, uuid4()).encode(), malformed]
    await send(platform, PAYMENTS, *((str(player.id), value) for value in late))
    await everything_before_is_applied()
    letters = "SELECT count(*) FROM gateway.dead_letters WHERE user_id = $1"
    assert await connection.fetchval(letters, player.id) == 1

    eraser = platform.service(LIBRARY_SERVICE_ROLES="jobs")
    holder = await asyncpg.connect(platform.dsn)
    async with holder.transaction():
        await holder.execute("SELECT FROM gateway.dead_letters WHERE user_id = $1 FOR UPDATE", player.id)
        eraser.start()

        async def half_done():
            return await found_in(connection, player.id) == {"gateway.user_streams", "gateway.dead_letters"}

        await wait_until(half_done)
        eraser.kill()
    await holder.close()
    assert await half_done()
    eraser.start()

    async def only_the_tombstone():
        is_left = await objects.list(user_prefix(player.id))
        return not is_left and await found_in(connection, player.id) == {"gateway.user_streams"}

    await wait_until(only_the_tombstone)
    by_key = "SELECT count(*) FROM gateway.dead_letters WHERE record_key = convert_to($1, 'UTF8')"
    assert await connection.fetchval(by_key, str(player.id)) == 0
    # It stays until every instance has had the time to see it.
    tombstone = "UPDATE gateway.user_streams SET erased_at = now() - interval '1 hour' WHERE user_id = $1"
    await connection.execute(tombstone, player.id)

    async def gone():
        return not await found_in(connection, player.id)

    await wait_until(gone)
    key = service.environment["ERASURE_HASH_KEY"].encode()
    kept = blake2b(player.id.bytes, key=key, digest_size=32).digest()
    assert await connection.fetchval("SELECT count(*) FROM gateway.erased_users WHERE user_hash = $1", kept) == 1

    await send(platform, PAYMENTS, *((str(player.id), value) for value in late))
    await everything_before_is_applied()
    assert not await found_in(connection, player.id)
    assert await refused(player)


async def test_repeated_deletions_and_those_of_strangers_leave_no_data(
    platform, service, player, connection, wait_until
):
    for _ in range(2):
        await player.publish(CloudEvent(DELETED, {"userId": str(player.id)}))
    await wait_until(lambda: refused(player))
    assert await found_in(connection, player.id) <= {"gateway.user_streams"}

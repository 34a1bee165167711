"""``libctl events``: the outbox, dead letters, and replays of both."""

import asyncio
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for
from gameshelf.libctl import shown
from gameshelf.libctl.client import Client

from ..shown_tables import WIDE, tables_of

PAYMENTS = "com.platform.payment.events.v1"
RELAYS = 0x72656C61
"""The first key of the locks of shards."""
PURCHASED = "com.platform.payment.purchase.completed.v1"
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=10)
"""Letters are kept for 90 days: with a fixed date they would be deleted some day."""


@pytest.fixture(scope="module")
def database(platform, fetch):
    """Runs one statement on the platform's database."""
    return partial(fetch, platform.dsn)


@pytest.fixture(scope="module")
def held(platform):
    """Runs a statement in a transaction that stays open while the block runs."""

    @contextmanager
    def hold(statement):
        loop = asyncio.new_event_loop()
        connection = loop.run_until_complete(asyncpg.connect(platform.dsn))
        loop.run_until_complete(connection.execute("BEGIN"))
        loop.run_until_complete(connection.execute(statement))
        try:
            yield
        finally:
            loop.run_until_complete(connection.close())
            loop.close()

    return hold


@pytest.fixture
def letter(database):
    """Makes a dead letter; its id. Each test has letters of a topic of its own."""

    def make(topic, *, value=b"{}", key=b"k", reason="MALFORMED_DATA", user=None, at=None):
        letter_id = uuid4()
        if user:
            database("INSERT INTO gateway.user_streams (user_id) VALUES ($1) ON CONFLICT DO NOTHING", user)
        database(
            "INSERT INTO gateway.dead_letters VALUES ($1, $2, $3, $4, 'it is what it is', $5, $6, coalesce($7, now()))",
            letter_id,
            user or UUID(int=0),
            topic,
            reason,
            key,
            value,
            at,
        )
        return letter_id

    return make


@pytest.fixture
def topic():
    return f"test.{uuid4().hex[:8]}"


def ids(found):
    return [UUID(one["dead_letter_id"]) for one in found["dead_letters"]]


def consumed(platform, topic, count):
    """The first records of a topic, from its beginning: key and value."""

    async def consume():
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=platform.kafka.address, auto_offset_reset="earliest")
        await consumer.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return [((one := await consumer.getone()).key, one.value) for _ in range(count)]
        finally:
            await consumer.stop()

    return asyncio.run(consume())


def test_the_outbox_is_shown_topic_by_topic(support, held, database, topic):
    with held(f"SELECT pg_advisory_xact_lock({RELAYS}, 31)"):  # as a relay that serves the shard; so no other one does
        database(
            "INSERT INTO gateway.outbox (shard, user_id, topic, value, created_at) "
            "SELECT 31, gen_random_uuid(), $1, '', now() - interval '90 s' FROM generate_series(1, 3)",
            topic,
        )
        found = support.data("events", "outbox")
        support.columns = WIDE
        shown = support.shows("events", "outbox")
        database(
            "INSERT INTO gateway.outbox (shard, user_id, topic, value) "
            "SELECT 31, gen_random_uuid(), $1, '' FROM generate_series(1, 100000)",
            topic,
        )
        many = support.data("events", "outbox")
        assert "100000+" in support.shows("events", "outbox")
        database("DELETE FROM gateway.outbox WHERE topic = $1", topic)
    assert many["is_more"]
    assert [one["pending"] for one in many["topics"] if one["topic"] == topic] == [100_000]
    [mine] = [one for one in found["topics"] if one["topic"] == topic]
    assert (mine["pending"], mine["is_more"], found["is_more"]) == (3, False, False)
    assert found["pending"] >= 3
    assert found["lag_seconds"] >= 90
    assert tables_of(shown)[0][0] == ["topic", "pending", "oldest since"]
    assert [topic, "3"] in [row[:2] for row in tables_of(shown)[0][1]]


def test_records_that_kafka_refused_are_shown_by_topic_and_reason(support, database, topic):
    reasons = ["MessageSizeTooLargeError: too \x1b[31mlarge"] * 3 + ["UnknownError: code 87"]
    for number, reason in enumerate(reasons):
        database(
            "INSERT INTO gateway.refused_records (id, shard, user_id, topic, value, created_at, reason) "
            "SELECT 1, 0, gen_random_uuid(), $1, '', now() - make_interval(hours => $2), $3",
            topic,
            number,
            reason,
        )
    found = support.data("events", "outbox")
    support.columns = WIDE
    shown = support.shows("events", "outbox")
    kinds = [one for one in found["refused"] if one["topic"] == topic]
    assert [(one["reason"], one["count"]) for one in kinds] == [("MessageSizeTooLargeError", 3), ("UnknownError", 1)]
    oldest = datetime.fromisoformat(kinds[0]["oldest_at"])
    assert timedelta(hours=2) <= datetime.now(UTC) - oldest < timedelta(hours=3)
    assert kinds[1]["detail"] == "UnknownError: code 87"
    assert not found["is_more_refused"]
    headings, rows = tables_of(shown)[-1]
    assert headings == ["topic (refused)", "reason", "records", "oldest since"]
    assert [topic, "UnknownError: code 87", "1"] in [row[:3] for row in rows]
    assert "\x1b[31m" not in shown
    database("DELETE FROM gateway.refused_records WHERE topic = $1", topic)
    assert not [one for one in support.data("events", "outbox")["refused"] if one["topic"] == topic]


def test_dead_letters_are_shown_with_originals_safe_for_a_terminal(support, letter, topic):
    evil = letter(topic, value='{"x": "\x1b[2J\u202e[red]я"}'.encode())
    shown = support.shows("events", "dlq", "list", "--topic", topic)
    assert str(evil) in shown
    assert "MALFORMED_DATA: it is what it is" in shown
    assert "\x1b" not in shown
    assert "\\x1b[2J\\u202e[red]я" in shown
    [found] = support.data("events", "dlq", "list", "--topic", topic)["dead_letters"]
    assert (found["dead_letter_id"], found["topic"], found["key"]) == (str(evil), topic, "k")
    assert found["value"] == '{"x": "\x1b[2J\u202e[red]я"}'
    assert found["can_replay"]


def test_what_is_no_text_is_in_base64_and_what_is_long_is_cut(support, letter, topic):
    letter(topic, value=b"\xff\x00", key=b"\xff")
    letter(topic, value="я".encode() * 5000, key=None)
    letter(topic, value=None)
    binary, long, empty = support.data("events", "dlq", "list", "--topic", topic)["dead_letters"]
    assert (binary["value"], binary["value_base64"], binary["key_base64"]) == (None, "/wA=", "/w==")
    assert (long["value"], long["value_size"], long["key"]) == ("я" * 2048, 10_000, None)
    assert (empty["value"], empty["value_size"], empty["can_replay"]) == (None, 0, False)
    shown = support.shows("events", "dlq", "list", "--topic", topic)
    assert "base64: /wA=" in shown
    assert shown.count("can be replayed") == 2


def test_filters_narrow(support, letter, topic):
    user, day, next_day = uuid4(), DAY, f"{DAY + timedelta(days=1):%Y-%m-%d}"
    first = letter(topic, user=user, at=day)
    second = letter(topic, reason="EMPTY", at=day + timedelta(days=1))
    third = letter(topic, at=day + timedelta(days=2))

    def found(*words):
        return ids(support.data("events", "dlq", "list", "--topic", topic, *words))

    assert found() == [first, second, third]
    assert found("--only-reason", "EMPTY") == [second]
    assert found("--user", user) == [first]
    assert found("--id", third) == [third]
    assert found("--since", next_day) == [second, third]
    assert found("--until", f"{next_day}T00:00Z") == [first, second]
    assert found("--since", next_day, "--until", f"{next_day}T12:00+03:00") == [second]
    assert found("--only-reason", "nothing") == []
    assert "No dead letters." in support.shows("events", "dlq", "list", "--topic", "nothing")


def test_pages_follow_each_other_and_all_come_line_by_line(support, letter, topic):
    made = [letter(topic, at=DAY) for _ in range(3)]  # of one moment
    ran = support.run("--json", "events", "dlq", "list", "--topic", topic, "--limit", 2)
    cursor = ran.data["next_cursor"]
    assert f"--cursor {cursor}" in ran.err
    assert ran.data["total"] == 3
    rest = support.data("events", "dlq", "list", "--topic", topic, "--limit", 2, "--cursor", cursor)
    assert ids(ran.data) + ids(rest) == sorted(made)
    assert rest["next_cursor"] == ""
    lines = support.shows("--json", "events", "dlq", "list", "--topic", topic, "--all").splitlines()
    assert [json.loads(line)["dead_letter_id"] for line in lines] == [str(one) for one in sorted(made)]
    assert support.shows("events", "dlq", "list", "--topic", topic, "--all").count("MALFORMED_DATA") == 3


def test_the_ids_of_a_long_list_are_kept_once_at_its_end(support, letter, topic, tmp_path, monkeypatch):
    made, file, written = [letter(topic, at=DAY) for _ in range(3)], tmp_path / "shown.json", []
    replace = shown._replace
    monkeypatch.setattr(shown, "_replace", lambda path, text: written.append(path) or replace(path, text))
    for form in ((), ("--json",), ("--csv",)):
        words = ("events", "dlq", "list", "--topic", topic, "--all", *form)
        assert support.run(*words, LIBCTL_SHOWN=str(file)).code == 0
        assert written == [file]
        kept = [one["id"] for one in json.loads(file.read_text()) if one["kind"] == "dead_letter"]
        assert kept == [str(one) for one in sorted(made, reverse=True)]
        written.clear()


@pytest.mark.parametrize(
    "words", [("--cursor", "x"), ("--cursor", "AAAA"), ("--cursor", "я"), ("--topic", "t" * 250), ("--since", "soon")]
)
def test_bad_filters_are_named(support, words):
    assert support.refused("events", "dlq", "list", *words)[0] == 2


def test_a_replay_sends_key_and_value_as_they_came(admin, platform, letter, topic, database):
    user = uuid4()
    first = letter(topic, key="ключ".encode(), value=b"\x00\xff raw", user=user)
    letter(topic, key=None, value=b"")
    stays = [
        letter(topic, key=b"\xff"),
        letter(topic, value=None),
        letter(topic, key=b"\xed\xa0\x80"),
        letter(topic, key=b""),
    ]
    dry = admin.data("events", "dlq", "replay", "--topic", topic)
    assert (dry["applied"], dry["total"]) == (False, 6)
    assert dry["counts"] == [{"topic": topic, "reason": "MALFORMED_DATA", "count": 6, "can_replay": 2}]
    assert admin.data("events", "dlq", "list", "--id", first)["total"] == 1
    done = admin.data("events", "dlq", "replay", "--topic", topic, "--apply", "--reason", "the topic is mended")
    assert (done["applied"], done["replayed"], done["left"]) == (True, 2, 4)
    records = consumed(platform, topic, 2)
    assert sorted(records, key=str) == sorted([("ключ".encode(), b"\x00\xff raw"), (None, b"")], key=str)
    assert set(ids(admin.data("events", "dlq", "list", "--topic", topic))) == set(stays)


def test_each_part_is_audited_with_the_filter(admin, letter, topic):
    user = uuid4()
    letter(topic, user=user)
    done = admin.data(
        "events", "dlq", "replay", "--topic", topic, "--user", user, "--apply", "--reason", "the topic is mended"
    )
    [entry] = admin.data("audit", "list", "--user", user)["entries"]
    assert entry["audit_id"] == done["first_audit_id"] == done["last_audit_id"]
    assert (entry["command"], entry["kind"], entry["reason"]) == ("events dlq replay", "change", "the topic is mended")
    assert entry["target"]["topic"] == topic
    assert entry["target"]["until"] == done["revision"].replace("+00:00", "Z")
    assert entry["after"] == {"letters": 0, "replayed": 1}
    again = admin.data("events", "dlq", "replay", "--topic", topic, "--apply", "--reason", "once more, please")
    assert (again["replayed"], again["first_audit_id"]) == (0, None)


def test_the_dry_run_is_shown_and_says_how_to_continue(admin, letter, topic):
    letter(topic)
    ran = admin.run("events", "dlq", "replay", "--topic", topic)
    assert ran.code == 0
    [shown] = tables_of(ran.out)
    assert shown == (["topic", "reason", "letters", "can be replayed"], [[topic, "MALFORMED_DATA", "1", "1"]])
    assert f'libctl events dlq replay --topic {topic} --apply --reason "…" --revision 20' in ran.err
    shown = admin.shows("events", "dlq", "replay", "--topic", topic, "--apply", "--reason", "the topic is mended")
    assert "replayed" in shown


def test_what_comes_after_the_dry_run_is_not_sent(admin, letter, topic):
    letter(topic)
    revision = admin.data("events", "dlq", "replay", "--topic", topic)["revision"]
    late = letter(topic)
    words = ("events", "dlq", "replay", "--topic", topic, "--apply", "--reason", "as seen in the dry run", "--revision")
    assert admin.data(*words, revision)["replayed"] == 1
    assert ids(admin.data("events", "dlq", "list", "--topic", topic)) == [late]
    assert admin.refused(*words, "nonsense") == (4, "PRECONDITION_FAILED")


def test_letters_of_an_erased_account_are_left_to_the_erasure(admin, letter, topic, database):
    user = uuid4()
    letter(topic, user=user)
    database("UPDATE gateway.user_streams SET erased_at = now() + interval '1 h' WHERE user_id = $1", user)
    done = admin.data("events", "dlq", "replay", "--topic", topic, "--apply", "--reason", "the topic is mended")
    assert (done["replayed"], done["left"]) == (0, 1) or database(
        "SELECT count(*) AS n FROM gateway.dead_letters WHERE user_id = $1", user
    )[0]["n"] == 0
    assert database("SELECT count(*) AS n FROM gateway.outbox WHERE topic = $1", topic)[0]["n"] == 0


def test_a_letter_that_somebody_is_at_is_left(admin, letter, topic, held):
    words = ("events", "dlq", "replay", "--topic", topic, "--apply", "--reason", "the topic is mended")
    letter(topic)
    with held(f"SELECT FROM gateway.dead_letters WHERE topic = '{topic}' FOR UPDATE"):
        assert admin.data(*words)["left"] == 1
    assert admin.data(*words)["replayed"] == 1


def test_a_letter_of_a_user_whose_row_is_locked_is_left(admin, letter, topic, held):
    """An erasure that has just begun must not have to wait for this."""
    words = ("events", "dlq", "replay", "--topic", topic, "--apply", "--reason", "the topic is mended")
    user = uuid4()
    letter(topic, user=user)
    with held(f"SELECT FROM gateway.user_streams WHERE user_id = '{user}' FOR UPDATE"):
        assert admin.data(*words)["left"] == 1
    assert admin.data(*words)["replayed"] == 1


def test_a_record_that_could_not_be_applied_is_applied_once_it_is_mended(admin, platform, service, letter, database):
    """A record that still can't be applied becomes a new letter, which this replay does not send."""
    player, game, wrong = uuid4(), uuid4(), b'{"data": {"userId": "%s"}}' % str(uuid4()).encode()
    good = CloudEvent(PURCHASED, {"userId": str(player), "orderId": "o", "items": [{"productId": str(game)}]})
    both = [letter(PAYMENTS, value=good.encode(), user=player), letter(PAYMENTS, value=wrong)]
    done = admin.data("events", "dlq", "replay", "--topic", PAYMENTS, "--apply", "--reason", "the topic is mended")
    assert done["replayed"] == 2
    found = wait_for(lambda: admin.data("events", "dlq", "list", "--topic", PAYMENTS)["dead_letters"])
    assert [one["reason"] for one in found] == ["MALFORMED_EVENT"]
    assert UUID(found[0]["dead_letter_id"]) not in both
    owned = "SELECT 1 FROM library.user_library_items WHERE user_id = $1 AND product_id = $2"
    assert wait_for(lambda: database(owned, player, game))


def test_only_admins_replay_and_nobody_else_looks(support, staff, topic):
    words = ("events", "dlq", "replay", "--topic", topic, "--user", uuid4())
    assert support.refused(*words) == (1, "PERMISSION_DENIED")
    [entry] = support.data("audit", "list", "--actor", support.id, "--command", "events dlq replay")["entries"]
    assert (entry["user_id"], entry["target"]["topic"]) == (str(words[-1]), topic)
    assert "user_id" not in entry["target"]
    for words in (("outbox",), ("dlq", "list"), ("dlq", "replay")):
        assert staff("user").refused("events", *words) == (1, "PERMISSION_DENIED")


def test_a_look_at_rare_letters_reads_one_part(support, database, topic, monkeypatch):
    database(
        "INSERT INTO gateway.dead_letters (id, user_id, topic, reason, detail, value, created_at) "
        "SELECT gen_random_uuid(), uuid(repeat('0', 32)), $1, CASE WHEN n IN (1, 12000) THEN 'RARE' ELSE 'COMMON' END, "
        "'', 'v', $2::timestamptz + make_interval(secs => n) FROM generate_series(1, 12000) n",
        topic,
        DAY - timedelta(days=30),
    )
    calls, call = [], Client.call
    monkeypatch.setattr(Client, "call", lambda *given: calls.append(given[1]) or call(*given))

    def pause(_):
        if len(calls) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("gameshelf.libctl.watching.time", SimpleNamespace(sleep=pause))
    words = ("events", "dlq", "list", "--topic", topic, "--only-reason", "RARE", "--limit", 2, "--watch")
    try:
        ran = support.run("--json", *words)
        calls.clear()
        shown = support.shows(*words)
    finally:
        database("DELETE FROM gateway.dead_letters WHERE topic = $1", topic)
    looks = [json.loads(line) for line in ran.out.splitlines()]
    assert [len(one["dead_letters"]) for one in looks] == [1, 2, 1, 2], "the search continues, and begins again"
    assert "1 of 2. So far: the next look searches on." in shown
    assert "2 of 2.\n" in shown


def test_many_parts(admin, database, topic):
    """More letters than a part has, and kinds among them that are rare."""
    database(
        "INSERT INTO gateway.dead_letters (id, user_id, topic, reason, detail, value, created_at) "
        "SELECT gen_random_uuid(), uuid(repeat('0', 32)), $1, CASE WHEN n % 500 = 0 THEN 'RARE' ELSE 'COMMON' END, '', "
        "'v', now() - make_interval(secs => n) FROM generate_series(1, 1200) n",
        topic,
    )
    rare = admin.shows("--json", "events", "dlq", "list", "--topic", topic, "--only-reason", "RARE", "--all")
    assert len(rare.splitlines()) == 2
    done = admin.data("events", "dlq", "replay", "--topic", topic, "--apply", "--reason", "the topic is mended")
    assert (done["replayed"], done["left"]) == (1200, 0)
    entries = admin.data("audit", "list", "--command", "events dlq replay", "--actor", admin.id)["entries"]
    sizes = [entry["after"]["replayed"] for entry in entries if entry["target"].get("topic") == topic]
    assert sizes == [200, 500, 500]


def test_a_letter_of_a_wrong_topic_is_sent_by_its_id_only(admin, letter, topic, database):
    wrong, other = letter(topic, reason="WRONG_TOPIC"), letter(topic)
    dry = admin.data("events", "dlq", "replay", "--topic", topic)
    assert {one["reason"]: one["can_replay"] for one in dry["counts"]} == {"WRONG_TOPIC": 0, "MALFORMED_DATA": 1}
    shown = admin.data("events", "dlq", "list", "--topic", topic)["dead_letters"]
    assert {UUID(one["dead_letter_id"]): one["can_replay"] for one in shown} == {wrong: False, other: True}
    words = ("--apply", "--reason", "the topic is mended")
    assert admin.data("events", "dlq", "replay", "--topic", topic, *words)["replayed"] == 1
    left = database("SELECT id FROM gateway.dead_letters WHERE topic = $1", topic)
    assert [row["id"] for row in left] == [wrong]
    assert admin.data("events", "dlq", "replay", "--id", wrong, *words)["replayed"] == 1

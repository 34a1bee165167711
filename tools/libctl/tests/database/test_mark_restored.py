"""``backup mark-restored``: twice, at once, beside a writer, and where the database does not show its identity."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

POINT = "2026-01-01T00:00:00Z"
MARK = ("backup", "mark-restored", "--point", POINT)
APPLY = ("--apply", "--reason", "ticket 7")
RESTORES = "SELECT restored_point, reason, reconciled_at FROM gateway.restores ORDER BY restored_at"
BEYOND_ALL = 1_600_000_000


def test_a_database_never_restored_can_be_marked_repeatedly(libctl, library, fetch):
    looked = libctl("--json", *MARK, dsn=library)
    assert (looked.code, looked.data["applied"], looked.data["last_marked"]) == (0, False, None)
    assert fetch(library, RESTORES) == []
    for times in (1, 2):
        assert libctl("--json", *MARK, *APPLY, dsn=library).data["applied"] is True
        assert len(fetch(library, RESTORES)) == times
    revisions = fetch(library, "SELECT min(revision) AS least FROM settings.game_specific_settings")
    assert revisions[0]["least"] > BEYOND_ALL


@pytest.mark.parametrize(
    "words",
    [
        ("--point", "2199-01-01"),
        ("--point", "tomorrow"),
        ("--point", ""),
        ("--point", "2026-13-01"),
        (),
        ("--nothing-lost", "--point", POINT),
    ],
)
def test_a_point_that_can_not_be_meant_is_refused(libctl, library, fetch, words):
    assert libctl("backup", "mark-restored", *words, *APPLY, dsn=library).code == 2
    assert fetch(library, RESTORES) == []


@pytest.mark.long
def test_two_who_mark_at_once_both_succeed(libctl, library, fetch):
    def mark():
        ran = libctl.start("--json", *MARK, *APPLY, dsn=library)
        ran.communicate()
        return ran.returncode

    with ThreadPoolExecutor() as pool:
        assert [done.result() for done in [pool.submit(mark) for _ in range(2)]] == [0, 0]
    assert len(fetch(library, RESTORES)) == 2


def test_a_role_that_may_not_read_the_databases_identity_can_mark_it(libctl, library, postgres, execute, fetch):
    role, name = f"owner{uuid4().hex[:8]}", library.rpartition("/")[2].partition("?")[0]
    execute(
        library,
        f"CREATE ROLE {role} LOGIN",
        f'GRANT ALL ON DATABASE "{name}" TO {role}',
        *(
            f"GRANT ALL ON SCHEMA {schema} TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role}; "
            f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
            for schema in ("gateway", "settings", "savegames")
        ),
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
    )
    scheme, _, rest = library.partition("://")
    dsn = f"{scheme}://{role}@{rest.rpartition('@')[2]}"
    marked = libctl("--json", *MARK, *APPLY, dsn=dsn)
    assert marked.code == 0, marked.err
    assert (marked.data["system"], marked.data["replaced"]) == (None, False)
    assert len(fetch(library, RESTORES)) == 1
    assert "not visible" in libctl(*MARK, dsn=dsn).out


@pytest.mark.long
async def test_the_mark_and_a_writer_do_not_wait_for_each_other(libctl, library):
    """A writer has its user's own row first and the user's other rows then."""
    writer = await asyncpg.connect(library)
    keeper = await asyncpg.connect(library)
    [user] = await writer.fetch("SELECT user_id FROM settings.game_specific_settings LIMIT 1")
    user_id = user["user_id"]
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute("SELECT FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE", user_id)
    marking = libctl.start("--json", *MARK, *APPLY, dsn=library)
    await until_somebody_waits(keeper)
    await writer.execute(
        "UPDATE settings.game_specific_settings SET revision = revision + 1 WHERE user_id = $1",
        user_id,
        timeout=PATIENCE_SECONDS,
    )
    await transaction.commit()
    _, printed = await asyncio.to_thread(marking.communicate)
    assert marking.returncode == 0, printed
    await writer.close()
    await keeper.close()


def test_a_row_that_somebody_holds_ends_the_mark_with_a_word(libctl, library, fetch, monkeypatch):
    monkeypatch.setattr("gameshelf.libctl.backup.mark._LOCK_SECONDS", 0.05)
    monkeypatch.setattr("gameshelf.libctl.backup.mark._PAUSE_SECONDS", 0)
    with asyncio.Runner() as somebody:
        connection = somebody.run(asyncpg.connect(library))
        transaction = connection.transaction()
        somebody.run(transaction.start())
        somebody.run(connection.execute("SELECT FROM gateway.user_streams FOR UPDATE"))
        held = libctl(*MARK, *APPLY, dsn=library)
        somebody.run(transaction.rollback())
        somebody.run(connection.close())
    assert (held.code, "is locked" in held.err) == (4, True)
    assert fetch(library, RESTORES) == []


async def until_somebody_waits(connection):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.02)

"""``libctl db distribute``: refused without Citus; on a cluster of three servers where the extension is installed."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from gameshelf.devstack.servers import choice
from gameshelf.devstack.servers.postgres import Postgres
from gameshelf.libctl.distribution.catalog import read_tables
from gameshelf.libctl.distribution.distribute import distribute, local_tables, look
from gameshelf.libctl.distribution.plan import Placement, plan
from gameshelf.libctl.errors import ExitCode
from gameshelf.libctl.packages import installed
from gameshelf.libctl.postgres import PostgresDatabase

from ..shown_tables import headings_of

EXTENSION = Path("/usr/share/postgresql/15/extension/citus.control")
DATA = Path(__file__).parent / "data.sql"
APPLY = ("db", "distribute", "--apply", "--reason", "ticket 9")
# The schemas of gateway 0.3.0. Its libctl could distribute the tables, after the statements of the file.
LAST_RELEASE = {
    "achievements": "0005",
    "gateway": "0015",
    "library": "0013",
    "playtime": "0006",
    "savegames": "0012",
    "settings": "0005",
    "wishlist": "0006",
}
SECOND_STEPS = Path(__file__).parent / "second_steps.sql"
COUNTED = ("library.user_library_items", "gateway.user_streams", "library.products", "savegames.savegame_metadata")


async def planned(dsn):
    connection = await asyncpg.connect(dsn)
    try:
        packages = installed()
        for package in packages.values():
            for statement in package.second_steps:
                await connection.execute(statement)
        tables = await read_tables(connection, packages.values(), distributed=False)
        return plan(tables, local_tables(packages))
    finally:
        await connection.close()


async def test_every_table_can_be_distributed_after_the_second_steps(library):
    found = await planned(library)
    assert found.obstacles == []
    placements = {step.table: step.placement for step in found.steps}
    assert placements["gateway.audit"] is placements["library.family_seats"] is Placement.BY_USER
    assert placements["library.products"] is placements["gateway.erased_users"] is Placement.REFERENCE
    assert {table for table, placement in placements.items() if placement is Placement.LOCAL} == local_tables(
        installed()
    )


async def test_keys_without_the_user_and_triggers_prevent_it(library, execute):
    await asyncio.to_thread(
        execute,
        library,
        "CREATE UNIQUE INDEX uq_by_hand ON gateway.audit (undo_of)",
        "CREATE TRIGGER by_hand BEFORE UPDATE ON gateway.outbox FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    )
    obstacles = "; ".join((await planned(library)).obstacles)
    for named in ("gateway.audit: the unique key uq_by_hand", "gateway.outbox has triggers: by_hand"):
        assert named in obstacles


def test_without_the_extension_nothing_is_changed(libctl, library):
    for words in (("db", "distribute"), APPLY):
        refused = libctl(*words, dsn=library)
        assert refused.code == ExitCode.PRECONDITION
        assert "the extension citus" in refused.err
    assert not libctl.log.exists()


def test_schemas_of_another_version_are_refused(libctl, database):
    refused = libctl("db", "distribute", dsn=database)
    assert refused.code == ExitCode.PRECONDITION
    assert "libctl db migrate" in refused.err


@pytest.fixture(scope="module")
def cluster(server_directory):
    """A coordinator and two machines for shards."""
    if not choice.are_real() or not EXTENSION.exists():
        pytest.skip("NOT RUN: PostgreSQL 15 with the extension citus is not installed")
    nodes = [Postgres(server_directory / f"citus-{number}") for number in range(3)]
    for node in nodes:
        node.durable = False
        node.settings = {
            "shared_preload_libraries": "citus",
            "max_prepared_transactions": "200",
            "citus.local_hostname": "127.0.0.1",
            "citus.node_conninfo": "sslmode=disable",
            "citus.shard_count": "4",
            "citus.enable_create_database_propagation": "off",
            # As the page on scaling asks for: the coordinator shows the parts of tables beside the tables.
            "citus.override_table_visibility": "off",
        }
        node.start()
    yield nodes
    for node in nodes:
        node.stop()


@pytest.fixture
def empty(cluster):
    """The DSN of an empty database of the coordinator, which all machines have."""
    name = f"c{uuid4().hex[:8]}"
    for node in cluster:
        node.create_database(name)
    return cluster[0].dsn(name)


@pytest.fixture
def join(cluster, execute):
    """Installs the extension in a database of the coordinator, and adds the other machines."""

    def join(dsn):
        coordinator, *workers = cluster
        name = urlsplit(dsn).path.removeprefix("/")
        for node in cluster:
            execute(node.dsn(name), "CREATE EXTENSION citus")
        execute(dsn, f"SELECT citus_set_coordinator_host('127.0.0.1', {coordinator.port})")
        for node in workers:
            execute(dsn, f"SELECT citus_add_node('127.0.0.1', {node.port})")

    return join


@pytest.fixture
def distributable(empty, join, execute):
    """The DSN of a database with rows that were there before the extension."""
    for package in installed().values():
        package.upgrade(empty)
    execute(empty, DATA.read_text())
    join(empty)
    return empty


def counts(fetch, dsn):
    return {table: fetch(dsn, f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in COUNTED}


@pytest.mark.real
@pytest.mark.long
def test_the_tables_are_distributed_with_their_rows_and_once(libctl, distributable, fetch, execute):
    before = counts(fetch, distributable)
    shown = libctl("db", "distribute", "--json", dsn=distributable)
    assert (shown.data["applied"], shown.data["done"], shown.data["machines"]) == (False, False, 2)
    assert not any(table["is_done"] for table in shown.data["tables"] if table["placement"] != "coordinator")
    assert headings_of(libctl("db", "distribute").out) == [["table", "place", "column", "state"]]

    # Some tables are done already, as after an interruption.
    execute(distributable, *(step for one in installed().values() for step in one.second_steps))
    execute(distributable, "SELECT create_distributed_table('library.ownership_grants', 'user_id')")
    made = libctl(*APPLY, "--json")
    assert (made.code, made.data["applied"], made.data["done"]) == (ExitCode.OK, True, True)
    assert "library.ownership_grants" not in libctl.logged()[-1]["result"]["done"]

    assert counts(fetch, distributable) == before
    [local] = fetch(distributable, "SELECT pg_relation_size('library.user_library_items') AS bytes")
    assert local["bytes"] == 0
    groups = fetch(
        distributable,
        "SELECT DISTINCT colocation_id FROM citus_tables WHERE distribution_column = 'user_id'"
        " AND citus_table_type = 'distributed'",
    )
    assert len(groups) == 1
    again = libctl(*APPLY, "--json")
    assert (again.code, again.data["applied"], again.data["done"]) == (ExitCode.OK, False, True)
    assert libctl("db", "check").code == ExitCode.OK


async def distribute_as_before(dsn):
    """As libctl of the last release did it: today's refuses the schemas of another version."""
    database = PostgresDatabase(dsn)
    assert [name async for name in distribute(database, await look(database, installed()))]


@pytest.mark.real
@pytest.mark.long
def test_new_tables_of_a_distributed_database_are_distributed_too(libctl, empty, join, execute, fetch):
    for name, package in installed().items():
        package.upgrade(empty, LAST_RELEASE.get(name, "head"))
    execute(empty, SECOND_STEPS.read_text())
    join(empty)
    asyncio.run(distribute_as_before(empty))
    execute(empty, "INSERT INTO gateway.user_streams (user_id) VALUES (gen_random_uuid())")

    assert libctl("db", "migrate", *APPLY[2:], dsn=empty).code == ExitCode.OK
    left = libctl("db", "distribute", "--json")
    new = {table["table"] for table in left.data["tables"] if not table["is_done"]}
    assert new == {"achievements.refused_attempts", "settings.kept_payloads"}
    made = libctl(*APPLY, "--json")
    assert (made.code, made.data["done"]) == (ExitCode.OK, True)
    assert libctl("db", "check").code == ExitCode.OK
    assert fetch(empty, "SELECT count(*) AS n FROM gateway.user_streams")[0]["n"] == 1


@pytest.mark.real
@pytest.mark.long
def test_a_key_that_was_added_by_hand_is_refused(libctl, distributable, execute):
    execute(distributable, "CREATE UNIQUE INDEX by_hand ON library.user_library_items (id)")
    refused = libctl(*APPLY, dsn=distributable)
    assert refused.code == ExitCode.PRECONDITION
    assert "by_hand" in refused.err
    assert not libctl.log.exists()

"""How PostgreSQL carries out each statement: a user's rows by the user's key, products by theirs, whatever the size.

The plans are those without values ("generic"), which the server comes to use for statements that are prepared once.
"""

import json
from itertools import product as combinations
from typing import get_args

import asyncpg
import pytest
from gameshelf.kernel.database import Statement
from gameshelf.kernel.sql import RowErasure
from gameshelf.library import MIGRATIONS, HiddenFilter, ItemSort, Language, SharedFilter
from gameshelf.library._family import queries as family_queries
from gameshelf.library._family.store import links, seats
from gameshelf.library._queries import access, explain, finding, library, orders, support
from gameshelf.library._shares import store as share_store
from gameshelf.library._store import categories, erasure, grants, items, products

pytestmark = pytest.mark.real

MODULES = {
    library: "library",
    access: "access",
    products: "products",
    explain: "explain",
    support: "support",
    orders: "orders",
    finding: "finding",
    categories: "categories",
    erasure: "erasure",
    grants: "grants",
    items: "items",
    links: "links",
    seats: "seats",
    share_store: "shares",
    family_queries: "family",
}
BOOLS = (False, True)
SHAPES = [
    library._Shape(*parts)
    for parts in combinations(
        get_args(Language),
        ItemSort,
        SharedFilter,
        BOOLS,
        BOOLS,
        BOOLS,
        (HiddenFilter.EXCLUDE, HiddenFilter.INCLUDE),
        BOOLS,
    )
] + [
    library._Shape("ru", sort, SharedFilter.INCLUDE, True, False, by_title, HiddenFilter.ONLY, has_shares, *more)
    for sort, by_title, has_shares, *more in combinations(ItemSort, *[BOOLS] * 6)
]
OF_USERS = {
    "user_library_items",
    "ownership_grants",
    "user_game_categories",
    "user_library_item_to_categories",
    "wanted_products",
    "family_sharing_links",
    "family_memberships",
    "family_seats",
    "first_accesses",
    "shared_products",
    "share_changes",
}
# Statements over all users go by a time: of products to ask for, of links that end, of seats that are lost. Or by what
# support looks for.
OVER_ALL = {
    "orders._OWNERS": "lower((source_id)::text)",
    "finding._SOURCES": "lower((source_id)::text)",
    "finding._LINKS": "uuid_send(id)",
    "finding._TITLES": "to_tsvector('simple'::regconfig,",
    "products._DUE": "ask_after",
    "links._EXPIRED": "expires_at",
    "seats._LOST": "lost_at",
}
# In the order of their index, with nothing to look up.
IN_ORDER = {"family._LOSING", "shares._CHANGED", "shares._OUTDATED_LINKS"}

FILL = """
SET session_replication_role = replica;  -- the rows fit together: their foreign keys need not be checked one by one
INSERT INTO library.products (product_id, title_ru, sort_key_ru, sort_key_en)
SELECT md5('p' || n)::uuid, 'Игра ' || n, 'игра ' || n, 'игра ' || n FROM generate_series(1, 5000) n;
INSERT INTO library.user_library_items (user_id, id, product_id, added_at, acquisition_type, last_played_at, is_hidden)
SELECT md5('u' || u)::uuid, md5('i' || u || '-' || n)::uuid, md5('p' || (u * 37 + n * 7) % 5000 + 1)::uuid,
       now() - n * interval '1 day', 'purchase', now() - n * interval '1 hour', n % 20 = 0
FROM generate_series(1, 500) n, generate_series(1, 200) u;
INSERT INTO library.ownership_grants (user_id, product_id, kind, source_id, acquired_at)
SELECT user_id, product_id, 'order', 'o' || user_id || product_id, added_at FROM library.user_library_items;
INSERT INTO library.user_game_categories (user_id, id, name)
SELECT md5('u' || u)::uuid, md5('c' || u || '-' || c)::uuid, 'c' || c
FROM generate_series(1, 200) u, generate_series(1, 10) c;
INSERT INTO library.user_library_item_to_categories (user_id, library_item_id, category_id)
SELECT md5('u' || u)::uuid, md5('i' || u || '-' || n)::uuid, md5('c' || u || '-' || n % 10 + 1)::uuid
FROM generate_series(1, 200) u, generate_series(1, 250) n;
INSERT INTO library.wanted_products (user_id, product_id, ask_after)
SELECT user_id, product_id, added_at FROM library.user_library_items WHERE is_hidden;
INSERT INTO library.family_sharing_links (owner_user_id, id, shared_with_user_id, status, mode, product_ids, shared_at,
    active_since, created_at, updated_at, invited_at, expires_at)
SELECT md5('u' || u)::uuid, md5('l' || u || '-' || m)::uuid, md5('u' || (u + m) % 200 + 1)::uuid, 'active', 'all', '{}',
       now(), now(), now(), now(), '{}', now() + u * interval '1 day'
FROM generate_series(1, 200) u, generate_series(1, 100) m;
INSERT INTO library.family_memberships (user_id, owner_user_id, id, status, mode, product_ids, shared_at, active_since,
    created_at, updated_at)
SELECT shared_with_user_id, owner_user_id, id, status, mode, product_ids, shared_at, active_since, created_at,
       updated_at
FROM library.family_sharing_links;
INSERT INTO library.family_seats (owner_user_id, product_id, seat_number)
SELECT user_id, product_id, 1 FROM library.user_library_items;
INSERT INTO library.first_accesses SELECT user_id, product_id, added_at FROM library.user_library_items;
INSERT INTO library.shared_products (user_id, owner_user_id, product_id, added_at)
SELECT m.user_id, m.owner_user_id, i.product_id, i.added_at
FROM library.family_memberships m JOIN library.user_library_items i ON i.user_id = m.owner_user_id
WHERE m.user_id < '20000000-0000-0000-0000-000000000000';
UPDATE library.family_memberships SET products_as_of = updated_at, products_since = active_since;
INSERT INTO library.share_changes (owner_user_id) SELECT user_id FROM library.user_library_items;
SET session_replication_role = origin;
"""


@pytest.fixture(scope="module")
def empty(create_database):
    return create_database(MIGRATIONS)


@pytest.fixture(scope="module")
async def full(empty):
    """A database of 200 users with 500 games each out of 5,000."""
    settings = {
        "plan_cache_mode": "force_generic_plan",
        # Tables of this size look cheap to read whole, if only several workers share it; real ones don't.
        "max_parallel_workers_per_gather": "0",
    }
    connection = await asyncpg.connect(empty, server_settings=settings)
    await connection.execute(FILL)
    await connection.execute("VACUUM ANALYZE")
    yield connection
    await connection.close()


def statements():
    """Every statement of the package by its name."""
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, RowErasure):
                value = value.statements
            found = value if isinstance(value, tuple) else value.values() if isinstance(value, dict) else (value,)
            for number, statement in enumerate(found):
                if isinstance(statement, Statement):
                    yield f"{MODULES[module]}.{name}" + (f" {number}" if number else ""), statement


async def plan(connection, statement):
    """The nodes of a statement's plan, each with those below it after it."""
    nulls = ", ".join("NULL" for _ in statement._names)
    await connection.execute(f"PREPARE explained AS {statement.sql}")
    [[found]] = await connection.fetch(f"EXPLAIN (FORMAT JSON) EXECUTE explained{f'({nulls})' if nulls else ''}")
    await connection.execute("DEALLOCATE explained")
    nodes, rest = [], [json.loads(found)[0]["Plan"]]
    while rest:
        node = rest.pop()
        nodes.append(node)
        rest += node.get("Plans", ())
    return nodes


def complaints(nodes, name):
    """Yields the faults of a plan, as text."""
    for node in nodes:
        table, condition = node.get("Relation Name"), node.get("Index Cond", "")
        if node["Node Type"] == "Seq Scan" and table in OF_USERS | {"products"}:
            yield f"{name} reads all of {table}"
        if node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Index Scan"):
            index = node["Index Name"]
            key = "product_id" if index == "pk_products" else OVER_ALL.get(name, "user_id")
            if name not in IN_ORDER and f"{key} " not in condition and index != "pk_catalog_version":
                yield f"{name} goes through {index} by {condition or 'nothing'}"


NAMED = dict(statements())


@pytest.mark.parametrize("name", NAMED)
async def test_a_statement_finds_its_rows_by_key(full, name):
    assert list(complaints(await plan(full, NAMED[name]), name)) == []


@pytest.mark.long
async def test_every_filter_and_order_finds_its_rows_by_key(full):
    found = [
        complaint for shape in SHAPES for complaint in complaints(await plan(full, library._page(shape)), str(shape))
    ]
    assert found == []


@pytest.mark.parametrize(("hidden", "index"), [(HiddenFilter.EXCLUDE, "shown"), (HiddenFilter.ONLY, "hidden")])
async def test_an_index_gives_the_first_page_in_order_and_its_count(full, hidden, index):
    shape = library._Shape("ru", ItemSort.LAST_PLAYED_DESC, SharedFilter.INCLUDE, *[False] * 3, hidden, False)
    nodes = await plan(full, library._page(shape))
    on_index = [node["Node Type"] for node in nodes if node.get("Index Name") == f"ix_user_library_items_{index}"]
    # The page in its order; a few hidden games may also be read through a bitmap, and sorted.
    pages = ["Index Scan", "Bitmap Index Scan"] if hidden is HiddenFilter.ONLY else ["Index Scan"]
    # The count: in the index alone once the table was vacuumed, through a bitmap before.
    counts = ["Index Only Scan", "Bitmap Index Scan"]
    assert sorted(on_index) in [sorted(pair) for pair in combinations(pages, counts)]
    assert "Limit" in [node["Node Type"] for node in nodes]


@pytest.mark.parametrize("sought", ["by_title", "by_products", "by_category", "on_device"])
async def test_expensive_filters_run_once_for_the_page_and_its_count(full, sought):
    shape = library._Shape(
        "ru",
        ItemSort.LAST_PLAYED_DESC,
        SharedFilter.INCLUDE,
        by_status=sought == "on_device",
        by_category=sought == "by_category",
        by_title=sought == "by_title",
        hidden=HiddenFilter.EXCLUDE,
        has_shares=False,
        by_products=sought == "by_products",
        on_device=sought == "on_device",
    )
    nodes = await plan(full, library._page(shape))
    scans = [node["Node Type"] for node in nodes if node.get("Relation Name") == "user_library_items"]
    assert len(scans) == 1
    assert [node["Node Type"] for node in nodes].count("CTE Scan") == 2


async def test_what_is_in_a_category_is_read_at_once_and_not_item_by_item(full):
    shape = library._Shape(
        "ru",
        ItemSort.LAST_PLAYED_DESC,
        SharedFilter.INCLUDE,
        *[False] * 3,
        HiddenFilter.EXCLUDE,
        has_shares=False,
        uncategorized=True,
    )
    nodes = await plan(full, library._page(shape))
    conditions = [
        node.get("Index Cond", "") for node in nodes if node.get("Relation Name") == "user_library_item_to_categories"
    ]
    # Those of the page's own items are shown; the other two are the filter of the page and that of the count.
    assert len([one for one in conditions if "library_item_id" not in one]) == 2


def test_the_statements_were_found():
    assert len(NAMED) > 30
    assert {name.partition(".")[0] for name in NAMED} == set(MODULES.values())

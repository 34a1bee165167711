"""The error for a wrong id: it uses support's words, and names the next command."""

import asyncio
from uuid import uuid4

import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import wait_for

ABOUT_A_USER = (
    "access explain {user} {product}",
    "achievements explain {user} {product} BOSS",
    "achievements show {user} {product}",
    "audit list --user {user}",
    "conflicts list --user {user}",
    "devices list {user}",
    "events dlq list --user {user}",
    "family list {user}",
    "family seats {user}",
    "library list {user} --product {product}",
    "playtime anomalies --user {user}",
    "playtime show {user}",
    "quota recalculate {user}",
    "quota set {user} 2GiB",
    "quota show {user}",
    "saves list {user}",
    "sessions list {user}",
    "settings history {user} {product}",
    "settings list {user}",
    "settings show {user} {product}",
    "uploads list {user}",
    "user show {user}",
    "user timeline {user}",
    "wishlist explain {user} {product}",
    "wishlist show {user}",
)
"""Each of these says of a wrong id what it says of a player who has nothing."""


@pytest.fixture(scope="module")
def product(platform, staff):
    """A product that the Catalog has announced."""
    made = uuid4()
    data = {"productId": str(made), "productType": "game", "newTitle": {"en": "Mistaken"}}
    asyncio.run(publish(platform.kafka.address, [CloudEvent("com.platform.catalog.product.created.v1", data)]))
    wait_for(lambda: staff("support").run("find", made).code == 0)
    return made


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        ("saves versions {user} {id}", 3, "this user has no such save", "libctl saves list"),
        ("saves pin {user} {id} 1", 3, "no such version", "libctl saves versions"),
        ("conflicts show {user} {id}", 3, "no such open conflict", "libctl conflicts list"),
        ("family show {user} {id}", 3, "no such family link", "libctl family list"),
        ("family release-seat {user} {id}", 3, "no seat of this copy is in use", "libctl family seats"),
        ("achievements grant {user} {id}", 3, "no such achievement", "libctl achievements show"),
        ("settings restore {user} {id} 7", 3, "no longer kept", "libctl settings history"),
        ("settings show {user} {id} --revision 7", 3, "no longer kept", "libctl settings history"),
        ("settings history {user} {id} --cursor x", 2, "belong to this listing", "--cursor"),
        ("library grant {user} {id}", 3, "the Catalog has not announced", "check the product id"),
        ("audit show 999999999", 3, "there is no such entry", "libctl audit list"),
        ("audit list --cursor x", 2, "belong to this listing", "--cursor"),
        ("playtime show {user} --cursor x", 2, "belong to this listing", "--cursor"),
        ("audit list --command nothing", 2, "no such command", "--command"),
    ],
)
def test_a_wrong_id_is_answered_in_the_words_of_support(admin, words, code, said, hint):
    ran = admin.run("--json", *words.format(user=uuid4(), id=uuid4()).split())
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.error["message"]
    assert hint in ran.error["try"]
    assert "You" not in ran.error["message"]


def test_what_was_taken_back_is_not_taken_back_again(support):
    user = uuid4()
    done = support.applies("quota", "set", user, "1GiB")
    support.applies("audit", "undo", done["audit_id"])
    ran = support.run("audit", "undo", done["audit_id"])
    assert ran.code == 4
    assert "already undone" in ran.err


@pytest.mark.parametrize("words", ABOUT_A_USER)
def test_an_empty_answer_says_where_the_id_may_be_wrong(support, product, words):
    ran = support.run(*words.format(user=uuid4(), product=product).split())
    assert ran.code == 0
    assert ran.err.count("No data is stored for this user. Is the id correct?") == 1
    if words != "user show {user}":  # the audit would have an entry about this id, which other commands list
        swapped = support.run(*words.format(user=product, product=uuid4()).split())
        assert f"{product} is not the id of a user, but of a product (Mistaken): libctl find {product}" in swapped.err
    as_json = support.run("--json", *words.format(user=uuid4(), product=product).split())
    assert (as_json.code, "Is the id correct" in as_json.err) == (0, False)


def test_an_erased_user_is_no_wrong_id(admin):
    user = uuid4()
    admin.applies("user", "erase", user, "--confirm", user)
    ran = admin.run("quota", "set", user, "2GiB")
    assert (ran.code, "this account was erased" in ran.err, "Is the id" in ran.err) == (3, True, False)


def test_a_change_of_a_product_that_is_unknown_is_doubted(support):
    user, product = uuid4(), uuid4()
    support.applies("quota", "set", user, "2GiB")
    ran = support.run("playtime", "correct", user, product, "--add", "1h")
    assert (ran.code, "The Catalog has not announced this product" in ran.err) == (0, True)
    ran = support.run("playtime", "correct", user, product, "--take", "1h")
    assert (ran.code, "--take 0s" in ran.err, "nothing can be taken" in ran.err) == (2, False, True)


def test_a_player_who_has_nothing_is_no_wrong_id(support, product):
    user = uuid4()
    support.applies("quota", "set", user, "2GiB")
    for words in ABOUT_A_USER:
        assert "is the id" not in support.run(*words.format(user=user, product=product).split()).err.lower(), words
    unknown = uuid4()
    for words in ABOUT_A_USER:
        if "{product}" in words:
            ran = support.run(*words.format(user=user, product=unknown).split())
            assert "The Catalog has not announced this product. Is the id correct?" in ran.err, words


def test_the_audit_fits_a_narrow_terminal_with_ids_in_one_piece(staff):
    somebody = staff("support")
    somebody.columns = 80
    user = uuid4()
    somebody.run("quota", "set", user, "1GiB", "--apply", "--reason", "a " * 40)
    shown = somebody.run("audit", "list", "--user", user).out
    assert str(user) in shown
    assert max(map(len, shown.splitlines())) <= 80

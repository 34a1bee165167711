"""``libctl find`` with an Account service: users are found by name and e-mail address."""

from uuid import uuid4

import pytest
from gameshelf.devstack.account_server import AccountServer
from gameshelf.devstack.people import Person
from gameshelf.devstack.pytest_plugin import wait_for
from gameshelf.devstack.servers.base import free_port

ANNA = Person(uuid4(), "Anna Лебедева", "anna@example.com")
ANNIE = Person(uuid4(), "Annie", "annie@example.com")
GONE = Person(uuid4(), "Olga", "olga@example.com")


@pytest.fixture(scope="module")
def accounts():
    server = AccountServer(free_port(), [ANNA, ANNIE, GONE, *(Person(uuid4(), f"Many {n}", "") for n in range(9))])
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def service(platform, accounts):
    made = platform.service(ACCOUNT_SERVICE_GRPC_ADDR=accounts.address)
    made.start()
    return made


def test_a_user_is_found_by_name_and_by_address(support):
    for what in ("anna", "ANNA ЛЕБ", "Anna@Example.com"):
        [one] = support.data("find", *what.split())["objects"]
        assert (one["kind"], one["id"], one["name"]) == ("user", str(ANNA.user_id), ANNA.name)
    both = support.data("find", "ann")["objects"]
    assert {one["id"] for one in both} == {str(ANNA.user_id), str(ANNIE.user_id)}
    shown = support.shows("find", "anna")
    assert f"libctl user show {ANNA.user_id}" in shown
    assert ANNA.name in shown
    ran = support.run("find", "nobody@example.com")
    assert ran.code == 3
    assert "not looked up" not in ran.err


def test_of_many_a_few_are_shown_and_that_there_are_more(support):
    found = support.data("find", "many")
    assert (len(found["objects"]), found["kinds_with_more"]) == (5, ["user"])
    assert "type more" in support.run("find", "many").err


def test_an_id_is_no_name(support):
    assert support.run("--json", "find", uuid4()).error["code"] == "NOT_FOUND"
    for name in ("20041987", "deadbeef"):
        ran = support.run("find", name)
        assert ran.code == 3
        assert "it was taken for an id or a number, so names were not looked up" in ran.err
        assert "the user's id or e-mail address" in ran.err
    assert "looked up" not in support.run("find", uuid4()).err
    assert support.data("find", "anna")["accounts"] == "answered"


def test_an_erased_user_is_not_found_by_name(support, admin):
    assert support.data("find", "olga")["objects"]
    admin.applies("user", "erase", GONE.user_id, "--confirm", GONE.user_id)
    assert support.refused("find", "olga") == (3, "NOT_FOUND")


def test_without_an_answer_it_says_so(support, accounts):
    accounts.stop()
    ran = support.run("find", "anna")
    assert ran.code == 3
    assert "the Account service did not answer" in ran.err
    accounts.start()
    wait_for(lambda: support.run("find", "anna").code == 0)

"""Handlers get resources by the types of their parameters, and nothing else."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from gameshelf.gateway.runtime.http.routing import Read, Routes, Write, bind


class Store:
    pass


def declared(handler, path="/things/<uuid:thing_id>", **more):
    routes = Routes("things", "Things.")
    routes.write("POST", path, **more)(handler)
    return routes.all[0]


async def handler(write: Write, thing_id: UUID, body: object, store: Store):
    """Answers."""
    return write, thing_id, body, store


async def test_a_handler_gets_what_the_process_has_of_the_type():
    store, thing_id = Store(), uuid4()
    bound = bind(declared(handler), {Store: store, int: 1})
    assert await bound.handler("write", thing_id=thing_id, body="body") == ("write", thing_id, "body", store)
    assert bound.handler.__name__ == "handler"


@pytest.mark.parametrize("kind", ["read", "write", "action", "signal"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_key_is_taken_by_every_post_that_changes_something(kind, method):
    route = replace(declared(handler), kind=kind, method=method)
    changes = kind in ("write", "action") and method != "GET"
    assert (route.is_change, route.takes_key) == (changes, changes and method == "POST")


def test_a_question_takes_no_key():
    routes = Routes("things", "Things.")
    routes.ask("/things")(handler)
    assert (routes.all[0].method, routes.all[0].is_change, routes.all[0].takes_key) == ("POST", False, False)


def test_a_handler_that_needs_nothing_stays_as_it_is():
    async def plain(read: Read, thing_id: UUID):
        """Answers."""

    assert bind(declared(plain), {}).handler is plain


def test_what_a_process_lacks_stops_the_start_and_is_named():
    with pytest.raises(TypeError, match=r"things\.handler: nothing in this process is .*Store"):
        bind(declared(handler), {int: 1})

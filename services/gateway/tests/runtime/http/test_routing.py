"""Handlers get what they ask for by the type of a parameter, and nothing else."""

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


async def test_what_surrounds_a_handler_gets_it_too():
    async def prepare(user_id: UUID, thing_id: UUID, store: Store):
        return store

    async def renew(write: Write, kept: object, thing_id: UUID, store: Store):
        return store

    async def finish(found: object, store: Store):
        return store

    store = Store()
    bound = bind(declared(handler, prepare=prepare, renew=renew, finish=finish), {Store: store})
    assert await bound.prepare(uuid4(), thing_id=uuid4()) is store
    assert await bound.renew("write", "kept", thing_id=uuid4()) is store
    assert await bound.finish("found") is store


def test_a_handler_that_needs_nothing_stays_as_it_is():
    async def plain(read: Read, thing_id: UUID):
        """Answers."""

    assert bind(declared(plain), {}).handler is plain


def test_what_a_process_lacks_stops_the_start_and_is_named():
    with pytest.raises(TypeError, match=r"things\.handler: nothing in this process is .*Store"):
        bind(declared(handler), {int: 1})

"""Live updates: each message once, none missing, over connections that are cut, silent, refused or strange."""

import asyncio
import inspect
import json
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from gameshelf.client import ForeignAnswer, LibraryClient, LibraryRefusal, LibraryUnreachable, RetryRules
from gameshelf.client.live import LiveUpdates, address_of_updates
from gameshelf.client.returns import Returns
from gameshelf.client.tokens import TokenSource
from gameshelf.devstack.ports import HOST
from gameshelf.devstack.proxy import Proxy
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from websockets.asyncio.server import serve

PING = 0x89
"""The first byte of the protocol's ping."""


class FreezingProxy(Proxy):
    """Forwards nothing to the client while it is frozen, and closes nothing: a cable that was pulled."""

    frozen = False
    pings = 0
    """What clients have sent to keep their connections from being closed."""
    replaced = (b"", b"")
    """A token of requests, and the one that the service sees in its place."""

    def pumps(self, client):
        async def there(reader, writer):
            while chunk := await reader.read(65536):
                self.pings += chunk[0] == PING
                writer.write(chunk.replace(*self.replaced))
                await writer.drain()

        async def back(reader, writer):
            while chunk := await reader.read(65536):
                while self.frozen:
                    await asyncio.sleep(0.02)
                writer.write(chunk)
                await writer.drain()

        return there, back


@pytest.fixture
async def wire(service):
    async with FreezingProxy(service.http_port) as made:
        yield made


@pytest.fixture
def listen(wire, player):
    """Makes live updates of the player, through a wire that can be cut."""

    async def briefly(seconds):
        await asyncio.sleep(min(seconds, 0.02))

    def make(cursor=None, token=None, **options):
        options = {"pause": briefly, **options}
        address = address_of_updates(f"http://{wire.address}/api/v1/library")
        return LiveUpdates(address, TokenSource(token or player.token), cursor, **options)

    return make


async def taken(updates, number):
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [await anext(updates) for _ in range(number)]


def named(messages):
    return [message["payload"]["name"] for message in messages]


async def test_each_message_comes_once_over_cut_connections(listen, wire, client):
    async with listen("0") as updates:
        for round_ in range(3):
            await client.library.create_category({"name": f"a{round_}"})
            assert named(await taken(updates, 1)) == [f"a{round_}"]
            await wire.cut()
            await client.library.create_category({"name": f"b{round_}"})
            await wire.listen()
            assert named(await taken(updates, 1)) == [f"b{round_}"]
        assert updates.connections == 4
        cursor = updates.cursor
    await client.library.create_category({"name": "while it is off"})
    async with listen(cursor) as updates:
        assert named(await taken(updates, 1)) == ["while it is off"]


async def test_a_cut_before_the_first_message_loses_none(listen, wire, client):
    async with listen() as updates:
        waiting = asyncio.create_task(taken(updates, 1))
        while updates.cursor is None:
            await asyncio.sleep(0.01)
        await wire.cut()
        await client.library.create_category({"name": "RPG"})
        await wire.listen()
        assert named(await waiting) == ["RPG"]


async def test_a_silent_connection_is_given_up(listen, wire, client):
    """Half-open connections after a sleep of the machine or a change of the network: nothing is ever closed."""
    async with listen("0", ping_seconds=0.4) as updates:
        await client.library.create_category({"name": "a"})
        assert named(await taken(updates, 1)) == ["a"]
        wire.frozen = True
        waiting = asyncio.create_task(taken(updates, 1))
        await client.library.create_category({"name": "b"})
        while updates.connections == 1 and wire.connections == 1:
            await asyncio.sleep(0.05)
        wire.frozen = False
        assert named(await waiting) == ["b"]


async def test_a_connection_with_nothing_to_say_is_kept_from_being_closed(listen, wire, client):
    """supabase/realtime-js#121: a proxy closes a connection on which nothing was said for 60 to 90 seconds."""
    assert inspect.signature(LibraryClient.live_updates).parameters["ping_seconds"].default < 60
    async with listen("0", ping_seconds=1) as updates:
        waiting = asyncio.create_task(taken(updates, 1))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while wire.pings < 2:
                await asyncio.sleep(0.02)
        await client.library.create_category({"name": "a"})
        assert named(await waiting) == ["a"]
        assert updates.connections == 1


async def test_what_was_closed_comes_back_although_its_token_has_expired(listen, wire, client, platform, player):
    """The same report: what came back with the token of before was refused, and stayed silent for ever."""
    tokens = [platform.issuer.issue(str(player.user), ttl=seconds) for seconds in (600, 700)]
    given = iter(tokens)
    async with listen("0", lambda: next(given)) as updates:
        await client.library.create_category({"name": "a"})
        assert named(await taken(updates, 1)) == ["a"]
        stale = platform.issuer.issue(str(player.user), ttl=-3600)
        wire.replaced = (tokens[0].encode(), stale.encode())  # the service sees that it has expired
        waiting = asyncio.create_task(taken(updates, 1))
        await wire.cut()
        await client.library.create_category({"name": "b"})
        await wire.listen()
        assert named(await waiting) == ["b"]
        assert list(given) == []


async def test_a_call_that_is_answered_again_ends_the_pause(wire, player):
    """The launcher said that it was connected again, and got its messages up to 30 seconds later."""
    pauses, is_back = [], asyncio.Event()

    async def until_back(seconds):
        pauses.append(seconds)
        if not is_back.is_set():
            await asyncio.sleep(PATIENCE_SECONDS)

    address, once = f"http://{wire.address}/api/v1/library", RetryRules(tries_to_connect=1)
    async with (
        LibraryClient(address, player.token, retries=once, pause=until_back) as client,
        client.live_updates("0") as updates,
        asyncio.timeout(PATIENCE_SECONDS / 2),
    ):
        await wire.cut()
        waiting = asyncio.create_task(taken(updates, 1))
        while not pauses:
            await asyncio.sleep(0.01)
        with pytest.raises(LibraryUnreachable):
            await client.home.get_home()
        assert updates.connections == 0
        await wire.listen()
        is_back.set()
        await client.library.create_category({"name": "a"})
        assert named(await waiting) == ["a"]
        assert len(pauses) == 2  # the second is short: not all clients come at the same moment


@pytest.mark.long
async def test_a_restart_of_the_service_loses_and_repeats_nothing(platform, player):
    """Calls and updates of one client continue while the service is killed and started again."""
    service = platform.service()
    await asyncio.to_thread(service.start)

    async def briefly(seconds):
        await asyncio.sleep(min(seconds, 0.05))

    rules = RetryRules(tries=10_000, tries_to_connect=10_000, total_seconds=PATIENCE_SECONDS)
    async with (
        LibraryClient(service.api, player.token, retries=rules, pause=briefly) as client,
        client.live_updates("0") as updates,
    ):
        await client.library.create_category({"name": "before"})
        assert named(await taken(updates, 1)) == ["before"]
        service.kill()
        waiting = asyncio.create_task(taken(updates, 3))
        creating = [asyncio.create_task(client.library.create_category({"name": name})) for name in "abc"]
        await asyncio.to_thread(service.start)
        await asyncio.gather(*creating)
        assert sorted(named(await waiting)) == ["a", "b", "c"]
        assert len(await client.library.list_categories().all()) == 4
    service.stop()


async def test_a_pause_that_the_service_asks_for_is_kept():
    returns, pauses = Returns(), []

    async def back_meanwhile(seconds):
        await asyncio.sleep(0.02)
        returns.note(None)
        returns.note(200)
        await asyncio.sleep(0.02)
        pauses.append(seconds)

    async with server((4429,), (None, message(1)), pause=back_meanwhile, returns=returns) as (updates, _):
        await taken(updates, 1)
    assert len(pauses) == 1
    assert pauses[0] >= 60


async def test_waiting_for_a_message_may_be_cancelled(listen, client):
    async with listen("0") as updates:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await anext(updates)
        await client.library.create_category({"name": "a"})
        assert named(await taken(updates, 1)) == ["a"]


async def ended(iterating):
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(StopAsyncIteration):
            await iterating


async def test_closing_ends_an_iteration_that_waits(listen, client):
    """miguelgrinberg/python-socketio#252: who closed it was connected again."""
    async with listen("0") as updates:
        waiting = asyncio.ensure_future(anext(updates))
        while updates.connections == 0:
            await asyncio.sleep(0.01)
        await updates.aclose()
        await ended(waiting)
        assert updates.connections == 1
        await client.library.create_category({"name": "a"})
        assert named(await taken(updates, 1)) == ["a"], "it may be used again"


@pytest.mark.parametrize("code", [1013, 4429])
async def test_closing_ends_a_pause_too(code):
    pausing = asyncio.Event()

    async def for_long(seconds):
        pausing.set()
        await asyncio.sleep(PATIENCE_SECONDS * 2)

    async with server((code,), pause=for_long) as (updates, asked):
        waiting = asyncio.ensure_future(anext(updates))
        await pausing.wait()
        await updates.aclose()
        await ended(waiting)
        assert len(asked) == 1


async def test_a_cursor_that_is_not_known_asks_for_a_reload(listen, client):
    async with listen("999999") as updates:
        [message] = await taken(updates, 1)
        assert message["event_type"] == "resync.required"
        await client.library.create_category({"name": "after it"})
        assert named(await taken(updates, 1)) == ["after it"]


async def test_an_expired_token_is_renewed_once(listen, client, platform, player):
    given = iter([platform.issuer.issue(str(player.user), ttl=-3600), player.token])
    async with listen("0", lambda: next(given)) as updates:
        await client.library.create_category({"name": "a"})
        assert named(await taken(updates, 1)) == ["a"]


async def test_each_token_that_expires_is_renewed():
    """ably/ably-dotnet#65: the second one was not."""
    given = iter("abc")
    hello = message(0, "auth.success")
    async with server((4401, hello), (4401, hello), (None, hello, message(1)), pause=asyncio.sleep) as (updates, _):
        updates._tokens = TokenSource(lambda: next(given))
        assert (await anext(updates))["id"] == "1"
    assert list(given) == []


async def test_a_renewal_that_fails_for_a_moment_is_waited_for(listen, client, platform, player):
    """wireapp/wire-webapp#21612: a machine wakes up without a network, and the updates never came back."""
    stale = platform.issuer.issue(str(player.user), ttl=-3600)
    given = iter([OSError("away"), stale, OSError("away"), OSError("away"), player.token])

    def provide():
        answer = next(given)
        if isinstance(answer, OSError):
            raise answer
        return answer

    async with listen("0", provide) as updates:
        await client.library.create_category({"name": "a"})
        assert named(await taken(updates, 1)) == ["a"]


async def test_a_token_that_is_never_accepted_is_the_callers(listen, platform, player):
    stale = platform.issuer.issue(str(player.user), ttl=-3600)
    given = iter([stale, platform.issuer.issue(str(uuid4()), ttl=-3600)])
    for token in (stale, lambda: next(given)):
        async with listen("0", token) as updates:
            with pytest.raises(LibraryRefusal) as found:
                await anext(updates)
        assert found.value.code == "UNAUTHENTICATED"


async def test_the_client_makes_them_with_its_own_address_and_token(service, player):
    async with LibraryClient(service.api, player.token, client_id="deck-7") as client, client.live_updates() as updates:
        waiting = asyncio.create_task(taken(updates, 1))
        while updates.cursor is None:
            await asyncio.sleep(0.01)
        await client.library.create_category({"name": "a"})
        assert (await waiting)[0]["origin"] == "deck-7"


async def test_a_redirect_never_receives_the_token(proxy, pause):
    proxy.answer(302, Location="ws://elsewhere.example/")
    proxy.answer(404, b"not here")
    async with LiveUpdates(address_of_updates(proxy.url), TokenSource("token"), pause=pause) as updates:
        with pytest.raises(ForeignAnswer):
            await anext(updates)
    assert len(proxy.seen) == 2


async def test_an_answer_of_a_proxy_is_waited_for(proxy, pause, pauses):
    proxy.answer(503, b"", Retry_After="40")
    proxy.answer(503, b"", Retry_After="9999999")
    proxy.answer(429)
    proxy.cut()
    proxy.answer(200, b"<html>hotspot</html>")
    proxy.answer(404)
    async with LiveUpdates(address_of_updates(proxy.url), TokenSource("token"), pause=pause) as updates:
        with pytest.raises(ForeignAnswer):
            await anext(updates)
    assert len(pauses) == 5
    assert 40 <= pauses[0] <= 41
    assert 3600 <= pauses[1] <= 3602, "four months would be the end of the messages"


def message(number, kind="library.updated", **payload):
    return json.dumps({"event_type": kind, "id": str(number), "timestamp": "2026-11-28T10:00:00Z", "payload": payload})


@asynccontextmanager
async def server(*connections, clock=None, **options):
    """A server that sends texts, and closes with a code; one list for each connection."""
    left = list(connections)
    asked = []

    async def handle(socket):
        asked.append(socket.request.path.partition("?")[2])
        code, *texts = left.pop(0) if left else (None,)
        for text in texts:
            await socket.send(text)
        await (socket.wait_closed() if code is None else socket.close(code))

    async with serve(handle, HOST, 0) as running:
        port = running.sockets[0].getsockname()[1]
        options |= {"clock": clock} if clock else {}
        async with LiveUpdates(f"ws://{HOST}:{port}/", TokenSource("token"), **options) as updates:
            yield updates, asked


async def test_a_message_that_comes_again_is_left_out(pause):
    async with server((1001, message(5), message(5), message(4)), (None, message(5), message(6)), pause=pause) as made:
        updates, asked = made
        assert [one["id"] for one in await taken(updates, 2)] == ["5", "6"]
        assert asked == ["", "cursor=5"]


async def test_what_is_no_message_is_left_out_and_unknown_ones_pass(pause):
    strange = ["", "null", "[]", "{", b"\xff\x00", '{"event_type": "x"}', '{"event_type": 1, "id": "3", "payload": {}}']
    async with server((None, *strange, message(7, "of.a.later.version", a=1)), pause=pause) as (updates, _):
        [found] = await taken(updates, 1)
        assert (found["event_type"], found["payload"]) == ("of.a.later.version", {"a": 1})


async def test_a_server_that_closes_at_once_is_left_alone_longer(pause, pauses):
    """A connection that opens is no success: without that, a full server is called as fast as it can answer."""
    began = message(1, "auth.success", cursor="1")
    async with server(*([(1013, began)] * 12), (None, message(2)), clock=lambda: 0.0, pause=pause) as (updates, _):
        await taken(updates, 1)
    assert len(pauses) == 12
    assert max(pauses) > 1


async def test_a_limit_is_counted_per_minute(pause, pauses):
    async with server((4429,), (None, message(1)), pause=pause) as (updates, _):
        await taken(updates, 1)
    assert pauses[0] >= 60


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://a.example/api/v1/library", "wss://a.example/api/v1/ws/library-updates"),
        ("http://127.0.0.1:8084/api/v1/library/", "ws://127.0.0.1:8084/api/v1/ws/library-updates"),
        ("https://a.example/shelf/api/v1/library", "wss://a.example/shelf/api/v1/ws/library-updates"),
        ("https://a.example", "wss://a.example/api/v1/ws/library-updates"),
    ],
)
def test_the_address_stands_beside_that_of_the_api(base, expected):
    assert address_of_updates(base) == expected

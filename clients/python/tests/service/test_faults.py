"""The network and the service fail: nothing is lost, and nothing is done twice."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from types import coroutine
from uuid import uuid4

import asyncpg
import httpx
import pytest
from gameshelf.client import ForeignAnswer, LibraryClient, LibraryRefusal, LibraryUnreachable, RetryRules
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS


async def names(client):
    return sorted([one["attributes"]["name"] async for one in client.library.list_categories()])


async def close_connections(http):
    pool = http._transport._pool
    while pool.connections:
        connection = pool._connections.pop()
        await connection.aclose()


@coroutine
def cancelled_at(wait, awaitable):
    """The same, in a task that is cancelled when it waits for that time, counted from 1."""
    steps, waits, step = awaitable.__await__(), 0, None
    while True:
        try:
            waits_for = steps.throw(step) if isinstance(step, BaseException) else steps.send(step)
        except StopIteration as end:
            return end.value
        waits += 1
        if waits == wait:
            asyncio.current_task().cancel()
        try:
            step = yield waits_for
        except BaseException as error:
            step = error


class TestNothingTwice:
    async def test_a_change_whose_answer_is_lost_is_made_once(self, client, proxy):
        proxy.lose(2)
        made = await client.library.create_category({"name": "RPG"})
        assert made.status == 201
        assert len(proxy.keys) == 3
        assert len(set(proxy.keys)) == 1
        assert [one["id"] async for one in client.library.list_categories()] == [made.data["id"]]

    async def test_a_503_after_the_change_was_made(self, client, proxy):
        proxy.refuse(503, reaches=True)
        await client.library.create_category({"name": "RPG"})
        assert await names(client) == ["RPG"]

    async def test_a_key_of_the_caller_is_kept_over_calls(self, client, proxy):
        """A queue on a disk sends again what an earlier process has sent."""
        key = str(uuid4())
        first = await client.library.create_category({"name": "RPG"}, key=key)
        again = await client.library.create_category({"name": "RPG"}, key=key)
        assert first.data == again.data

    async def test_two_calls_have_two_keys(self, client, proxy):
        for name in ("a", "b"):
            await client.library.create_category({"name": name})
        assert len(set(proxy.keys)) == 2

    async def test_a_deletion_whose_answer_is_lost_is_no_error(self, client, proxy):
        made = await client.library.create_category({"name": "RPG"})
        proxy.lose()
        assert (await client.library.delete_category(made.data["id"])).status == 204
        with pytest.raises(LibraryRefusal) as found:
            await client.library.delete_category(made.data["id"])
        assert found.value.status == 404

    async def test_a_refusal_says_that_an_earlier_try_may_have_won(self, client, proxy, owned):
        item = await client.library.get_item(owned["id"])
        proxy.lose()
        with pytest.raises(LibraryRefusal) as found:
            await client.library.update_item(owned["id"], {"is_hidden": True}, if_match=item.etag)
        assert found.value.status == 412
        assert found.value.is_repeated
        assert found.value.meta["current"]["attributes"]["is_hidden"]

    async def test_a_500_is_repeated_only_where_that_is_safe(self, client, proxy, owned, pauses):
        proxy.refuse(500, "INTERNAL_ERROR")
        await client.library.create_category({"name": "RPG"})
        proxy.refuse(500, "INTERNAL_ERROR")
        assert await names(client) == ["RPG"]
        assert len(pauses) == 2
        proxy.refuse(500, "INTERNAL_ERROR")
        with pytest.raises(LibraryRefusal):
            await client.library.update_item(owned["id"], {"is_hidden": True})
        assert len(pauses) == 2


class TestPatience:
    async def test_a_moment_without_the_service(self, client, proxy, pauses):
        proxy.cut(2)
        assert await names(client) == []
        assert len(pauses) == 2

    async def test_the_service_says_for_how_long(self, client, proxy, pauses):
        proxy.refuse(429, "RATE_LIMIT_EXCEEDED", Retry_After="30")
        await names(client)
        assert 30 <= pauses[0] <= 31

    async def test_the_service_says_until_when(self, client, proxy, pauses):
        proxy.refuse(503, Date="Sat, 28 Nov 2026 10:00:00 GMT", Retry_After="Sat, 28 Nov 2026 10:00:40 GMT")
        await names(client)
        assert 40 <= pauses[0] <= 41

    async def test_too_much_patience_is_left_to_the_caller(self, client, proxy, pauses):
        proxy.refuse(429, "RATE_LIMIT_EXCEEDED", Retry_After="3600")
        with pytest.raises(LibraryUnreachable) as found:
            await names(client)
        assert found.value.retry_after == 3600
        assert found.value.refusal.code == "RATE_LIMIT_EXCEEDED"
        assert pauses == []

    async def test_tries_have_a_bound(self, client, proxy, pauses):
        proxy.cut(20)
        with pytest.raises(LibraryUnreachable):
            await names(client)
        assert len(proxy.seen) == RetryRules().tries
        assert pauses[0] < pauses[-1] + 20

    async def test_nobody_waits_longer_than_in_total(self, connect, proxy, pauses):
        now = [0.0]

        async def pause(seconds):
            now[0] += seconds

        async with connect(retries=RetryRules(total_seconds=70), pause=pause, clock=lambda: now[0]) as client:
            for _ in range(5):
                proxy.refuse(503, Retry_After="30")
            with pytest.raises(LibraryUnreachable):
                await names(client)
        assert now[0] <= 70
        assert len(proxy.seen) in (2, 3)

    async def test_a_machine_without_a_network_is_not_kept_waiting(self, player, pause, pauses, unused_port):
        async with LibraryClient(f"http://127.0.0.1:{unused_port}/api", player.token, pause=pause) as client:
            with pytest.raises(LibraryUnreachable, match="ConnectError"):
                await names(client)
        assert len(pauses) == RetryRules().tries_to_connect - 1

    async def test_a_call_that_is_cancelled_ends_at_once(self, connect, proxy):
        async with connect(pause=asyncio.sleep) as client:
            proxy.refuse(503, Retry_After="60")
            call = asyncio.create_task(names(client))
            while not proxy.seen:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call


class TestCancelled:
    """encode/httpcore#1093: a cancelled call left its connection in the pool; of a full one no call had an answer."""

    @pytest.fixture
    async def http(self):
        """A single connection: a call that leaves one behind stops the next."""
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=PATIENCE_SECONDS) as http:
            yield http

    @pytest.mark.parametrize("is_known", [False, True], ids=["new connection", "known connection"])
    async def test_a_call_cancelled_at_any_wait_leaves_no_connection(self, connect, http, is_known):
        client = connect(http=http, retries=RetryRules(tries=1))
        for wait in count(1):
            if not is_known:
                await close_connections(http)
            calls = [cancelled_at(wait, names(client)), *(names(client) for _ in range(3))]
            first, *others = await asyncio.gather(*map(asyncio.create_task, calls), return_exceptions=True)
            assert others == [[], [], []]
            assert await names(client) == []
            if first == []:
                break
            assert isinstance(first, asyncio.CancelledError)
        assert wait > 5

    async def test_calls_that_are_cancelled_together_leave_no_connection(self, connect, http):
        client = connect(http=http, retries=RetryRules(tries=1))
        for wait in range(1, 20):
            calls = [asyncio.create_task(cancelled_at(wait, names(client))) for _ in range(4)]
            await asyncio.gather(*calls, return_exceptions=True)
            assert await names(client) == []

    async def test_a_client_that_is_closed_cannot_reach_the_service(self, connect):
        client = connect()
        await client.aclose()
        with pytest.raises(LibraryUnreachable, match="closed"):
            await names(client)


class TestSomethingElseAnswers:
    @pytest.mark.parametrize(
        ("status", "body", "headers"),
        [
            (200, b"<html>Sign in</html>", {"Content_Type": "text/html"}),
            (302, b"", {"Location": "http://hotspot.example/"}),
            (511, b"", {}),
            (200, b'{"status": "ok"}', {"Content_Type": "application/json"}),
            (200, b"[]", {"Content_Type": "application/json"}),
            (200, b'{"data": [', {"Content_Type": "application/json"}),
            (404, b"<html>nginx</html>", {"Content_Type": "text/html"}),
            (404, b'{"message": "no route"}', {"Content_Type": "application/json"}),
            (403, b'{"errors": []}', {"Content_Type": "application/json"}),
        ],
    )
    async def test_it_is_no_answer_of_the_service(self, client, proxy, pauses, status, body, headers):
        proxy.answer(status, body, **headers)
        with pytest.raises(ForeignAnswer) as found:
            await names(client)
        assert found.value.status == status
        assert pauses == []

    async def test_a_proxy_without_a_service_is_waited_for(self, client, proxy):
        for status in (502, 503, 504):
            proxy.answer(status, b"<html>Bad gateway</html>", Content_Type="text/html")
        assert await names(client) == []


class TestTokens:
    @pytest.fixture
    def stale(self, platform, player):
        return platform.issuer.issue(str(player.user), ttl=-3600)

    async def test_an_expired_token_is_renewed_once_for_all(self, connect, player, stale):
        """However many calls wait: a refresh token is often good for one use."""
        given = [stale, player.token, "no more"]

        async def provide():
            await asyncio.sleep(0.01)
            return given.pop(0)

        async with connect(provide) as client:
            await asyncio.gather(*(client.library.create_category({"name": f"c{number}"}) for number in range(10)))
            assert len(await names(client)) == 10
        assert given == ["no more"]

    async def test_each_token_that_expires_is_renewed(self, connect, proxy, platform, player):
        given = iter([platform.issuer.issue(str(player.user), ttl=3600 + number) for number in range(4)])
        async with connect(lambda: next(given)) as client:
            for _ in range(3):
                proxy.refuse(401, "UNAUTHENTICATED")
                await names(client)
        assert list(given) == []

    async def test_a_renewed_token_keeps_the_key_of_the_call(self, connect, proxy, player, stale):
        given = iter([stale, player.token])
        async with connect(lambda: next(given)) as client:
            await client.library.create_category({"name": "RPG"})
        assert len(proxy.keys) == 2
        assert len(set(proxy.keys)) == 1

    async def test_a_second_refusal_is_the_callers(self, connect, proxy, platform, player, stale):
        given = iter([stale, platform.issuer.issue(str(player.user), ttl=-7200), "unused"])
        async with connect(lambda: next(given)) as client:
            with pytest.raises(LibraryRefusal) as found:
                await names(client)
        assert found.value.code == "UNAUTHENTICATED"
        assert next(given) == "unused"
        assert len(proxy.seen) == 2

    async def test_a_token_that_cannot_be_renewed_is_sent_once(self, connect, proxy, stale):
        for token in (stale, lambda: stale):
            async with connect(token) as client:
                with pytest.raises(LibraryRefusal):
                    await names(client)
        assert len(proxy.seen) == 2


class TestTwins:
    """A second try that arrives while the service still works on the first one."""

    @pytest.fixture
    async def hold(self, platform, player, client):
        """Holds what a change of the player needs, until the block ends."""
        await client.library.create_category({"name": "first"})  # so that the player has a row

        @asynccontextmanager
        async def hold():
            holder = await asyncpg.connect(platform.dsn)
            try:
                async with holder.transaction():
                    found = "SELECT 1 FROM gateway.user_streams WHERE user_id = $1 FOR UPDATE"
                    assert await holder.execute(found, player.user) == "SELECT 1"
                    yield
            finally:
                await holder.close()

        return hold

    async def test_the_second_waits_for_the_first(self, client, proxy, hold):
        proxy.cut_early()
        del proxy.seen[:]
        async with hold():
            call = asyncio.create_task(client.library.create_category({"name": "RPG"}))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(proxy.seen) < 2:
                    await asyncio.sleep(0.01)
        made = await call
        assert await names(client) == ["RPG", "first"]
        assert made.data["attributes"]["name"] == "RPG"

    @pytest.mark.long
    async def test_a_503_of_the_service_is_waited_for(self, client, proxy, hold, pauses):
        """After five seconds the service answers 503 to the twin."""
        proxy.cut_early()
        del proxy.seen[:], proxy.statuses[:], pauses[:]
        async with hold():
            call = asyncio.create_task(client.library.create_category({"name": "RPG"}))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while 503 not in proxy.statuses:
                    await asyncio.sleep(0.01)
        assert (await call).status == 201
        assert len(set(proxy.keys)) == 1
        assert await names(client) == ["RPG", "first"]

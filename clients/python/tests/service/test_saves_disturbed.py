"""What breaks in the middle of an upload or a download: nothing is lost, and no version is there twice."""

import asyncio
import os
from uuid import uuid4

import httpx
import pytest
from gameshelf.client import LibraryClient, LibraryUnreachable, RetryRules, StoreRefusal
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

PART = 8 * 1024**2
FILES = {f"{number}.dat": b"content %d" % number for number in range(6)}
PATIENT = RetryRules(tries=1_000_000, tries_to_connect=1_000_000, total_seconds=PATIENCE_SECONDS)


@pytest.fixture
def slot(owned, player):
    """A new save of a game that the player owns."""
    return {"product_id": str(player.product), "save_slot_name": f"world {uuid4().hex[:8]}"}


@pytest.fixture
async def check(device):
    """Compares the only version of a save with what was uploaded, as another device sees it."""

    async def check(saved, files):
        assert saved.result == "head"
        deck = device("deck")
        assert [one["attributes"]["version"] async for one in deck.saves.list_versions(saved.save["id"])] == [1]
        assert len(await deck.saves.list_saves(product_id=saved.save["attributes"]["product_id"]).all()) == 1
        loaded = await deck.saves.download(saved.save["id"])
        assert {file.path: file.content for file in loaded.files} == files

    return check


def sent(store):
    return [call for call in store.calls if call.startswith("PUT ")]


async def test_a_503_with_the_first_answer_lost(device, slot, proxy, check):
    pc = device("pc")
    proxy.refuse(503, reaches=True)  # to the reservation
    proxy.faults.append(None)
    proxy.refuse(503, reaches=True)  # to the commit
    saved = await pc.saves.upload_set(slot, FILES)
    assert len([key for key in proxy.keys if key]) == 4
    assert len({key for key in proxy.keys if key}) == 2
    await check(saved, FILES)


async def test_answers_that_are_lost(device, slot, proxy, check):
    pc = device("pc")
    proxy.lose(2)
    proxy.faults.append(None)
    proxy.lose(2)
    await check(await pc.saves.upload_set(slot, FILES), FILES)


async def test_a_429_is_waited_for(device, slot, proxy, pauses, check):
    pc = device("pc")
    for _ in range(2):
        proxy.refuse(429, "RATE_LIMIT_EXCEEDED", Retry_After="7")
        proxy.faults.append(None)
    await check(await pc.saves.upload_set(slot, FILES), FILES)
    assert [7 <= pause <= 8 for pause in pauses] == [True, True]


async def test_a_busy_store_is_waited_for(device, slot, store, pauses, check):
    for _ in range(3):
        store.answer(503, Retry_After="3")
    await check(await device("pc").saves.upload_set(slot, FILES, parallel=1), FILES)
    assert [3 <= pause <= 8 for pause in pauses] == [True] * 3
    assert len(sent(store)) == len(FILES) + 3


async def test_cuts_on_the_way_to_the_store(device, slot, store, check):
    store.cut()
    store.lose()
    store.answer(403)  # a signature that has expired on the way
    await check(await device("pc").saves.upload_set(slot, FILES, parallel=1), FILES)


def refusal(code):
    return f"<Error><Code>{code}</Code></Error>".encode()


async def test_a_bad_request_is_read_by_its_code(device, slot, store, check):
    """S3 answers 400 where the connection was too slow for it, and where the service's own credentials have expired."""
    store.answer(400, refusal("RequestTimeout"))
    store.answer(400, refusal("ExpiredToken"))
    store.answer(404, refusal("NoSuchUpload"))
    saved = await device("pc").saves.upload_set(slot, FILES, parallel=1)
    store.answer(400, refusal("RequestTimeout"))
    store.answer(400, refusal("ExpiredToken"))
    await check(saved, FILES)


@pytest.mark.parametrize(("status", "body"), [(302, b""), (400, refusal("EntityTooLarge")), (400, b"<html>")])
async def test_what_no_repetition_cures_is_an_error(device, slot, store, status, body):
    store.answer(status, body, Location=f"{store.url}/elsewhere")
    with pytest.raises(StoreRefusal) as found:
        await device("pc").saves.upload_set(slot, FILES, parallel=1)
    assert found.value.status == status
    assert len(sent(store)) < len(FILES)
    assert not any("elsewhere" in call for call in store.calls)


async def test_only_the_part_that_broke_is_sent_again(device, slot, store, check):
    large = os.urandom(3 * PART - 7)
    store.faults.append(None)
    store.cut()
    shown = []
    saved = await device("pc").saves.upload_set(
        slot, {"large": large}, parallel=1, on_progress=lambda *numbers: shown.append(numbers)
    )
    assert len(sent(store)) == 4
    assert shown[-1] == (len(large), len(large))
    await check(saved, {"large": large})


async def test_an_upload_that_was_given_up_is_resumed(device, slot, store, check):
    large = os.urandom(3 * PART)
    store.faults.append(None)
    store.cut(100)
    with pytest.raises(LibraryUnreachable):
        await device("pc", retries=RetryRules(tries=2)).saves.upload_set(slot, {"large": large}, parallel=1)
    store.faults.clear()
    del store.seen[:]
    saved = await device("pc").saves.upload_set(slot, {"large": large}, parallel=1)
    assert len(sent(store)) == 2
    await check(saved, {"large": large})


async def test_a_slow_network_only_takes_longer(device, slot, store, check):
    """Each part takes longer than the time limits of the connection and of a call, and breaks at its end once."""
    store.pause_per_block = 0.02  # 8 MiB in 2.6 seconds
    large = os.urandom(2 * PART)
    store.lose()
    rules = RetryRules(total_seconds=2)
    timeout = httpx.Timeout(PATIENCE_SECONDS, write=2)
    saved = await device("pc", timeout=timeout, retries=rules).saves.upload_set(slot, {"large": large})
    assert len(sent(store)) >= 3  # and more often where the machine itself falls silent
    store.pause_per_block = 0
    await check(saved, {"large": large})


async def test_a_connection_that_falls_silent_is_given_up(device, slot, store, check):
    large = os.urandom(2 * PART)
    store.stall()
    pc = device("pc", timeout=httpx.Timeout(PATIENCE_SECONDS, write=1, read=5))
    await check(await pc.saves.upload_set(slot, {"large": large}), {"large": large})
    assert len(sent(store)) >= 3


async def test_a_token_that_expires_in_the_middle(device, slot, platform, player, proxy, check):
    given = []

    def provide():
        given.append(player.token)
        return given[-1]

    pc = device("pc", token=provide)
    expired = platform.issuer.issue(str(player.user), ttl=-3600)

    def expire(_done, _total):
        """From the first byte on the client has a token that the service refuses."""
        pc.saves._transport.tokens._token = expired

    await check(await pc.saves.upload_set(slot, FILES, on_progress=expire), FILES)
    assert len(given) == 2
    assert proxy.statuses.count(401) == 1


async def test_a_download_survives_cuts_and_damages(device, slot, store, check):
    saved = await device("pc").saves.upload_set(slot, FILES)
    store.cut()
    store.answer(403)
    store.answer(200, b"damaged on the way")
    store.answer(500)
    store.answer(503, Retry_After="1")
    await check(saved, FILES)


@pytest.mark.long
async def test_a_restart_in_the_middle_of_an_upload(platform, player, owned, slot, tmp_path):
    """The service is killed while parts are sent: one version is made."""
    service = platform.service()
    await asyncio.to_thread(service.start)
    large = tmp_path / "large"
    large.write_bytes(os.urandom(3 * PART))
    killed = asyncio.Event()

    async def briefly(seconds):
        await asyncio.sleep(min(seconds, 0.05))

    async def restart():
        await killed.wait()
        service.kill()
        await asyncio.to_thread(service.start)

    def kill(done, total):
        if done > total / 2:
            killed.set()

    restarted = asyncio.create_task(restart())
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        LibraryClient(service.api, player.token, device_id="pc", retries=PATIENT, pause=briefly) as client,
    ):
        saved = await client.saves.upload_set(slot, {"large": large}, on_progress=kill)
        await restarted
        assert saved.result == "head"
        assert [one["attributes"]["version"] async for one in client.saves.list_versions(saved.save["id"])] == [1]
        loaded = await client.saves.download(saved.save["id"])
        assert loaded.files[0].content == large.read_bytes()
    service.stop()


async def test_a_commit_that_was_cut_and_asked_again_is_one_version(device, slot, proxy, check):
    """The second try arrives while the service still works on the first one."""
    pc = device("pc")
    proxy.faults.append(None)
    proxy.cut_early()
    await check(await pc.saves.upload_set(slot, FILES), FILES)
    assert [call.rpartition("/")[2] for call in proxy.calls if call.startswith("POST")][:3] == [
        "uploads",
        "commit",
        "commit",
    ]


async def test_the_store_never_gets_the_token(device, slot, store, check):
    await check(await device("pc").saves.upload_set(slot, FILES), FILES)
    assert store.seen
    assert [headers for _, _, headers in store.seen if "authorization" in headers] == []


async def test_a_store_that_cannot_be_reached(device, slot, unused_port):
    class Elsewhere(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request):
            if request.method == "PUT":
                request.url = request.url.copy_with(port=unused_port)
            return await super().handle_async_request(request)

    async with httpx.AsyncClient(transport=Elsewhere()) as http:
        pc = device("pc")
        pc.saves.store = type(pc.saves.store)(http, pc.saves.store.pause)
        with pytest.raises(LibraryUnreachable, match="the store: ConnectError"):
            await pc.saves.upload_set(slot, FILES)

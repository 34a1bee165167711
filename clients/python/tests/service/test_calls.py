"""Calls of a running service: types, answers, refusals, pages, and what is not sent again."""

from uuid import uuid4

import pytest
from gameshelf.client import LibraryRefusal, LibraryUnreachable, MemoryEtagStore, RetryRules


async def test_an_item_is_read_and_changed(client, owned, player):
    assert owned["attributes"]["product_id"] == str(player.product)
    read = await client.library.get_item(owned["id"])
    assert read.etag
    assert read.request_id
    changed = await client.library.update_item(owned["id"], {"is_hidden": True}, if_match=read.etag)
    assert changed.data["attributes"]["is_hidden"]
    assert await client.library.list_items().all() == []
    assert [one["id"] for one in await client.library.list_items(include_hidden="only").all()] == [owned["id"]]


async def test_a_refusal_has_what_a_program_needs(client, owned):
    with pytest.raises(LibraryRefusal) as found:
        await client.library.update_item(owned["id"], {"is_hidden": True}, if_match='"stale"')
    assert (found.value.status, found.value.code) == (412, "PRECONDITION_FAILED")
    assert found.value.meta["current"]["id"] == owned["id"]
    assert found.value.request_id
    with pytest.raises(LibraryRefusal) as found:
        await client.library.create_category({"name": ""})
    assert found.value.pointer == "/data/attributes/name"
    with pytest.raises(LibraryRefusal) as found:
        await client.library.list_items(limit=0).all()
    assert found.value.problems[0].parameter == "limit"
    assert not found.value.is_repeated


async def test_texts_are_in_the_language_of_the_client(connect):
    for language, text in (("en", "Not found"), ("ru", "Не найдено")):
        async with connect(language=language) as client:
            with pytest.raises(LibraryRefusal) as found:
                await client.library.get_item("x")
        assert found.value.problems[0].title == text


async def test_a_call_may_have_options_of_its_own(connect, proxy, pauses):
    async with connect(language="en") as client:
        with pytest.raises(LibraryRefusal) as found:
            await client.library.with_options(language="ru", request_id="report-7").get_item("x")
        assert (found.value.problems[0].title, found.value.request_id) == ("Не найдено", "report-7")
        once = client.library.with_options(retries=RetryRules(tries=1))
        proxy.stall()
        with pytest.raises(LibraryUnreachable, match="Timeout"):
            await once.with_options(timeout_seconds=0.5).get_item("x")
        proxy.refuse(503)
        with pytest.raises(LibraryUnreachable, match="SERVICE_UNAVAILABLE"):
            await once.get_item("x")
        assert pauses == []
        with pytest.raises(LibraryRefusal) as found:
            await client.library.get_item("x")
        assert found.value.problems[0].title == "Not found", "the options are of those calls alone"


async def test_without_a_language_texts_are_in_the_services(client, proxy):
    with pytest.raises(LibraryRefusal) as found:
        await client.library.get_item("x")
    assert "accept-language" not in proxy.seen[-1][2]
    assert found.value.problems[0].title == "Не найдено"


async def test_a_name_of_a_path_may_have_any_character(client, player):
    with pytest.raises(LibraryRefusal) as found:
        await client.achievements.unlock_achievement_by_name(player.product, "a/b?c#d%e é")
    assert found.value.code == "ACHIEVEMENT_NOT_FOUND"


async def test_lists_and_booleans_of_a_query(client, owned, player):
    some = client.library.list_items(product_ids=[player.product, uuid4()], uncategorized=True, played=False)
    assert [one["id"] for one in await some.all()] == [owned["id"]]
    assert await client.library.list_items(played=True).all() == []


async def test_pages_are_fetched_as_they_are_needed(client, proxy):
    for number in range(5):
        await client.library.create_category({"name": f"c{number}"})
    del proxy.seen[:]
    pages = client.library.list_categories(limit=2)
    names = []
    async for one in pages:
        names.append(one["attributes"]["name"])
        assert len(proxy.seen) == (len(names) + 1) // 2
    assert sorted(names) == [f"c{number}" for number in range(5)]
    assert (await pages.page(2)).meta["total_items"] == 5


async def test_what_has_not_changed_is_not_sent_again(connect, proxy, owned):
    store = MemoryEtagStore()
    async with connect(etags=store) as client:
        first = await client.library.get_item(owned["id"])
        again = await client.library.get_item(owned["id"])
        assert (again.data, again.etag, again.status) == (first.data, first.etag, 200)
        assert proxy.statuses[-2:] == [200, 304]
        await client.library.update_item(owned["id"], {"is_hidden": True})
        assert (await client.library.get_item(owned["id"])).data["attributes"]["is_hidden"]
        assert proxy.statuses[-1] == 200
    async with connect(etags=store, language="ru") as client:
        await client.library.get_item(owned["id"])
        assert proxy.statuses[-1] == 200, "another language is another answer"


async def test_another_user_of_one_store_sees_their_own(connect, platform, owned):
    store = MemoryEtagStore()
    async with connect(etags=store) as client:
        assert await client.library.list_items().all() == [owned]
    async with connect(platform.token(uuid4()), etags=store) as client:
        assert await client.library.list_items().all() == []


@pytest.mark.parametrize("client_id", ["deck-7", None])
async def test_a_change_names_its_client(connect, owned, client_id):
    async with connect(client_id=client_id) as client:
        before = (await client.events.list_events()).meta["cursor"]
        await client.library.update_item(owned["id"], {"is_hidden": True})
        feed = await client.events.list_events(cursor=before)
    assert client.client_id == (client_id or client.client_id)
    assert [one["attributes"]["origin"] for one in feed.data] == [client.client_id]


async def test_the_first_screen_is_one_call_and_unchanged(client, proxy, owned):
    first = await client.home.get_home(device_id="deck-7")
    assert (await client.home.get_home(device_id="deck-7")).data == first.data
    assert proxy.statuses[-2:] == [200, 304]

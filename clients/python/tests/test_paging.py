"""Collections that move while they are read."""

import httpx
import pytest
from gameshelf.client import LibraryAnswer, Pages, paging


def pages(*numbers, last=None):
    """A collection whose pages have these ids."""
    asked = []

    async def fetch(number, limit):
        asked.append(number)
        ids = numbers[number - 1] if number <= len(numbers) else []
        links = {} if number == (last or len(numbers)) else {"next": "…"}
        return LibraryAnswer([{"id": one} for one in ids], 200, {}, links, httpx.Headers())

    return asked, Pages(fetch)


async def ids(collection):
    return [one["id"] async for one in collection]


async def test_an_element_that_moves_to_the_next_page_comes_once():
    _, collection = pages(["a", "b"], ["b", "c"], ["d"])
    assert await ids(collection) == ["a", "b", "c", "d"]


async def test_a_page_that_has_become_empty_is_the_end():
    """Everything was deleted meanwhile, and a careless answer has a next link all the same."""
    asked, collection = pages(["a"], [], ["b"])
    assert await ids(collection) == ["a"]
    assert asked == [1, 2]


async def test_a_collection_without_an_end_has_one(monkeypatch):
    monkeypatch.setattr(paging, "MOST_PAGES", 7)
    asked, collection = pages(*([["a"]] * 20))
    assert await ids(collection) == ["a"]
    assert len(asked) == 7


async def test_only_what_is_needed_is_fetched():
    asked, collection = pages(["a"], ["b"], ["c"])
    async for one in collection:
        if one["id"] == "b":
            break
    assert asked == [1, 2]


async def test_a_failure_between_two_pages_is_raised():
    async def fetch(number, limit):
        if number == 2:
            raise OSError("the second page")
        return LibraryAnswer([{"id": "a"}], 200, {}, {"next": "…"}, httpx.Headers())

    collection = aiter(Pages(fetch))
    assert await anext(collection) == {"id": "a"}
    with pytest.raises(OSError, match="the second page"):
        await anext(collection)


async def test_an_iteration_has_large_pages_and_a_page_is_the_services_own():
    limits = []

    async def fetch(number, limit):
        limits.append(limit)
        return LibraryAnswer([{"id": "a"}], 200, {}, {}, httpx.Headers())

    for collection in (Pages(fetch), Pages(fetch, 7)):
        await collection.all()
        await collection.page()
    assert limits == [paging.LARGEST_PAGE, None, 7, 7]

"""The provider of a token is asked once, however many calls wait and however they end."""

import asyncio

import pytest
from gameshelf.client import LibraryUnreachable
from gameshelf.client.tokens import TokenSource


async def test_the_first_who_waits_may_be_cancelled():
    asked, release = [], asyncio.Event()

    async def provide():
        asked.append(1)
        await release.wait()
        return "token"

    source = TokenSource(provide)
    first, second = (asyncio.create_task(source.current()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert await second == "token"
    assert len(asked) == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_provider_that_fails_is_asked_again_later():
    answers = [RuntimeError("no account"), "token"]

    def provide():
        answer = answers.pop(0)
        if isinstance(answer, RuntimeError):
            raise answer
        return answer

    source = TokenSource(provide)
    with pytest.raises(RuntimeError, match="no account"):
        await source.current()
    assert await source.current() == "token"


async def test_who_comes_late_with_an_old_token_gets_the_new_one():
    given = iter(["one", "two", "three"])
    source = TokenSource(lambda: next(given))
    assert await source.current() == "one"
    assert await source.renewed("one") == "two"
    assert await source.renewed("one") == "two"
    assert await source.renewed("two") == "three"


async def test_a_fixed_token_has_no_successor():
    source = TokenSource("one")
    assert await source.renewed("one") is None


async def test_a_provider_without_a_network_is_the_network():
    """So a game is played offline, and live updates wait, where the account cannot be reached."""

    def provide():
        raise ConnectionResetError("by the hotspot")

    with pytest.raises(LibraryUnreachable, match="by the hotspot"):
        await TokenSource(provide).current()

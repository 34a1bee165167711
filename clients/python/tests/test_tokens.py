"""The provider of a token is asked once, however many calls wait and however they end."""

import asyncio

import pytest
from gameshelf.client import TokenUnavailable, tokens
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


@pytest.mark.parametrize(
    "failure", [ConnectionResetError("why"), RuntimeError("why"), KeyError("why"), ExceptionGroup("why", [OSError()])]
)
async def test_a_provider_that_fails_for_any_reason_is_asked_again_later(failure):
    """So a game is played offline, and live updates wait, where the account cannot be reached."""
    answers = [failure, "token"]

    def provide():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    source = TokenSource(provide)
    with pytest.raises(TokenUnavailable, match="why") as found:
        await source.current()
    assert found.value.__cause__ is failure
    assert await source.current() == "token"


@pytest.mark.parametrize("wrong", [None, b"token", {"access_token": "secret"}, "", "secret\n", "two secrets", "töken"])
async def test_what_is_no_token_is_named_and_not_shown(wrong):
    with pytest.raises(TokenUnavailable, match="the provider returned") as found:
        await TokenSource(lambda: wrong).current()
    assert "secret" not in str(found.value)


async def test_a_provider_that_never_returns_is_asked_again(monkeypatch):
    monkeypatch.setattr(tokens, "ANSWER_SECONDS", 0.01)
    answers = [asyncio.Event().wait(), "token"]
    source = TokenSource(lambda: answers.pop(0))
    with pytest.raises(TokenUnavailable):
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

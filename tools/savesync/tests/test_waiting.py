"""A person who does not answer keeps nobody."""

import asyncio
from threading import Event

import pytest
from gameshelf.savesync.waiting import answer_of


async def test_an_answer_and_an_error_arrive():
    assert await answer_of(lambda: "yes") == "yes"
    with pytest.raises(EOFError):
        await answer_of(_fail)


def _fail():
    raise EOFError


def test_a_run_that_is_interrupted_does_not_wait_for_the_answer():
    asked, may_end, ended = Event(), Event(), Event()

    def ask():
        asked.set()
        may_end.wait(60)
        ended.set()

    async def run():
        question = asyncio.create_task(answer_of(ask))
        await asyncio.to_thread(asked.wait)
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question

    asyncio.run(run())
    assert not ended.is_set()
    may_end.set()

"""A person who does not answer keeps nobody."""

import asyncio
import os
import pty
import sys
from contextlib import suppress
from threading import Event

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
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
        may_end.wait(PATIENCE_SECONDS)
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


ASKING = """
import sys
from gameshelf.savesync.asking import Asking
from gameshelf.savesync.cli import _ended
from gameshelf.savesync.conflict import SaveConflict
from gameshelf.savesync.output import SyncOutput
from gameshelf.savesync.waiting import answer_of
from gameshelf.savesync.wire import CloudVersion

side = CloudVersion("i", "main", 1, None, None, "x", 3, 1, None, None, None, None, False, None)
out = SyncOutput()

async def run():
    decision = await answer_of(lambda: Asking(out)(SaveConflict("c", "s", "main", side, side)))
    return 3 if decision is None else 40

sys.exit(_ended(out, run))
"""


OTHERS = [pytest.param(keys, code, marks=pytest.mark.long) for keys, code in ((b"what?\nl\n", 40), (b"\x04", 3))]


@pytest.mark.long
@pytest.mark.parametrize(("keys", "code"), [(b"\x03", 130), *OTHERS])
def test_a_question_on_a_terminal(keys, code):
    """Ctrl-C ends it at once, Ctrl-D decides later."""
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-c", ASKING])
    shown = b""
    while b"decide later: " not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, keys)
    with suppress(OSError):  # which is the end of a terminal
        while os.read(terminal, 4096):
            continue
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == code

"""When a watched game is synchronised, as a function of what was seen and when."""

import pytest
from gameshelf.savesync.report import SyncIntent, SyncReport
from gameshelf.savesync.watch import (
    CHECK_SECONDS,
    LONGEST_PATIENCE,
    POLL_SECONDS,
    RETRY_SECONDS,
    FolderWatcher,
    WatchLook,
    WatchRules,
)


@pytest.fixture
def rules():
    """Settled and synchronised at 100 seconds, with the files ``old``."""
    rules = WatchRules(10, 0)
    assert rules.decide(WatchLook("old", ()), 0) is None
    assert rules.decide(WatchLook("old", ()), 10) is SyncIntent.BACKGROUND
    rules.ran("old", 100, is_done=True)
    assert rules.decide(WatchLook("old", ()), 105) is None
    return rules


def test_nothing_runs_while_the_game_does(rules):
    assert rules.decide(WatchLook("old", ("game",)), 110) is None
    for at in range(115, 1000, 5):
        assert rules.decide(WatchLook(f"written {at}", ("game",)), at) is None


def test_the_end_of_a_game_is_an_exit_when_files_are_still(rules):
    rules.decide(WatchLook("old", ("game",)), 110)
    assert rules.decide(WatchLook("new", ()), 115) is None
    assert rules.decide(WatchLook("newer", ()), 120) is None
    assert rules.decide(WatchLook("newer", ()), 125) is None
    assert rules.decide(WatchLook("newer", ()), 130) is SyncIntent.EXIT
    rules.ran("newer", 131, is_done=True)
    assert rules.decide(WatchLook("newer", ()), 136) is None


def test_an_exit_without_changes_is_reported_as_well(rules):
    rules.decide(WatchLook("old", ("game",)), 110)
    assert rules.decide(WatchLook("old", ()), 115) is None
    assert rules.decide(WatchLook("old", ()), 125) is SyncIntent.EXIT


def test_files_that_change_without_a_process_run_when_still(rules):
    assert rules.decide(WatchLook("new", ()), 110) is None
    assert rules.decide(WatchLook("new", ()), 115) is None
    assert rules.decide(WatchLook("new", ()), 120) is SyncIntent.BACKGROUND


def test_other_devices_are_looked_for_now_and_then(rules):
    for at in range(110, 100 + int(CHECK_SECONDS), 5):
        assert rules.decide(WatchLook("old", ()), at) is None
    assert rules.decide(WatchLook("old", ()), 100 + CHECK_SECONDS) is SyncIntent.BACKGROUND


def test_a_machine_that_slept_resumes(rules):
    assert rules.decide(WatchLook("old", ()), 105 + POLL_SECONDS + 61) is SyncIntent.RESUME


def test_a_failure_is_repeated_later_and_later(rules):
    assert rules.decide(WatchLook("new", ()), 110) is None
    at = 120.0
    pauses = []
    for _ in range(8):
        assert rules.decide(WatchLook("new", ()), at) is SyncIntent.BACKGROUND
        rules.ran("new", at, is_done=False)
        failed = at
        while rules.decide(WatchLook("new", ()), at) is None:
            at += POLL_SECONDS
        pauses.append(at - failed)
    assert pauses[0] == RETRY_SECONDS
    assert pauses == sorted(pauses)
    assert pauses[-1] == 900


def test_a_failed_exit_stays_an_exit(rules):
    rules.decide(WatchLook("old", ("game",)), 110)
    rules.decide(WatchLook("new", ()), 115)
    assert rules.decide(WatchLook("new", ()), 125) is SyncIntent.EXIT
    rules.ran("new", 125, is_done=False)
    assert rules.decide(WatchLook("new", ()), 130) is None
    assert rules.decide(WatchLook("new", ()), 125 + RETRY_SECONDS) is SyncIntent.EXIT


class Ended(Exception):
    """Ends a watch that would last for ever."""


async def test_a_watch_looks_runs_and_looks_again():
    now, seen, ran = [0.0], [], []
    looks = iter([WatchLook("a", ()), WatchLook("a", ()), WatchLook("b", ())])

    async def look():
        seen.append(next(looks, None) or WatchLook("b", ()))
        return seen[-1]

    async def run(intent):
        ran.append(intent)
        return SyncReport("product", "device")

    async def pause(seconds):
        now[0] += seconds
        if now[0] > 60:
            raise Ended

    with pytest.raises(Ended):
        await FolderWatcher(look, run, WatchRules(5, 0), lambda: now[0], pause).watch()
    assert ran == [SyncIntent.BACKGROUND]  # the second look of that run found what a download had written


async def test_a_run_that_failed_is_repeated():
    now, ran = [0.0], []

    async def look():
        return WatchLook("a", ())

    async def run(intent):
        ran.append(now[0])
        return None if len(ran) < 3 else SyncReport("product", "device")

    async def pause(seconds):
        now[0] += seconds
        if now[0] > 300:
            raise Ended

    with pytest.raises(Ended):
        await FolderWatcher(look, run, WatchRules(0, 0), lambda: now[0], pause).watch()
    assert ran == [0, 30, 90]


@pytest.mark.parametrize("back", [3, 100, 86_400])
def test_a_clock_that_was_set_back_delays_nothing(rules, back):
    """Dual boot, or the first answer of a time server (hallazzang/asyncio-throttle#2, btest-opensource#13)."""
    assert rules.decide(WatchLook("new", ()), 110) is None
    assert rules.decide(WatchLook("new", ()), 115 - back) is None
    assert rules.decide(WatchLook("new", ()), 126 - back) is SyncIntent.BACKGROUND
    rules.ran("new", 127 - back - 50, is_done=False)  # and again, during the run
    late = 127 - back - 50 + RETRY_SECONDS
    assert rules.decide(WatchLook("new", ()), late - 1) is None
    assert rules.decide(WatchLook("new", ()), late) is SyncIntent.BACKGROUND


@pytest.mark.parametrize(("asked", "waited"), [(None, 30), (10, 30), (600, 600), (10**9, LONGEST_PATIENCE)])
def test_who_asks_for_patience_is_not_asked_before(rules, asked, waited):
    rules.decide(WatchLook("new", ()), 110)
    assert rules.decide(WatchLook("new", ()), 120) is SyncIntent.BACKGROUND
    rules.ran("new", 120, is_done=False, retry_after=asked)
    at = 120.0
    while rules.decide(WatchLook("new", ()), at) is None:
        at += POLL_SECONDS
    assert at == 120 + waited

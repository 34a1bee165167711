"""One item of a job does not affect the others. Pure."""

import asyncio
import logging
from itertools import pairwise

import asyncpg
import pytest
from gameshelf.gateway.runtime.jobs.isolation import Isolation, concerns_everybody
from gameshelf.gateway.runtime.jobs.schedule import repeat
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.savegames import StoreUnavailable


class Work:
    """Items that are found in their order until they are done, as a job finds them."""

    def __init__(self, count, bad=()):
        self.left = list(range(count))
        self.bad = dict(bad)
        self.done = []

    async def find(self, limit):
        return self.left[:limit]

    async def do(self, one):
        if one in self.bad:
            raise self.bad[one]
        self.done.append(one)
        self.left.remove(one)


async def test_those_that_fail_hold_up_no_other_however_many_they_are(clock):
    """Also more of them than a chunk, at its head."""
    bad = {number: ValueError("poison") for number in range(250)} | {300: asyncpg.LockNotAvailableError("held")}
    work, isolation = Work(1000, bad), Isolation("job", clock=clock)
    await isolation.each(work.find, work.do, 100)
    assert work.done == [number for number in range(1000) if number not in bad]
    assert len(isolation) == len(bad)
    work.bad.clear()
    await isolation.each(work.find, work.do, 100)
    assert len(work.done) == 750  # a failed item is not retried for a while
    clock.now = 1
    await isolation.each(work.find, work.do, 100)
    assert (work.left, len(isolation)) == ([], 0)


async def test_what_is_done_and_found_again_is_left_for_the_next_time(clock):
    work, isolation = Work(10), Isolation("job", clock=clock)
    seen = []

    async def of_no_avail(one):
        seen.append(one)

    await isolation.each(work.find, of_no_avail, 3)
    assert seen == list(range(10))


async def test_pauses_grow_and_end(clock):
    isolation, tried = Isolation("job", clock=clock), []
    while clock.now < 3600:
        if isolation.is_due("key"):
            tried.append(clock.now)
            with isolation.attempt("key"):
                raise ValueError
        clock.now += 1
    pauses = [after - before for before, after in pairwise(tried)]
    assert pauses[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert set(pauses[10:]) == {300}


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InsufficientPrivilegeError("rights"),
        asyncpg.ReadOnlySQLTransactionError("read only"),
        asyncpg.UndefinedTableError("schema"),
        ConnectionResetError(),
        StoreUnavailable(),
    ],
)
async def test_what_concerns_everybody_ends_the_run(clock, error):
    work, isolation = Work(5, {1: error}), Isolation("job", clock=clock)
    with pytest.raises(type(error)):
        await isolation.each(work.find, work.do, 5)
    assert (work.done, len(isolation)) == ([0], 0)


def test_what_concerns_one():
    for error in (
        asyncpg.QueryCanceledError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.CheckViolationError(),
        KeyError(),
    ):
        assert not concerns_everybody(error)


async def test_a_failure_is_logged_once_and_counted_each_time(clock, caplog):
    caplog.set_level(logging.INFO)
    metrics = Metrics()
    isolation = Isolation("job", metrics, clock)
    for _ in range(3):
        with isolation.attempt("key"):
            raise ValueError("poison")
    with isolation.attempt("busy"):
        raise asyncpg.LockNotAvailableError("held")
    with isolation.attempt("erased"):
        raise UserErased
    with isolation.attempt("key"):
        pass
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    def count(reason):
        return metrics.registry.get_sample_value("job_items_set_aside_total", {"job": "job", "reason": reason})

    assert (count("failed"), count("busy")) == (3, 1)


async def test_runs_of_a_job_are_counted_and_its_failure_is_logged_once(caplog):
    caplog.set_level(logging.INFO)
    metrics, stopping, runs = Metrics(), asyncio.Event(), []

    async def work():
        runs.append(len(runs))
        if len(runs) < 4:
            raise ValueError("a mistake")
        if len(runs) == 6:
            stopping.set()

    await repeat("job", work, 0.001, stopping, metrics=metrics)

    def value(name, **labels):
        return metrics.registry.get_sample_value(name, {"job": "job", **labels})

    assert value("job_runs_total", result="failed") == 3
    assert value("job_runs_total", result="succeeded") == 3
    assert value("job_last_success_timestamp_seconds") > 0
    assert [record.getMessage() for record in caplog.records] == ["job job fails: ValueError", "job job works again"]

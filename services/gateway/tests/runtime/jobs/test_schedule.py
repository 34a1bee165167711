"""What the metrics show of the runs of a job."""

import asyncio

from gameshelf.gateway.runtime.jobs.schedule import repeat
from gameshelf.gateway.runtime.observability.metrics import Metrics


async def run_twice(metrics, work):
    """Runs a job until its second run has ended."""
    stopping, runs = asyncio.Event(), 0

    async def counted():
        nonlocal runs
        runs += 1
        if runs == 2:
            stopping.set()
        await work()

    await repeat("counted", counted, 0.0, stopping, metrics=metrics)


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, {"job": "counted", **labels})


async def test_a_run_is_timed_and_its_success_has_a_time():
    metrics = Metrics()
    await run_twice(metrics, lambda: asyncio.sleep(0))
    assert value(metrics, "job_runs_total", result="succeeded") == 2
    assert value(metrics, "job_runs_total", result="failed") == 0
    assert value(metrics, "job_duration_seconds_count") == 2
    assert value(metrics, "job_last_success_timestamp_seconds") > 1_700_000_000


async def test_a_job_that_only_fails_never_succeeded():
    async def fail():
        raise ValueError

    metrics = Metrics()
    await run_twice(metrics, fail)
    assert value(metrics, "job_runs_total", result="failed") == 2
    assert value(metrics, "job_duration_seconds_count") == 2
    assert value(metrics, "job_last_success_timestamp_seconds") == 0

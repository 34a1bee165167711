"""Metrics of periodic jobs: their runs by result, the time of the last success, and how long a run takes."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.01, 0.1, 1.0, 10.0, 60.0, 300.0, 1800.0)
"""Upper limits of the buckets of a job's runs, which take from milliseconds to half an hour."""


class JobMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._runs = Counter("job_runs", "Runs of periodic jobs", ["job", "result"], registry=registry)
        self._last_success = Gauge(
            "job_last_success_timestamp_seconds", "Time of a job's last successful run", ["job"], registry=registry
        )
        self._seconds = Histogram(
            "job_duration_seconds", "Duration of a job's runs", ["job"], registry=registry, buckets=_SECONDS
        )
        self._pause = Gauge(
            "job_pause_seconds", "Time from the end of a job's run to its next one", ["job"], registry=registry
        )
        self._items_set_aside = Counter(
            "job_items_set_aside",
            "Items that a job skipped to try them again: they failed, or another transaction held them",
            ["job", "reason"],
            registry=registry,
        )

    def declare(self, job: str, pause_seconds: float) -> None:
        """Shows a job that this process runs before its first run has ended: 0 is the time of no success."""
        self._pause.labels(job).set(pause_seconds)
        self._last_success.labels(job)
        self._seconds.labels(job)
        for result in ("succeeded", "failed"):
            self._runs.labels(job, result)

    def ran(self, job: str, seconds: float, *, succeeded: bool) -> None:
        """Counts a run that has ended after ``seconds``."""
        self._seconds.labels(job).observe(seconds)
        self._runs.labels(job, "succeeded" if succeeded else "failed").inc()
        if succeeded:
            self._last_success.labels(job).set_to_current_time()

    def set_aside(self, job: str, *, busy: bool) -> None:
        """Counts an item that a job skipped: another transaction holds it (``busy``), or it failed."""
        self._items_set_aside.labels(job, "busy" if busy else "failed").inc()

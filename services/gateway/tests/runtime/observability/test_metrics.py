"""The metrics as Prometheus sees them."""

import asyncio
import math
from contextlib import suppress

import httpx
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway import __version__
from gameshelf.gateway.domains.playtime.metrics import PlaytimeMetrics
from gameshelf.gateway.runtime.observability import metrics_server
from gameshelf.gateway.runtime.observability.metrics import DomainMetrics, Metrics
from gameshelf.gateway.runtime.observability.metrics_server import MetricsServer
from gameshelf.gateway.wiring import COMPOSITION
from prometheus_client import Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families


@pytest.fixture
def metrics():
    return Metrics(COMPOSITION.metrics)


def samples(metrics):
    text = generate_latest(metrics.registry).decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_request_is_counted_by_route_and_timed(metrics):
    metrics.requests.http_served("GET", "/items", 200, 0.03)
    metrics.requests.http_served("GET", "/items", 200, 7)
    metrics.requests.http_served("GET", "/items", 503, 0.03)
    seen = samples(metrics)
    where = (("method", "GET"), ("route", "/items"))
    assert seen["http_requests_total", *where, ("status", "200")] == 2
    assert seen["http_requests_total", *where, ("status", "503")] == 1
    assert seen["http_request_duration_seconds_count", *where] == 3
    assert seen["http_request_duration_seconds_sum", *where] == pytest.approx(7.06)
    assert seen["http_request_duration_seconds_bucket", ("le", "0.05"), *where] == 2


def test_invented_methods_share_one_series(metrics):
    for number in range(100):
        metrics.requests.http_served(f"M{number}", "unmatched", 405, 0.001)
    counted = [name for name in samples(metrics) if name[0] == "http_requests_total"]
    assert counted == [("http_requests_total", ("method", "OTHER"), ("route", "unmatched"), ("status", "405"))]


def test_a_grpc_call_is_counted_by_code_and_timed(metrics):
    metrics.requests.grpc_served("/library.v1.LibraryQueryService/CheckGameAccess", "OK", 0.01)
    method = ("method", "/library.v1.LibraryQueryService/CheckGameAccess")
    seen = samples(metrics)
    assert seen["grpc_requests_total", ("code", "OK"), method] == 1
    assert seen["grpc_request_duration_seconds_count", method] == 1


PROCESS = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)
"""Those that the client library reads from the system."""


def test_what_operators_watch_has_its_name(metrics):
    playtime = metrics.of(PlaytimeMetrics)
    metrics.dependency_errors.labels("redis").inc()
    metrics.kafka_consumer_lag.labels("t", "0").set(5)
    metrics.kafka_records.labels("t", "applied").inc()
    metrics.dead_letters.labels("t", "MALFORMED").inc()
    playtime.heartbeats.labels("accepted").inc()
    playtime.anomalies.labels("long_day").inc()
    playtime.heartbeat_seconds.observe(0.01)
    names = {name[0] for name in samples(metrics)}
    assert names == {
        "achievements_rarity_differences_total",
        "achievements_refusals_dropped_total",
        "achievements_unlocked_total",
        "playtime_active_sessions",
        "playtime_anomalies_total",
        "playtime_heartbeat_duration_seconds_bucket",
        "playtime_heartbeat_duration_seconds_count",
        "playtime_heartbeat_duration_seconds_sum",
        "playtime_heartbeats_total",
        "dependency_errors_total",
        "kafka_consumer_lag",
        "kafka_records_total",
        "dead_letters_total",
        "outbox_pending",
        "outbox_refused",
        "kafka_records_deferred",
        "database_replaced",
        "backup_age_seconds",
        "backup_drill_age_seconds",
        "build_info",
        "outbox_lag_seconds",
        "websocket_connections",
        "wishlist_notifications_total",
        "restore_open",
        "postgres_pool_size",
        "postgres_pool_idle",
        "postgres_pool_in_use",
        "postgres_pool_limit",
        "postgres_pool_waiting",
        *PROCESS,
        "savegame_dedup_bytes_total",
        "savegame_list_unwritten_age_seconds",
        "savegame_set_files_bucket",
        "savegame_set_files_count",
        "savegame_set_files_sum",
        "savegame_uploads_open",
        "savegame_verifications_running",
        "savegame_verify_seconds_bucket",
        "savegame_verify_seconds_count",
        "savegame_verify_seconds_sum",
    }


CONTRACT = (
    "http_requests",
    "http_request_duration_seconds",
    "grpc_requests",
    "grpc_request_duration_seconds",
    "playtime_active_sessions",
    "savegame_syncs",
    "savegame_sync_bytes",
    "achievements_unlocked",
    "dependency_errors",
    "outbox_pending",
    "outbox_lag_seconds",
    "kafka_consumer_lag",
    "websocket_connections",
    "postgres_pool_size",
    "postgres_pool_idle",
    "job_runs",
    "job_last_success_timestamp_seconds",
    "backup_age_seconds",
    "build_info",
)
"""Section 10 of the contract, of counters without the ending `_total`."""


def test_every_metric_of_the_contract_is_there(metrics):
    families = {
        family.name: family for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
    }
    assert not set(CONTRACT) - families.keys()
    assert families["job_runs"].type == "counter"
    assert set(metrics.dependency_errors._labelnames) == {"dependency"}
    [sample] = families["backup_age_seconds"].samples
    assert (sample.labels, sample.value) == ({"kind": "logical"}, math.inf)  # until a dump was noted
    [sample] = families["build_info"].samples
    assert (sample.value, sample.labels["version"]) == (1, __version__)


def test_the_build_has_the_revision_of_its_source():
    [sample] = [name for name in samples(Metrics(revision="1f0c2a9")) if name[0] == "build_info"]
    assert {("revision", "1f0c2a9"), ("version", __version__)} < set(sample[1:])


def test_a_declared_job_has_all_series_before_it_has_run(metrics):
    metrics.jobs.declare("retention", 60)
    job, seen = ("job", "retention"), samples(metrics)
    assert seen["job_pause_seconds", job] == 60
    assert seen["job_last_success_timestamp_seconds", job] == 0
    assert seen["job_duration_seconds_count", job] == 0
    assert [seen["job_runs_total", job, ("result", result)] for result in ("succeeded", "failed")] == [0, 0]


def test_the_limits_of_the_objectives_are_limits_of_buckets(metrics):
    metrics.requests.http_served("GET", "/items", 200, 0.15)
    seen = samples(metrics)
    for limit in ("0.05", "0.1", "0.15", "0.2"):  # docs/slo.md
        bucket = ("http_request_duration_seconds_bucket", ("le", limit), ("method", "GET"), ("route", "/items"))
        assert seen[bucket] == (float(limit) >= 0.15)


class OneDomain(DomainMetrics):
    def __init__(self, registry):
        self.things = Counter("things", "Things", registry=registry)


class OtherDomain(OneDomain):
    pass


def test_a_domain_finds_the_metrics_that_it_has_declared():
    metrics = Metrics([OneDomain])
    metrics.of(OneDomain).things.inc()
    assert samples(metrics)[("things_total",)] == 1
    with pytest.raises(KeyError):
        metrics.of(OtherDomain)


def test_two_domains_may_not_declare_one_metric():
    with pytest.raises(ValueError, match="things"):
        Metrics([OneDomain, OtherDomain])


def test_two_services_in_one_process_count_apart(metrics):
    Metrics().requests.http_served("GET", "/items", 200, 0.01)
    assert not [name for name in samples(metrics) if name[0].startswith("http")]


async def test_metrics_are_served_until_closed_and_a_taken_port_is_an_error(metrics):
    metrics.outbox_pending.set(3)
    server = MetricsServer(metrics.registry)
    await server.start("127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/metrics")
        assert "outbox_pending 3.0" in answer.text
        assert "server" not in answer.headers  # a version would show an attacker what to try
        assert (await client.get("/other")).status_code == 404
        assert (await client.post("/metrics")).status_code == 405
        with pytest.raises(OSError, match="in use"):
            await MetricsServer(Metrics().registry).start("127.0.0.1", server.port)
        server.close()
        with pytest.raises(httpx.ConnectError):
            await client.get("/metrics")


async def test_idle_connections_do_not_block_the_metrics(metrics, monkeypatch):
    monkeypatch.setattr(metrics_server, "REQUEST_SECONDS", 0.5)
    server = MetricsServer(metrics.registry)
    await server.start("127.0.0.1", 0)
    held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2 * metrics_server.MAX_CONNECTIONS)]
    for _, writer in held:
        writer.write(b"GET /metrics HTTP/1.1\r\n")
    for reader, _ in held:
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
    monkeypatch.setattr(metrics_server, "REQUEST_SECONDS", PATIENCE_SECONDS)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{server.port}/metrics")).status_code == 200
    server.close()
    for _, writer in held:
        writer.close()

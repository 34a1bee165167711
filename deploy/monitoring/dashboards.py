"""Writes the dashboards for Grafana: ``python deploy/monitoring/dashboards.py``. A test compares the files with it.

Expressions hold for any number of instances: gauges of the whole system are aggregated by ``max``, those of an instance
by ``sum`` or shown per instance.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
_COLUMNS = 24
_HEIGHT = 8
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_API = "/api/v1/library"


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph. Its width is a share of the row of 24 columns."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]
    """Expression and legend of each line."""
    about: str = ""
    width: int = 8
    limit: float | None = None
    """The value that an objective or an alert names, drawn as a line."""
    lowest: float | None = 0
    """Where the axis begins at the latest; None for values that may be negative."""


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    name: str
    """Name of the file, and of the dashboard's address."""
    title: str
    rows: Sequence[Row]


def quantile(share: float, metric: str, selector: str = "", by: str = "") -> str:
    """Returns the expression of a quantile of a histogram over all instances."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{{{selector}}}[$__rate_interval])))"


def rate(metric: str, by: str = "", selector: str = "") -> str:
    """Returns the expression of a counter's rate over all instances."""
    braces = f"{{{selector}}}" if selector else ""
    return f"sum{f' by ({by})' if by else ''} (rate({metric}{braces}[$__rate_interval]))"


_HTTP, _GRPC = "http_request_duration_seconds", "grpc_request_duration_seconds"

_SERVICE = Dashboard(
    "service",
    "Gameshelf: the service",
    [
        Row(
            "Objectives",
            [
                Panel(
                    "Budget left of 30 days",
                    "percentunit",
                    [("slo:budget_left:ratio30d", "{{slo}}")],
                    width=12,
                    lowest=None,
                ),
                Panel("Burn rate of an hour", "none", [("slo:burn_rate:1h", "{{slo}}")], width=12, limit=14.4),
            ],
        ),
        Row(
            "Requests",
            [
                Panel("Requests by status", "reqps", [(rate("http_requests_total", "status"), "{{status}}")]),
                Panel("Calls by code", "reqps", [(rate("grpc_requests_total", "code"), "{{code}}")]),
                Panel(
                    "Failures by route",
                    "reqps",
                    [
                        (rate("http_requests_total", "route, status", 'status=~"5.."'), "{{status}} {{route}}"),
                        (rate("grpc_requests_total", "method, code", 'code=~"INTERNAL|UNAVAILABLE"'), "{{method}}"),
                    ],
                ),
                Panel(
                    "Busiest routes",
                    "reqps",
                    [(f"topk(10, {rate('http_requests_total', 'method, route')})", "{{route}}")],
                ),
                Panel(
                    "Slowest routes, p95",
                    "s",
                    [(f"topk(10, {quantile(0.95, _HTTP, by='method, route')})", "{{method}} {{route}}")],
                ),
                Panel("Slowest calls, p95", "s", [(f"topk(10, {quantile(0.95, _GRPC, by='method')})", "{{method}}")]),
            ],
        ),
        Row(
            "Requirements",
            [
                Panel(
                    "Page of a library, p95",
                    "s",
                    [(quantile(0.95, _HTTP, f'method="GET",route="{_API}/items"'), "p95")],
                    width=6,
                    limit=0.2,
                ),
                Panel(
                    "Heartbeat, p99",
                    "s",
                    [
                        (quantile(0.99, _HTTP, f'route="{_API}/playtime/sessions/{{session_id}}/heartbeat"'), "REST"),
                        (quantile(0.99, _GRPC, 'method=~".*/RecordPlaytimeHeartbeat"'), "gRPC"),
                        (quantile(0.99, "playtime_heartbeat_duration_seconds"), "until it is in Redis"),
                    ],
                    width=6,
                    limit=0.05,
                ),
                Panel(
                    "Unlock, p99",
                    "s",
                    [
                        (quantile(0.99, _HTTP, f'route=~"{_API}/achievements/.*/unlock"'), "REST"),
                        (quantile(0.99, _GRPC, 'method=~".*/UpdateAchievementProgress"'), "gRPC"),
                    ],
                    width=6,
                    limit=0.1,
                ),
                Panel(
                    "Signing of a save, p95",
                    "s",
                    [
                        (quantile(0.95, _HTTP, f'route=~"{_API}/savegames/(upload-url|.*/download-url)"'), "REST"),
                        (quantile(0.95, _GRPC, 'method=~".*/RequestSaveGame(Upload|Download)URL"'), "gRPC"),
                    ],
                    width=6,
                    limit=0.15,
                ),
            ],
        ),
        Row(
            "Players",
            [
                Panel("Running sessions", "none", [("max(playtime_active_sessions)", "sessions")], width=6),
                Panel("Heartbeats", "ops", [(rate("playtime_heartbeats_total", "result"), "{{result}}")], width=6),
                Panel("WebSockets", "none", [("sum(websocket_connections)", "open")], width=6),
                Panel(
                    "Facts",
                    "ops",
                    [
                        (rate("achievements_unlocked_total"), "achievements"),
                        (rate("wishlist_notifications_total"), "notifications of sales"),
                        (rate("playtime_anomalies_total", "kind"), "anomaly: {{kind}}"),
                        (rate("origins_refused_total", "transport"), "refused origins: {{transport}}"),
                    ],
                    width=6,
                ),
            ],
        ),
        Row(
            "Instances",
            [
                Panel("Instances by role", "none", [("sum by (role) (service_role)", "{{role}}")], width=6),
                Panel(
                    "Releases",
                    "none",
                    [('count by (version, revision) (build_info{job="gameshelf"})', "{{version}} {{revision}}")],
                    width=6,
                ),
                Panel(
                    "CPU",
                    "percentunit",
                    [('rate(process_cpu_seconds_total{job="gameshelf"}[$__rate_interval])', "{{instance}}")],
                    "An instance uses one core at most.",
                    width=6,
                    limit=0.9,
                ),
                Panel("Memory", "bytes", [('process_resident_memory_bytes{job="gameshelf"}', "{{instance}}")], width=6),
                Panel(
                    "Open files",
                    "percentunit",
                    [('process_open_fds{job="gameshelf"} / process_max_fds{job="gameshelf"}', "{{instance}}")],
                    width=6,
                    limit=0.8,
                ),
                Panel(
                    "Uptime", "s", [('time() - process_start_time_seconds{job="gameshelf"}', "{{instance}}")], width=6
                ),
            ],
        ),
    ],
)

_LAG = "max by (topic, partition) (kafka_consumer_lag)"
_KAFKA = Dashboard(
    "kafka",
    "Gameshelf: Kafka and the outbox",
    [
        Row(
            "Published",
            [
                Panel("Age of the oldest event", "s", [("max(outbox_lag_seconds)", "age")], limit=60),
                Panel("Events that wait", "none", [("max(outbox_pending)", "events")]),
                Panel(
                    "Events that Kafka refuses",
                    "none",
                    [
                        ("max(outbox_refused)", "set aside"),
                        ("sum by (topic) (increase(outbox_refusals_total[1h]))", "{{topic}}"),
                    ],
                ),
            ],
        ),
        Row(
            "Consumed",
            [
                Panel("Records that wait, by topic", "none", [(f"sum by (topic) ({_LAG})", "{{topic}}")]),
                Panel("Partitions with the most", "none", [(f"topk(10, {_LAG})", "{{topic}}/{{partition}}")]),
                Panel("Deferred records", "none", [("max(kafka_records_deferred)", "records")]),
                Panel(
                    "Records by result",
                    "ops",
                    [(rate("kafka_records_total", "topic, result"), "{{result}} {{topic}}")],
                    width=12,
                ),
                Panel(
                    "Dead letters of an hour",
                    "none",
                    [("sum by (topic, reason) (increase(dead_letters_total[1h]))", "{{reason}} {{topic}}")],
                    width=12,
                ),
            ],
        ),
        Row(
            "Kafka",
            [
                Panel(
                    "Usable for",
                    "none",
                    [('sum(dependency_up{dependency="kafka"})', "instances")],
                    "How many instances can use it.",
                    width=12,
                ),
                Panel(
                    "Failures",
                    "ops",
                    [(rate("dependency_errors_total", selector='dependency="kafka"'), "failures")],
                    width=12,
                ),
            ],
        ),
    ],
)

_SAVES = Dashboard(
    "saves",
    "Gameshelf: saves",
    [
        Row(
            "Uploads and downloads",
            [
                Panel(
                    "By result",
                    "ops",
                    [(rate("savegame_syncs_total", "direction, result"), "{{direction}}: {{result}}")],
                ),
                Panel("Bytes", "Bps", [(rate("savegame_sync_bytes_total", "direction"), "{{direction}}")]),
                Panel("Open uploads", "none", [("max(savegame_uploads_open)", "uploads")]),
                Panel("Plans by action", "ops", [(rate("savegame_plans_total", "action"), "{{action}}")]),
            ],
        ),
        Row(
            "Sets of files",
            [
                Panel(
                    "Files of a set",
                    "none",
                    [(quantile(share, "savegame_set_files"), name) for share, name in ((0.5, "median"), (0.99, "p99"))],
                ),
                Panel("Bytes that nobody had to send", "Bps", [(rate("savegame_dedup_bytes_total"), "bytes")]),
                Panel(
                    "Verification of a file",
                    "s",
                    [
                        (quantile(0.5, "savegame_verify_seconds"), "median"),
                        (quantile(0.95, "savegame_verify_seconds"), "p95"),
                    ],
                ),
                Panel("Files being verified", "none", [("savegame_verifications_running", "{{instance}}")]),
                Panel(
                    "Age of the oldest unwritten list",
                    "s",
                    [("max(savegame_list_unwritten_age_seconds)", "age")],
                    "Sets that were saved since then are lost with the database.",
                    limit=300,
                ),
            ],
        ),
        Row(
            "Object store",
            [
                Panel("Usable for", "none", [('sum(dependency_up{dependency="s3"})', "instances")]),
                Panel("Failures", "ops", [(rate("dependency_errors_total", selector='dependency="s3"'), "failures")]),
                Panel(
                    "Found by the comparison, per day",
                    "none",
                    [("sum by (found) (increase(savegame_objects_total[1d]))", "{{found}}")],
                ),
            ],
        ),
    ],
)

_JOBS = Dashboard(
    "jobs",
    "Gameshelf: jobs",
    [
        Row(
            "Runs",
            [
                Panel(
                    "Time since the last success",
                    "s",
                    [("time() - max by (job) (job_last_success_timestamp_seconds > 0)", "{{job}}")],
                    "By any instance. A job that has never succeeded is not shown; see the failures.",
                    width=12,
                ),
                Panel(
                    "Failures of an hour",
                    "none",
                    [('sum by (job) (increase(job_runs_total{result="failed"}[1h]))', "{{job}}")],
                    width=12,
                ),
                Panel("Duration, p95", "s", [(quantile(0.95, "job_duration_seconds", by="job"), "{{job}}")], width=12),
                Panel(
                    "Share of the time that it runs",
                    "percentunit",
                    [(rate("job_duration_seconds_sum", "job"), "{{job}}")],
                    "Over all instances: 1 is one instance all of the time.",
                    width=12,
                ),
            ],
        ),
        Row(
            "Work",
            [
                Panel("Runs", "ops", [(rate("job_runs_total", "job"), "{{job}}")]),
                Panel(
                    "Items set aside in an hour",
                    "none",
                    [("sum by (job, reason) (increase(job_items_set_aside_total[1h]))", "{{job}}: {{reason}}")],
                ),
                Panel(
                    "Differences of rarity in a day",
                    "none",
                    [("sum(increase(achievements_rarity_differences_total[1d]))", "differences")],
                ),
                Panel("Pause between runs", "s", [("max by (job) (job_pause_seconds)", "{{job}}")]),
            ],
        ),
    ],
)

_DATABASE = Dashboard(
    "database",
    "Gameshelf: the database",
    [
        Row(
            "Connections",
            [
                Panel(
                    "In use, of those that may be open",
                    "percentunit",
                    [("postgres_pool_in_use / postgres_pool_limit", "{{instance}}")],
                    limit=1,
                ),
                Panel("Callers that wait", "none", [("postgres_pool_waiting", "{{instance}}")], limit=1),
                Panel(
                    "Open",
                    "none",
                    [
                        ("sum(postgres_pool_size)", "open"),
                        ("sum(postgres_pool_idle)", "idle"),
                        ("sum(postgres_pool_limit)", "limit"),
                    ],
                    "`max_connections` has to be above the limit.",
                ),
            ],
        ),
        Row(
            "State",
            [
                Panel(
                    "Dependencies",
                    "none",
                    [("sum by (dependency) (dependency_up)", "{{dependency}}")],
                    "How many instances can use each one.",
                ),
                Panel(
                    "Failures of dependencies",
                    "ops",
                    [(rate("dependency_errors_total", "dependency"), "{{dependency}}")],
                ),
                Panel(
                    "Age of the newest backup",
                    "s",
                    [("min by (kind) (backup_age_seconds)", "{{kind}}")],
                    "The limit is that of daily dumps; base backups are weekly.",
                    limit=100_000,
                ),
                Panel(
                    "After a restore",
                    "none",
                    [
                        ("max(database_replaced)", "another database, not marked"),
                        ("max(restore_open)", "deletions are paused"),
                    ],
                ),
                Panel(
                    "Waits for rows in an hour",
                    "none",
                    [
                        ('sum by (job) (increase(job_items_set_aside_total{reason="busy"}[1h]))', "{{job}}"),
                        ("max(kafka_records_deferred)", "deferred records"),
                    ],
                ),
                Panel(
                    "Retention, duration of a run, p95",
                    "s",
                    [(quantile(0.95, "job_duration_seconds", 'job="retention"'), "p95")],
                ),
            ],
        ),
    ],
)

DASHBOARDS = (_SERVICE, _KAFKA, _SAVES, _JOBS, _DATABASE)


def render(dashboard: Dashboard) -> str:
    """Returns the JSON of a dashboard."""
    links = [{"type": "dashboards", "title": "Gameshelf", "tags": ["gameshelf"], "asDropdown": True, "keepTime": True}]
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    document = {
        "uid": f"gameshelf-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["gameshelf"],
        "schemaVersion": 38,
        "editable": False,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "links": links,
        "templating": {"list": [source]},
        "panels": list(_panels(dashboard.rows)),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _panels(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Yields the panels of all rows from top to bottom, each row filled from the left."""
    number, top = 1, 0
    for row in rows:
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": _COLUMNS, "h": 1},
        }
        number, top, left = number + 1, top + 1, 0
        for panel in row.panels:
            if left + panel.width > _COLUMNS:
                left, top = 0, top + _HEIGHT
            yield _graph(panel, number, {"x": left, "y": top, "w": panel.width, "h": _HEIGHT})
            number, left = number + 1, left + panel.width
        top += _HEIGHT


def _graph(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    custom: dict[str, Any] = {"lineWidth": 1, "fillOpacity": 5, "showPoints": "never"}
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit})
        custom["thresholdsStyle"] = {"mode": "line"}
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": panel.lowest,
                "custom": custom,
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {"refId": chr(ord("A") + turn), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for turn, (expression, legend) in enumerate(panel.queries)
        ],
    }


def main() -> None:
    """Writes all dashboards."""
    FOLDER.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.name}.json").write_text(render(dashboard), encoding="utf-8")
    sys.stdout.write(f"{len(DASHBOARDS)} dashboards in {FOLDER}\n")


if __name__ == "__main__":
    main()

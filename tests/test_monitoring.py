"""Alerts, dashboards and runbooks fit together, and name what the service has. `.ci/monitoring` tests the rules."""

import importlib.util
import itertools
import json
import re
import sys
import tomllib
from pathlib import Path

import asyncpg
import click
import httpx
import pytest
import yaml
from gameshelf.gateway.main import run
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.wiring import COMPOSITION, ROUTES
from gameshelf.libctl.main import cli
from gameshelf.protos.library.v1 import achievement_service_pb2, cloud_save_service_pb2, playtime_tracker_service_pb2
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[1]
MONITORING = ROOT / "deploy" / "monitoring"
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGES = sorted(page for page in RUNBOOKS.glob("*.md") if page.name != "README.md")
FILES = [MONITORING / name for name in ("alerts.yaml", "slo.yaml")]
RULES = [rule for path in FILES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
OF_PROMETHEUS = {"up"}
"""Metrics that Prometheus itself makes."""
LABELS_OF_TARGETS = {"job", "instance", "exported_job", "le"}
NOT_OURS = {"curl", "redis-cli"}

_WORDS = {"by", "on", "and", "or", "unless", "offset", "without", "ignoring", "vector", "time"}
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r'([a-zA-Z_:][\w:]*)\{((?:[^"{}]|"[^"]*")*)\}')
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_NAME = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")


def load_dashboards():
    spec = importlib.util.spec_from_file_location("dashboards", MONITORING / "dashboards.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["dashboards"] = module
    spec.loader.exec_module(module)
    return module


def blocks(page, kind):
    """Returns the blocks of code of one kind in a page."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def expressions():
    """Returns every PromQL expression with the place that it comes from."""
    found = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in RULES]
    for path in MONITORING.glob("dashboards/*.json"):
        panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
        found += [(path.name, target["expr"]) for panel in panels for target in panel.get("targets", ())]
    found += [(page.name, text.strip()) for page in PAGES for text in blocks(page, "promql")]
    return found


EXPRESSIONS = expressions()


def metrics_of(expression):
    """Returns the names of the metrics in an expression."""
    plain = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", plain)
    plain = _GROUPING.sub(" ", plain)
    return {name for name in _NAME.findall(plain) if name not in _WORDS and not re.fullmatch(r"[0-9]\w*", name)}


def test_metrics_are_found_in_an_expression():
    expression = 'sum by (topic) (rate(a_total{topic="b"}[5m])) > 3 * max(c) and on (d) slo:e:5m offset 1h or vector(0)'
    assert metrics_of(expression) - {"1h"} == {"a_total", "c", "slo:e:5m"}


@pytest.fixture(scope="module")
def families(service):
    """What a real process shows: name of each sample → its labels, and values of them that are there from the start."""
    shown = httpx.get(service.metrics, timeout=10).text
    return {family.name: family for family in text_string_to_metric_families(shown)}


@pytest.fixture(scope="module")
def sample_names(families):
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return {name + ending for name, family in families.items() for ending in endings.get(family.type, ("",))}


def test_every_metric_that_is_named_is_shown_by_the_service(sample_names):
    known = sample_names | OF_PROMETHEUS | {rule["record"] for rule in RULES if "record" in rule}
    assert len(EXPRESSIONS) > 200
    assert {(place, name) for place, text in EXPRESSIONS for name in metrics_of(text) if name not in known} == set()


def labels_of_metrics():
    """Returns the labels that each metric is declared with, by the names of its samples."""
    registry = Metrics(COMPOSITION.metrics).registry
    declared = {}
    for collector in registry._collector_to_names:
        for name in registry._collector_to_names[collector]:
            declared[name] = set(getattr(collector, "_labelnames", ()))
    return declared


def matchers():
    """Returns place, metric, label, operator and value of every matcher of one of the service's metrics."""
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    for place, text in EXPRESSIONS:
        for name, inside in _SELECTOR.findall(text):
            if name not in recorded | OF_PROMETHEUS:
                for label, operator, value in _MATCHER.findall(inside):
                    yield place, name, label, operator, value


def test_every_label_that_is_named_belongs_to_its_metric():
    declared = labels_of_metrics()
    found = list(matchers())
    assert len(found) > 50
    assert [one for one in found if one[2] not in declared.get(one[1], set()) | LABELS_OF_TARGETS] == []


def test_every_route_and_call_that_is_named_is_served():
    routes = [route.template for route in ROUTES]
    routes += ["/health/ready", "unmatched"]
    modules = (achievement_service_pb2, cloud_save_service_pb2, playtime_tracker_service_pb2)
    calls = [
        f"/{service.full_name}/{method.name}"
        for module in modules
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]
    named = {(operator, value) for _, name, label, operator, value in matchers() if label == "route"}
    named_calls = {
        (operator, value)
        for _, name, label, operator, value in matchers()
        if label == "method" and name.startswith("grpc_")
    }
    assert len(named) > 5
    assert len(named_calls) > 2
    for found, there in ((named, routes), (named_calls, calls)):
        for operator, value in found:
            # Braces of a template are plain characters where the whole value is.
            pattern = value if "~" in operator else re.escape(value)
            assert any(re.fullmatch(pattern, one) for one in there), value


def test_every_job_role_and_dependency_that_is_named_is_there(families):
    def values(name, label):
        return {sample.labels[label] for sample in families[name].samples}

    there = {
        "job": values("job_pause_seconds", "job") | {"gameshelf"},
        "role": values("service_role", "role"),
        "dependency": values("dependency_up", "dependency") | {"s3"},
    }
    named = {(label, value) for _, _, label, operator, value in matchers() if label in there and operator == "="}
    assert {(label, value) for label, value in named if value not in there[label]} == set()
    assert {label for label, _ in named} == set(there)


def test_the_dashboards_are_those_that_the_generator_makes():
    module = load_dashboards()
    made = {f"{one.name}.json": module.render(one) for one in module.DASHBOARDS}
    there = {path.name: path.read_text(encoding="utf-8") for path in MONITORING.glob("dashboards/*.json")}
    assert there == made, "run: python deploy/monitoring/dashboards.py"


def test_the_panels_of_a_dashboard_do_not_overlap():
    for path in MONITORING.glob("dashboards/*.json"):
        taken = set()
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            at = panel["gridPos"]
            cells = set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))
            assert not cells & taken, (path.name, panel["title"])
            assert at["x"] + at["w"] <= 24
            taken |= cells


def test_an_alert_has_a_severity_a_summary_and_its_runbook():
    home = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["gameshelf"]["home"]
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"{home}/runbooks/{rule['alert']}/"
    assert {rule["alert"] for rule in ALERTS} == {page.stem for page in PAGES}


def test_a_comment_justifies_how_long_each_alert_waits():
    lines = (MONITORING / "alerts.yaml").read_text(encoding="utf-8").splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("      - alert: ")]
    assert [lines[number] for number in heads if not lines[number - 1].startswith("      # ")] == []
    assert len(heads) > 30


def test_the_index_of_runbooks_has_each_alert_with_its_severities():
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| [^|]+ \| \[(\w+)\]\(\1\.md\) \| ([a-z, ]+) \|$", index, re.MULTILINE)
    severities = {}
    for rule in ALERTS:
        severities.setdefault(rule["alert"], []).append(rule["labels"]["severity"])
    assert dict(listed) == {name: ", ".join(dict.fromkeys(found)) for name, found in severities.items()}
    assert len(listed) == len(severities)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.stem}\n\nSeverity: {' and '.join(severities[page.stem])}.\n")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["What it means", "What to look at", "What to do"]


def seconds(time):
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in re.findall(r"(\d+)([hms])", time))


def test_each_alert_fires_in_a_test_of_promtool_and_clears():
    """Both in the same test: some later check expects the alert without that severity."""
    proven = set()
    for path in MONITORING.glob("tests/*.yaml"):
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            assert case["name"]
            checks = [
                (
                    one["alertname"],
                    seconds(one["eval_time"]),
                    {found["exp_labels"]["severity"] for found in one["exp_alerts"]},
                )
                for one in case["alert_rule_test"]
            ]
            proven |= {
                (name, severity)
                for name, fired_at, found in checks
                for severity in found
                if any(other == name and at > fired_at and severity not in left for other, at, left in checks)
                and any(other == name and at < fired_at and severity not in left for other, at, left in checks)
            }
    assert {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS} - proven == set()


def commands():
    """Returns each command line of the runbooks, without its prompt."""
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.splitlines():
                assert line.startswith("$ "), (page.name, line)
                yield page.name, line[2:]


def test_every_command_and_option_of_the_runbooks_exists():
    gateway = set()
    for page, line in commands():
        program, *words = re.findall(r'"[^"]*"|\S+', line)
        if program == "libctl":
            found = cli
            while isinstance(found, click.Group):
                found = found.get_command(click.Context(found), words.pop(0))
                assert found is not None, (page, line)
            options = {option for parameter in found.params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, (page, line)
        elif program == "gameshelf-gateway":
            gateway.add(words[0])
        else:
            assert program in NOT_OURS, (page, line)
    assert gateway == {"check", "migrate", "prepare-bucket"}
    for command in gateway:
        with pytest.raises(SystemExit) as ended:
            run([command, "--help"])
        assert ended.value.code == 0, command


async def test_every_statement_of_the_runbooks_is_valid(platform, service):
    statements = [(page.name, text) for page in PAGES for text in blocks(page, "sql")]
    assert len(statements) > 15
    connection = await asyncpg.connect(platform.dsn)
    try:
        for page, statement in statements:
            assert statement.count(";") == 1, page
            await connection.execute(f"EXPLAIN {statement}")  # which checks names and types, and runs nothing
    finally:
        await connection.close()


def test_the_rules_refer_to_targets_as_the_configuration_names_them():
    configuration = yaml.safe_load((MONITORING / "prometheus.yaml").read_text(encoding="utf-8"))
    [scraped] = configuration["scrape_configs"]
    assert (scraped["job_name"], scraped["honor_labels"]) == ("gameshelf", True)
    assert configuration["rule_files"] == [path.name for path in FILES]
    for rule in RULES:
        for target in re.findall(r"\b(?:up|build_info|process_\w+)\b(\{[^}]*\})?", rule["expr"]):
            assert target.startswith('{job="gameshelf"'), rule  # others export metrics of these names, too

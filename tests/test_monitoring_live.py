"""A real Prometheus with our configuration scrapes a real service, and evaluates every rule.

`.ci/monitoring` unpacks its program from Debian's package. Without it this test is skipped.
"""

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from gameshelf.devstack.pytest_plugin import wait_for
from gameshelf.devstack.servers.base import free_port

ROOT = Path(__file__).parents[1]
MONITORING = ROOT / "deploy" / "monitoring"
PROGRAM = ROOT / ".local" / "tools" / "prometheus"

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no Prometheus: `.ci/monitoring` fetches it on Debian")


def quickened(text):
    """Returns a configuration or rules with all intervals of a second."""
    return re.sub(r"(interval: )\S+", r"\g<1>1s", text)


@pytest.fixture
def prometheus(platform, tmp_path):
    """The address of a Prometheus that scrapes two processes, neither of which can use Redis."""
    services = [
        platform.service(LIBRARY_SERVICE_ROLES=roles, REDIS_ADDR=f"127.0.0.1:{free_port()}")
        for roles in ("api,consumer", "relay,jobs")
    ]
    for service in services:
        service.start()
    targets = ", ".join(f'"127.0.0.1:{service.metrics_port}"' for service in services)
    configuration = quickened((MONITORING / "prometheus.yaml").read_text())
    (tmp_path / "prometheus.yaml").write_text(configuration.replace('"127.0.0.1:9090"', targets))
    for name in ("alerts.yaml", "slo.yaml"):
        (tmp_path / name).write_text(quickened((MONITORING / name).read_text()))
    address = f"127.0.0.1:{free_port()}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={tmp_path}/prometheus.yaml",
                f"--storage.tsdb.path={tmp_path}/data",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    yield f"http://{address}/api/v1"
    process.terminate()
    process.wait(30)
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
    for service in services:
        service.stop()


def asked(address, path, **parameters):
    """Returns the data of an answer; None while Prometheus starts."""
    try:
        answer = httpx.get(address + path, params=parameters, timeout=10)
    except httpx.TransportError:
        return None
    return answer.json()["data"] if answer.status_code == 200 else None


def test_a_real_prometheus_evaluates_every_rule(prometheus):
    def values(expression):
        data = asked(prometheus, "/query", query=expression)
        return {tuple(one["metric"].items()): float(one["value"][1]) for one in data["result"]} if data else {}

    def rules():
        data = asked(prometheus, "/rules")
        found = [rule for group in data["groups"] for rule in group["rules"]] if data else []
        return all(rule["health"] != "unknown" for rule in found) and found

    wait_for(lambda: values('sum(up{job="gameshelf"}) == 2'))
    found = wait_for(rules)
    assert [rule for rule in found if rule["health"] != "ok"] == []
    assert len(found) > 60
    # The label of a job is that of the service, and the one of the target is there where the metric has none.
    assert (("job", "retention"),) in values("sum by (job) (job_pause_seconds)")
    assert values('count(build_info{job="gameshelf"})') == {(): 2}
    roles = ("api", "consumer", "jobs", "relay")
    assert values("sum by (role) (service_role)") == {(("role", role),): 1 for role in roles}
    assert len(wait_for(lambda: values("slo:objective"))) == 5
    [alert, *_] = wait_for(lambda: values('ALERTS{alertname="RedisUnusable"}'))  # it waits for two minutes
    assert dict(alert)["severity"] == "page"
    # No backup was made, but that alert waits for half an hour: nothing else may be on already.
    assert values('ALERTS{alertstate="firing",alertname!="RedisUnusable"}') == {}

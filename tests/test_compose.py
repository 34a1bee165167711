"""The compose file fits the service and the files beside it. `.ci/compose` reads it as an engine would."""

import json
import re
from pathlib import Path

import pytest
import yaml
from gameshelf.gateway.configuration import FIELDS, load_settings
from gameshelf.gateway.main import run
from gameshelf.gateway.runtime.settings import ServiceRole, Settings
from gameshelf.libctl.main import cli

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
FILE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = FILE["services"]
OWN = {name for name, service in SERVICES.items() if service["image"].startswith("${GAMESHELF_IMAGE")}
SERVING = {name for name in OWN if "command" not in SERVICES[name]}
SAMPLES = dict.fromkeys(re.findall(r"^([A-Z0-9_]+)=", (DEPLOY / "compose" / "example.env").read_text(), re.M), "sample")
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::\?|:-([^}]*))?\}")


def config(path):
    return yaml.safe_load((DEPLOY / "compose" / path).read_text(encoding="utf-8"))


def filled(text, values):
    return VARIABLE.sub(lambda found: values.get(found[1], found[2] or ""), text)


def test_every_variable_is_explained_or_has_a_default():
    required = {found[0] for found in re.findall(r"\$\{([A-Z0-9_]+)(:\?)\}", json.dumps(SERVICES))}
    assert required
    assert required <= SAMPLES.keys()


def test_every_role_runs_once():
    roles = sorted(SERVICES[name]["environment"]["LIBRARY_SERVICE_ROLES"] for name in SERVING)
    assert roles == sorted(role.value for role in ServiceRole)


@pytest.mark.parametrize("name", sorted(OWN))
def test_the_service_accepts_its_environment(name, tmp_path):
    (tmp_path / "jwt.pem").touch()
    samples = SAMPLES | {"ERASURE_HASH_KEY": "0" * 64, "S3_PUBLIC_ENDPOINT": "http://127.0.0.1:7070"}
    given = {key: filled(value, samples) for key, value in SERVICES[name]["environment"].items()}
    assert given.keys() <= FIELDS.keys()
    [keys] = SERVICES[name]["volumes"]
    folder = keys.split(":")[1]
    given = {key: value.replace(f"{folder}/", f"{tmp_path}/") for key, value in given.items()}
    settings = load_settings(given)
    assert settings.metrics_port == Settings.model_fields["metrics_port"].default


@pytest.mark.parametrize("name", sorted(OWN - SERVING))
def test_a_task_is_a_command_of_the_service(name, capsys):
    with pytest.raises(SystemExit) as ended:
        run([*SERVICES[name]["command"], "--help"])
    assert ended.value.code == 0
    assert SERVICES[name]["command"][0] in capsys.readouterr().out


def test_the_backup_is_a_command_of_libctl():
    assert SERVICES["backup"]["entrypoint"] == ["libctl", "backup"]
    assert "backup" in cli.list_commands(None)


def test_a_process_has_time_to_stop():
    for name in SERVING:
        settings = SERVICES[name]["environment"]
        stop = float(settings["LIBRARY_SERVICE_DRAIN_SECONDS"]) + float(settings["LIBRARY_SERVICE_SHUTDOWN_SECONDS"])
        assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) > stop + 2


def test_ports_of_the_service_are_its_defaults():
    published = {port.split(":")[-1] for port in SERVICES["api"]["ports"]}
    assert published == {str(Settings.model_fields[f"{name}_port"].default) for name in ("http", "grpc")}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_mounted_exists_and_no_port_is_public(name):
    for mount in SERVICES[name].get("volumes", ()):
        source = mount.split(":")[0]
        assert (DEPLOY / source).exists() if source.startswith(".") else source in FILE["volumes"], mount
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_is_built_here_or_has_an_exact_version(name):
    service = SERVICES[name]
    if build := service.get("build"):
        assert (DEPLOY / build["context"]).is_dir()
    else:
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", service["image"])


def test_prometheus_scrapes_every_process_as_the_rules_need_it():
    prometheus = config("prometheus.yaml")
    [job] = prometheus["scrape_configs"]
    [targets] = job["dns_sd_configs"]
    assert (job["job_name"], job["honor_labels"]) == ("gameshelf", True)
    assert set(targets["names"]) == SERVING
    assert targets["port"] == Settings.model_fields["metrics_port"].default
    mounted = {mount.split(":")[1] for mount in SERVICES["prometheus"]["volumes"]}
    assert {f"/etc/prometheus/{name}" for name in prometheus["rule_files"]} <= mounted


def test_grafana_gets_the_dashboards_and_their_data():
    mounted = dict(mount.split(":")[1::-1] for mount in SERVICES["grafana"]["volumes"] if mount.startswith("."))
    [provider] = config("grafana/dashboards/gameshelf.yaml")["providers"]
    assert mounted[provider["options"]["path"]] == "./monitoring/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./compose/grafana"
    [source] = config("grafana/datasources/prometheus.yaml")["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")


def test_traces_reach_the_collector():
    port = config("collector.yaml")["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    endpoints = {SERVICES[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] for name in OWN}
    assert endpoints == {f"http://collector:{port}"}

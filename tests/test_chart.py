"""The Helm chart fits the service: settings, roles, ports, probes. `.ci/chart` compares it with Kubernetes' schemas."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from gameshelf.gateway.configuration import FIELDS, load_settings
from gameshelf.gateway.runtime.settings import ServiceRole, Settings
from gameshelf.libctl.main import cli
from jsonschema_rs import Draft7Validator

ROOT = Path(__file__).parents[1]
CHART = ROOT / "deploy" / "helm" / "gameshelf"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
SETS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(CHART.glob("ci/*.yaml"))}
README = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
SETS["README"] = "\n".join(map(dedent, re.findall(r"^ *```yaml\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)))
HELM = os.environ.get("HELM") or shutil.which("helm") or ROOT / ".local" / "tools" / "helm"
OF_THE_CHART = {
    *(f"LIBRARY_SERVICE_{name}_PORT" for name in ("HTTP", "GRPC", "METRICS")),
    *(f"LIBRARY_SERVICE_{name}" for name in ("ROLES", "DRAIN_SECONDS", "SHUTDOWN_SECONDS", "REVISION")),
}
"""Settings that have values of their own."""
SECRETS = {name for name, field in FIELDS.items() if "SecretStr" in str(field.annotation)} | {"S3_ACCESS_KEY_ID"}
SAMPLES = {"POSTGRES_DSN": "postgresql://library@postgres/library", "ERASURE_HASH_KEY": "0" * 32}

with_helm = pytest.mark.skipif(not Path(HELM).exists(), reason="no helm here; .ci/chart builds it")


def names(definition):
    return set(SCHEMA["definitions"][definition]["propertyNames"]["enum"])


def test_secrets_are_found_among_the_settings():
    assert {"POSTGRES_DSN", "ERASURE_HASH_KEY", "REDIS_PASSWORD", "S3_SECRET_ACCESS_KEY"} <= SECRETS
    assert not {"KAFKA_BROKERS", "LOG_LEVEL"} & SECRETS


def test_every_setting_is_a_value_and_no_secret_is_one():
    assert names("settings") == FIELDS.keys() - SECRETS - OF_THE_CHART
    assert names("secrets") == FIELDS.keys() - OF_THE_CHART


def test_every_role_has_a_deployment_of_its_own():
    enabled = [deployment["roles"] for deployment in VALUES["deployments"].values() if deployment["enabled"]]
    assert sorted(enabled) == sorted([role.value] for role in ServiceRole)
    roles = SCHEMA["definitions"]["deployment"]["properties"]["roles"]["items"]["enum"]
    assert set(roles) == {role.value for role in ServiceRole}
    assert set(VALUES["deployments"]["all"]["roles"]) == set(roles)


@pytest.mark.parametrize("port", VALUES["ports"])
def test_a_port_is_the_default_of_the_service(port):
    assert VALUES["ports"][port] == Settings.model_fields[f"{port}_port"].default


def keys(values, schema, path=""):
    """Yields the paths of keys that only one of both has."""
    while "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    if "properties" in schema:
        yield from (f"{path}.{key}" for key in values.keys() ^ schema["properties"].keys())
        for key in values.keys() & schema["properties"].keys():
            if isinstance(values[key], dict):
                yield from keys(values[key], schema["properties"][key], f"{path}.{key}")


def test_values_and_schema_have_the_same_keys():
    of_deployments_alone = {".global", ".defaults.enabled", ".defaults.roles"}
    assert set(keys(VALUES, SCHEMA)) == of_deployments_alone


def merged(values, own):
    """Returns values as helm merges them."""
    below = {key: merged(values[key], own[key]) for key in own if isinstance(own[key], dict) and key in values}
    return {**values, **own, **below}


@pytest.mark.parametrize("values", [None, *SETS])
def test_values_are_valid(values):
    own = yaml.safe_load(SETS[values]) if values else {}
    assert list(Draft7Validator(SCHEMA).iter_errors(merged(VALUES, own))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": {"POSTGRES_DSN": "a"}},
        {"settings": {"LIBRARY_SERVICE_ROLES": "api"}},
        {"deployments": {"api": {"role": []}}},
    ],
)
def test_wrong_values_are_refused(wrong):
    assert list(Draft7Validator(SCHEMA).iter_errors({**VALUES, **wrong}))


@pytest.mark.parametrize("link", ["alerts.yaml", "slo.yaml", "dashboards"])
def test_the_chart_has_the_rules_and_dashboards_of_monitoring(link):
    assert (CHART / "files" / link).resolve() == ROOT / "deploy" / "monitoring" / link


@pytest.fixture(scope="module")
def rendered():
    """Renders the chart with one of its files of values."""
    known = {}

    def render(values):
        if values not in known:
            command = [HELM, "template", "gameshelf", CHART, "--kube-version", "1.34.4"]
            command += ["--values", "-"]
            text = subprocess.run(command, input=SETS[values], check=True, capture_output=True, text=True).stdout
            known[values] = [document for document in yaml.safe_load_all(text) if document]
        return known[values]

    return render


def pods(documents):
    """Yields the name of each object that has a pod, and the pod."""
    for document in documents:
        name, spec = document["metadata"]["name"], document.get("spec", {})
        if document["kind"] == "Pod":
            yield name, document
        elif document["kind"] == "CronJob":
            yield name, spec["jobTemplate"]["spec"]["template"]
        elif "template" in spec:
            yield name, spec["template"]


def containers(pod):
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def environment_of(container):
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def deployments(documents):
    return [document for document in documents if document["kind"] == "Deployment"]


@with_helm
@pytest.mark.parametrize("values", SETS)
def test_the_service_accepts_the_environment_of_every_pod(rendered, values, tmp_path):
    for name, pod in pods([document for document in rendered(values) if document["kind"] != "CronJob"]):
        [container] = containers(pod)
        given = environment_of(container)
        assert len(given) == len(container["env"]), name
        assert given.keys() <= FIELDS.keys(), name
        for variable, value in given.items():
            if value is None:
                given[variable] = SAMPLES.get(variable, "sample")
            elif variable.endswith("_FILE"):
                mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
                assert any(value.startswith(f"{mount}/") for mount in mounts), (name, variable)
                given[variable] = str(tmp_path / "file")
                (tmp_path / "file").touch()
        load_settings(given)


@with_helm
@pytest.mark.parametrize("values", SETS)
def test_every_role_runs(rendered, values):
    roles = [
        environment_of(d["spec"]["template"]["spec"]["containers"][0])["LIBRARY_SERVICE_ROLES"]
        for d in deployments(rendered(values))
    ]
    assert {role for text in roles for role in text.split(",")} == {role.value for role in ServiceRole}


@with_helm
@pytest.mark.parametrize("values", SETS)
def test_the_grace_period_is_longer_than_the_stop(rendered, values):
    for deployment in deployments(rendered(values)):
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        settings = environment_of(container)
        before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        stop = float(settings["LIBRARY_SERVICE_DRAIN_SECONDS"]) + float(settings["LIBRARY_SERVICE_SHUTDOWN_SECONDS"])
        assert pod["terminationGracePeriodSeconds"] > before + stop + 2


@with_helm
@pytest.mark.parametrize("values", SETS)
def test_probes_use_ports_and_routes_that_the_roles_have(rendered, values):
    for deployment in deployments(rendered(values)):
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        api = "api" in environment_of(container)["LIBRARY_SERVICE_ROLES"]
        assert ports == (VALUES["ports"] if api else {"metrics": VALUES["ports"]["metrics"]})
        for kind, path in (("startup", "live"), ("liveness", "live"), ("readiness", "ready")):
            probe = container[f"{kind}Probe"]["httpGet"]
            assert probe == (
                {"path": f"/health/{path}", "port": "http"} if api else {"path": "/metrics", "port": "metrics"}
            )


@with_helm
@pytest.mark.parametrize("values", SETS)
def test_no_pod_is_root_or_writes_to_its_image(rendered, values):
    for name, pod in pods(rendered(values)):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not spec["automountServiceAccountToken"], name
        assert not spec["enableServiceLinks"], name
        for own in (container["securityContext"] for container in containers(pod)):
            assert own["readOnlyRootFilesystem"], name
            assert not own["allowPrivilegeEscalation"], name
            assert own["capabilities"] == {"drop": ["ALL"]}, name


@with_helm
def test_a_backup_is_verified_before_others_go_and_drilled_every_quarter(rendered, monkeypatch, tmp_path):
    monkeypatch.setenv("POSTGRES_DSN", SAMPLES["POSTGRES_DSN"])
    steps = []
    for _, pod in pods([document for document in rendered("production") if document["kind"] == "CronJob"]):
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        for container in containers(pod):
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            program, *words = [*container["command"], *container["args"]]
            assert program == "libctl"
            steps.append(words[1])
            command = cli.get_command(None, words[0]).get_command(None, words[1])
            command.make_context(words[1], [str(tmp_path) if word == "/work" else word for word in words[2:]])
    assert steps == ["create", "verify", "prune", "drill"]


@with_helm
@pytest.mark.parametrize("values", SETS)
def test_selectors_select_the_pods_that_they_are_for(rendered, values):
    documents = rendered(values)
    labels = {d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"] for d in deployments(documents)}
    everything = {name: pod["metadata"]["labels"] for name, pod in pods(documents)}

    def selected(selector, among):
        return {name for name, own in among.items() if selector.items() <= own.items()}

    apis = {name for name in labels if name.endswith(("-api", "-all"))}
    for document in documents:
        name, spec = document["metadata"]["name"], document.get("spec", {})
        if document["kind"] == "Service":
            expected = set(labels) if name.endswith("-metrics") else apis
            assert selected(spec["selector"], everything) == expected, name
        elif document["kind"] in ("Deployment", "PodDisruptionBudget"):
            assert selected(spec["selector"]["matchLabels"], everything) == {name}
        elif document["kind"] == "NetworkPolicy":
            expected = apis if name.endswith("-api") else set(everything)
            assert selected(spec["podSelector"]["matchLabels"], everything) == expected, name
        elif document["kind"] == "HorizontalPodAutoscaler":
            assert spec["scaleTargetRef"]["name"] in labels
            assert "replicas" not in next(d for d in deployments(documents) if d["metadata"]["name"] == name)["spec"]


@with_helm
def test_prometheus_gets_the_labels_that_the_rules_need(rendered):
    [monitor] = [document for document in rendered("production") if document["kind"] == "ServiceMonitor"]
    [endpoint] = monitor["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True
    assert {"action": "replace", "targetLabel": "job", "replacement": "gameshelf"} in endpoint["relabelings"]
    rules = [document["spec"] for document in rendered("production") if document["kind"] == "PrometheusRule"]
    files = [(CHART / "files" / name).read_text(encoding="utf-8") for name in ("alerts.yaml", "slo.yaml")]
    address = "https://docs.example/gameshelf"
    assert rules == [yaml.safe_load(text.replace("https://gameshelf.example", address)) for text in files]


@with_helm
def test_the_dashboards_are_rendered_as_they_are(rendered):
    maps = [document for document in rendered("production") if document["kind"] == "ConfigMap"]
    found = {name.removeprefix("gameshelf-"): json.loads(text) for m in maps for name, text in m["data"].items()}
    there = CHART.glob("files/dashboards/*.json")
    assert found == {path.name: json.loads(path.read_text(encoding="utf-8")) for path in there}

"""The files for one host name what exists: settings, ports, scripts and folders."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from gameshelf.gateway.configuration import load_settings

HOST = Path(__file__).parents[1] / "deploy/host"
SCRIPTS = ["install", "services", "run", "backup", "base-backup", "drill", "redis-copy", "objects", "kafka/kafka"]


def variables(text):
    return dict(re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE))


@pytest.fixture(scope="module")
def install():
    return (HOST / "install").read_text(encoding="utf-8")


@pytest.fixture
def settings(install, tmp_path):
    """As the script makes them, with the issuer's keys at hand."""
    secrets = install.split("<< END\n", 1)[1].split("\nEND\n", 1)[0].replace("$(secret)", "0" * 48)
    keys = tmp_path / "jwt.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ED25519", "-out", tmp_path / "private.pem"], check=True, timeout=60
    )
    subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "private.pem", "-pubout", "-out", keys], check=True, timeout=60
    )
    made = {**variables(secrets), **variables((HOST / "gameshelf.env").read_text(encoding="utf-8"))}
    assert len(made) > 12
    return {**made, "AUTH_JWT_PUBLIC_KEY_FILE": str(keys)}


def programs():
    text = (HOST / "supervisor.conf").read_text(encoding="utf-8")
    pattern = r'^environment=LIBRARY_SERVICE_ROLES="(.*?)",LIBRARY_SERVICE_METRICS_PORT="(\d+)"$'
    return dict(re.findall(pattern, text, re.MULTILINE))


def test_the_service_accepts_the_settings_of_each_program(settings):
    roles = set()
    for names, port in programs().items():
        own = {"LIBRARY_SERVICE_ROLES": names, "LIBRARY_SERVICE_METRICS_PORT": port}
        loaded = load_settings({**settings, **own})
        assert not roles & loaded.roles
        roles |= loaded.roles
    assert roles == {"api", "consumer", "relay", "jobs"}


def test_prometheus_scrapes_the_metrics_of_each_program():
    configuration = yaml.safe_load((HOST / "prometheus.yaml").read_text(encoding="utf-8"))
    [scrape] = [one for one in configuration["scrape_configs"] if one["job_name"] == "gameshelf"]
    targets = {target for static in scrape["static_configs"] for target in static["targets"]}
    assert scrape["honor_labels"]
    assert targets == {f"127.0.0.1:{port}" for port in programs().values()}


def test_what_is_installed_exists_and_all_of_it_is_installed(install):
    named = set(re.findall(r"deploy/[\w./-]+", install))
    assert not {name for name in named if not (HOST.parents[1] / name).exists()}
    unused = {f"deploy/host/{path.relative_to(HOST)}" for path in HOST.rglob("*") if path.is_file()} - named
    assert unused == {"deploy/host/README.md", "deploy/host/install"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_can_be_run(script):
    path = HOST / script
    assert path.stat().st_mode & 0o111 == 0o111
    shell = path.read_text(encoding="utf-8").splitlines()[0].split("/")[-1].split()[-1]
    subprocess.run([shutil.which(shell), "-n", path], check=True, timeout=60)

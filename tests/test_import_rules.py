"""Imports point one way: gateway → domains → kernel. The rules follow from the folders, so a new domain is covered."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOMAINS = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml") if path.parent.name != "kernel")
CLIENTS = ("quart", "hypercorn", "grpc", "aiokafka", "aioboto3", "redis", "click", "rich")


def contract(name: str, **settings: object) -> str:
    lines = [f"[importlinter:contract:{name}]", f"name = {name}"]
    for key, value in settings.items():
        lines.append(f"{key} =" if isinstance(value, list | tuple) else f"{key} = {value}")
        lines += [f"    {entry}" for entry in value] if isinstance(value, list | tuple) else []
    return "\n".join(lines)


def rules() -> str:
    domains = [f"gameshelf.{name}" for name in DOMAINS]
    packages = [
        "gameshelf.kernel",
        *domains,
        "gameshelf.gateway",
        "gameshelf.devstack",
        "gameshelf.libctl",
        "gameshelf.protos",
    ]
    layers = ["gameshelf.gateway", " | ".join(domains), "gameshelf.kernel"]
    pure = ["gameshelf.kernel", *domains]
    everything_else = [name for name in packages if name != "gameshelf.devstack"]
    sections = [
        "\n".join(
            [
                "[importlinter]",
                "root_packages =",
                *(f"    {name}" for name in packages),
                "include_external_packages = True",
            ]
        ),
        contract("layers", type="layers", layers=layers),
        contract("domains_know_no_client", type="forbidden", source_modules=pure, forbidden_modules=CLIENTS),
        contract("domains_know_no_wire", type="forbidden", source_modules=pure, forbidden_modules=["gameshelf.protos"]),
        contract(
            "nothing_needs_the_embedded_servers",
            type="forbidden",
            source_modules=everything_else,
            forbidden_modules=["gameshelf.devstack"],
        ),
        contract(
            "libctl_knows_the_service_by_its_protocol_only",
            type="forbidden",
            source_modules=["gameshelf.libctl"],
            forbidden_modules=["gameshelf.gateway"],
        ),
        contract(
            "nothing_needs_libctl",
            type="forbidden",
            source_modules=[name for name in packages if name != "gameshelf.libctl"],
            forbidden_modules=["gameshelf.libctl"],
        ),
    ]
    return "\n\n".join(sections)


@pytest.fixture
def lint(tmp_path):
    """Looks whether the rules hold. In a process of its own: it switches the loggers off that there are."""
    linter = Path(sys.executable).with_name("lint-imports")

    def run(rules):
        config = tmp_path / "importlinter.ini"
        config.write_text(rules)
        return subprocess.run(
            [linter, "--config", config, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
        )

    return run


def test_every_import_points_the_right_way(lint):
    linted = lint(rules())
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_rules_would_notice(lint):
    """The rules turned round are broken: they do see the imports that there are."""
    assert "domains_know_no_client BROKEN" in lint(rules().replace("\n    quart\n", "\n    sqlmodel\n")).stdout


@pytest.mark.parametrize("package", ["kernel", *DOMAINS])
def test_a_package_has_what_every_package_has(package):
    home = ROOT / "packages" / package
    built = ("BUILD", "src/BUILD", "tests/BUILD")
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", f"src/gameshelf/{package}/py.typed", *built):
        assert (home / name).is_file(), name
    assert not (home / "src/gameshelf/__init__.py").exists()  # a namespace, so that each installs alone

"""Imports point one way: gateway → domains → kernel. The rules follow from the folders, so a new domain is covered."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from gameshelf.devstack.source_tree import parse_source

ROOT = Path(__file__).parents[1]
GATEWAY = ROOT / "services/gateway/src/gameshelf/gateway"
DOMAINS = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml") if path.parent.name != "kernel")
FOLDERS = sorted(path.parent.name for path in GATEWAY.glob("domains/*/__init__.py"))
DOMAIN_WORDS = {
    # Playtime and family both need these settings, and neither may import the other's section.
    ("settings.py", "PLAYTIME_HEARTBEAT_INTERVAL_SECONDS"),
    ("settings.py", "PLAYTIME_SESSION_TIMEOUT_SECONDS"),
    (
        "settings.py",
        "PLAYTIME_SESSION_TIMEOUT_SECONDS: at least three times PLAYTIME_HEARTBEAT_INTERVAL_SECONDS is needed",
    ),
    ("settings.py", "FAMILY_SEAT_GRACE_SECONDS"),
    ("settings.py", "family_seat_grace_seconds"),
    # The OpenAPI document describes all headers in one table, and CORS exposes them.
    ("http/openapi/headers.py", "X-Seat-Lost-At"),
}
"""Words of domains in the runtime, as (file, name or text)."""
CLIENTS = ("quart", "hypercorn", "grpc", "aiokafka", "aioboto3", "redis", "click", "httpx", "rich")
# A package of its own by its extra, which nothing else imports (packages/savegames/tests/s3/test_optional.py).
EXTRAS = {"gameshelf.savegames.s3"}
# A store in memory, for tests.
FOR_TESTS = {"gameshelf.savegames.testing"}
OPTIONAL = ["gameshelf.savegames.s3._client -> aioboto3"]


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
        "gameshelf.savesync",
        "gameshelf.client",
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
        contract(
            "domains_know_no_client",
            type="forbidden",
            source_modules=pure,
            forbidden_modules=CLIENTS,
            ignore_imports=OPTIONAL,
        ),
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
            "savesync_knows_the_service_by_its_protocol_only",
            type="forbidden",
            source_modules=["gameshelf.savesync"],
            forbidden_modules=[name for name in packages if name not in ("gameshelf.savesync", "gameshelf.client")],
        ),
        contract(
            "the_client_knows_the_service_by_its_protocol_only",
            type="forbidden",
            source_modules=["gameshelf.client"],
            forbidden_modules=[name for name in packages if name != "gameshelf.client"],
        ),
        contract(
            "the_runtime_knows_no_domain",
            type="forbidden",
            source_modules=["gameshelf.gateway.runtime"],
            forbidden_modules=[*domains, "gameshelf.gateway.domains"],
        ),
        contract(
            "domains_of_the_gateway_know_nothing_of_each_other",
            type="independence",
            modules=[f"gameshelf.gateway.domains.{name}" for name in FOLDERS],
        ),
        *(
            contract(
                f"nothing_needs_{tool}",
                type="forbidden",
                source_modules=[name for name in packages if name != f"gameshelf.{tool}"],
                forbidden_modules=[f"gameshelf.{tool}"],
            )
            for tool in ("libctl", "savesync")
        ),
    ]
    return "\n\n".join(sections)


@pytest.fixture(scope="module")
def imports(tmp_path_factory):
    """The folder in which the linter keeps what it has read, for the second test."""
    return tmp_path_factory.mktemp("imports")


@pytest.fixture
def lint(tmp_path, imports):
    """Checks the rules, in a process of its own: the linter disables the existing loggers."""
    linter = Path(sys.executable).with_name("lint-imports")

    def run(rules):
        config = tmp_path / "importlinter.ini"
        config.write_text(rules)
        return subprocess.run(
            [linter, "--config", config, "--cache-dir", imports], cwd=ROOT, capture_output=True, text=True, check=False
        )

    return run


def test_every_import_points_the_right_way(lint):
    linted = lint(rules())
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_rules_would_notice(lint):
    """Reversed rules are broken: so the linter does see the imports."""
    assert "domains_know_no_client BROKEN" in lint(rules().replace("\n    quart\n", "\n    sqlmodel\n")).stdout


def test_the_runtime_names_no_domain():
    """Names and texts of the runtime, without its docstrings and comments, which may give examples."""
    words = re.compile("achievement|unlock|rarity|wishlist|playtime|family_|seat|savegame|save_", re.IGNORECASE)
    named = {
        (str(path.relative_to(GATEWAY / "runtime")), name)
        for path in (GATEWAY / "runtime").rglob("*.py")
        for name in _names_and_texts(parse_source(path.read_text(encoding="utf-8")))
        if words.search(name)
    }
    assert named == DOMAIN_WORDS


def _names_and_texts(tree):
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
        else:
            yield from (
                value for field in ("id", "attr", "name", "arg") if isinstance(value := getattr(node, field, None), str)
            )


def test_a_domain_is_imported_by_its_package():
    """The names in a package's ``__init__`` are its whole API; nobody imports a module inside of it."""
    sources = [
        path
        for top in ("packages", "services", "tools", "clients", "bench", "tests")
        for path in (ROOT / top).rglob("*.py")
    ]
    assert {found for path in sources for found in _deep_imports(path)} == set()


def _is_module(package, name):
    home = ROOT / "packages" / package.rpartition(".")[2] / "src" / package.replace(".", "/")
    return (home / f"{name.name}.py").exists() or (home / name.name / "__init__.py").exists()


def _deep_imports(path):
    parts = path.relative_to(ROOT).parts
    own = parts[1] if parts[0] == "packages" else ""
    public = EXTRAS | FOR_TESTS if "tests" in parts else EXTRAS
    for node in ast.walk(parse_source(path.read_text(encoding="utf-8"))):
        modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            # A name of ``from gameshelf.library import …`` may be a module, too.
            modules = [
                node.module,
                *(f"{node.module}.{one.name}" for one in node.names if _is_module(node.module, one)),
            ]
        for module in modules:
            names = module.split(".")
            is_deep = names[0] == "gameshelf" and len(names) > 2 and names[1] in DOMAINS and module not in public
            if is_deep and names[1] != own:
                yield "/".join(parts), module


@pytest.mark.parametrize("package", ["kernel", *DOMAINS])
def test_a_package_has_what_every_package_has(package):
    home = ROOT / "packages" / package
    built = ("BUILD", "src/BUILD", "tests/BUILD")
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", f"src/gameshelf/{package}/py.typed", *built):
        assert (home / name).is_file(), name
    assert not (home / "src/gameshelf/__init__.py").exists()  # a namespace, so that each installs alone


@pytest.mark.parametrize("package", DOMAINS)
def test_a_private_module_of_a_package_has_an_underscore(package):
    """``s3`` is an extra; ``testing`` and ``conformance`` are for tests of those who bring a store of their own."""
    home = ROOT / "packages" / package / "src/gameshelf" / package
    paths = [*home.glob("*"), *home.glob("s3/*")]
    names = {path.stem for path in paths if path.suffix == ".py" or next(path.glob("*.py"), None)}
    public = {name for name in names if not name.startswith("_")}
    assert public <= {"migrations", "s3", "testing", "conformance"}


def test_no_package_knows_where_a_field_stands_in_a_request():
    """Errors of packages name fields of commands; the gateway adds where they stand in a body."""
    sources = ROOT.glob("packages/*/src/**/*.py")
    assert not [path for path in sources if "/data" in path.read_text(encoding="utf-8")]

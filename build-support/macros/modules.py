"""What a BUILD file may say: one macro a kind of module, and who may import whom.

A module has three BUILD files: at its root (its kind), in src/ (`module_sources()`) and in tests/ (`module_tests()`).
Imports point one way: apps -> domains -> kernel. Tests may import anything, production never imports tools/devstack.
"""
# ruff: noqa: F821 - Pants provides the names of targets

KERNEL = "//packages/kernel/src/**"
PROTOS = "//protos/src/**"
DOMAINS = "//packages/*/src/**"
REQUIREMENTS = ("//3rdparty/python/run#*", "//3rdparty/python/test#types-*", "//3rdparty/python/test#*-stubs")
TESTS = (
    "//packages/*/tests/**",
    "//services/*/tests/**",
    "//tools/*/tests/**",
    "//clients/*/tests/**",
    "//protos/tests/**",
    "//bench/**",
)

# What talks to the outside is the gateway's alone: a domain asks through a port.
TRANSPORT = tuple(
    "!//3rdparty/python/run#" + name
    for name in (
        "aioboto3",
        "aiokafka",
        "click",
        "grpcio*",
        "httpx",
        "hypercorn",
        "opentelemetry-*",
        "quart",
        "redis",
        "rich",
    )
)


def kernel():
    """What every domain shares. Imports none of ours."""
    _distribution("kernel")
    _rules(may_use=[*TRANSPORT, *REQUIREMENTS], used_by=["//packages/**", "//services/**", "//tools/**"])


def domain(name, extras=None):
    """A domain package: imports the kernel, no other domain, and nothing that talks to the outside.

    Only the subpackage of an extra (``{"s3": ["aioboto3"]}``) may use the clients that the extra installs.
    """
    _distribution(name)
    may_use = [KERNEL, *TRANSPORT, *REQUIREMENTS]
    _rules(
        may_use=may_use,
        used_by=["//services/**", "//tools/**"],
        exceptions=[
            (
                f"/src/gameshelf/{name}/{extra}/**",
                "/**",
                *(f"//3rdparty/python/run#{client}" for client in clients),
                *may_use,
                "!*",
            )
            for extra, clients in (extras or {}).items()
        ],
    )


def app(name, entry_point):
    """A service: imports the domains; only the developer's tools start it. Also built as a PEX, `<name>.pex`."""
    _distribution(name)
    pex_binary(name="app", entry_point=entry_point, output_path=name + ".pex", execution_mode="venv")
    _rules(may_use=[DOMAINS, PROTOS, *REQUIREMENTS], used_by=["//tools/devstack/**"])


def tool(name, *, may_use=()):
    """A developer's tool: nothing in production imports it."""
    _distribution(name)
    _rules(may_use=[DOMAINS, PROTOS, "//3rdparty/python/**", *may_use], used_by=[])


def client(name, *, may_use=(), used_by=()):
    """What players install: knows the service by its protocol, so it imports none of its code."""
    _distribution(name)
    _rules(may_use=["//3rdparty/python/run#*", *may_use], used_by=[*used_by])


def contracts(name):
    """The generated code of the .proto files: imports none of ours."""
    _distribution(name)
    _rules(may_use=["//3rdparty/python/**"], used_by=["//services/**", "//tools/**"])


def module_sources():
    """The sources below src/. Migrations are found at run time, not by an import, so all sources bring them along."""
    python_sources(
        name="src",
        sources=["**/*.py", "**/*.pyi", "!**/migrations/**"],
        dependencies=[":data", ":migrations"],
    )
    python_sources(name="migrations", sources=["**/migrations/**/*.py"], skip_mypy=True)
    resources(name="data", sources=["**/py.typed", "**/*.mako", "**/*.json", "**/*.tcss"])


def module_tests():
    """The tests: `test_*_rules.py` and `test_pure_*.py` run in Pants, the others need the servers of `./dev test`."""
    pure = ["**/test_*_rules.py", "**/test_pure_*.py"]
    python_test_utils(name="fixtures", sources=["**/*.py", "!**/test_*.py"], skip_mypy=True)
    python_tests(name="pure", sources=pure, skip_mypy=True)
    python_tests(
        name="served", sources=["**/test_*.py", *("!" + glob for glob in pure)], skip_tests=True, skip_mypy=True
    )


def _distribution(name):
    """A wheel, made by the module's own pyproject.toml."""
    resources(name="pyproject", sources=["pyproject.toml", "README.md", "schemas/**/*.json", "savesets/*"])
    python_distribution(
        name="dist",
        dependencies=[":pyproject", "./src"],
        provides=python_artifact(name="gameshelf-" + name),
        generate_setup=False,
        sdist=False,
    )


def _rules(may_use, used_by, exceptions=()):
    __dependencies_rules__(
        ("/tests/**", "*"),
        *exceptions,
        ("*", "/**", *may_use, "!*"),
    )
    __dependents_rules__(
        ("/tests/**", "/tests/**", "!*"),
        ("*", "/**", *used_by, *TESTS, "!*"),
    )

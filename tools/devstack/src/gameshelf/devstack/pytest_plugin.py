"""Real servers for tests. Every server and service that a test starts ends with the test run, however it ends."""

import gc
import os
import shutil
import signal
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
from gameshelf.devstack import run_templates
from gameshelf.devstack.authorities import reading_authorities_once
from gameshelf.devstack.databases import Databases, Upgradable
from gameshelf.devstack.forked import ForkedService
from gameshelf.devstack.order_of_tests import begin_with_the_longest, end_with_quick_ones, leave_out_long_ones
from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.readmes import RunReadme
from gameshelf.devstack.readmes import run_readme as _run_readme
from gameshelf.devstack.run_templates import Templates
from gameshelf.devstack.servers import S3, Brokers, Citus, Kafka, Moto, ObjectServer, Postgres, Valkey
from gameshelf.devstack.servers import citus as citus_cluster
from gameshelf.devstack.servers.base import free_port
from gameshelf.devstack.side_by_side import SideBySide
from gameshelf.devstack.side_by_side import side_by_side as _side_by_side
from gameshelf.devstack.tokens import AUDIENCE, ISSUER, TokenIssuer

_all = False
_running: "set[Service]" = set()
"""The services that were started and not yet ended."""

PATIENCE_SECONDS = 300
"""How long tests wait for what has to come. It only distinguishes a hang from slowness: it is far longer than a loaded
machine takes. A check that nothing comes has a short time of its own.
"""

CreateDatabase = Callable[..., str]


def on_one_server(reason: str) -> pytest.MarkDecorator:
    """Marks a test that needs something of PostgreSQL that Citus lacks: on a cluster it is skipped for this reason."""
    return pytest.mark.skipif(bool(os.environ.get(citus_cluster.VARIABLE)), reason=f"Citus: {reason}")


Found = TypeVar("Found")


class Service:
    """The Library Service as a process of its own, on free ports."""

    def __init__(self, directory: Path, environment: Mapping[str, str], *, forked: bool = False) -> None:
        """``forked`` processes start in a fraction of a second, and share the memory of what they have imported."""
        self.forked = forked
        self.http_port, self.grpc_port, self.metrics_port = free_port(), free_port(), free_port()
        self.environment = {
            **os.environ,
            "LIBRARY_SERVICE_HOST": HOST,
            "LIBRARY_SERVICE_HTTP_PORT": str(self.http_port),
            "LIBRARY_SERVICE_GRPC_PORT": str(self.grpc_port),
            "LIBRARY_SERVICE_METRICS_PORT": str(self.metrics_port),
            **environment,
        }
        self.log = directory / f"service-{uuid4().hex[:8]}.log"
        self.process: Process | None = None
        self._outlives_tests = False

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.http_port}"

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1/library"

    @property
    def ws(self) -> str:
        return f"ws://{HOST}:{self.http_port}/api/v1/ws/library-updates"

    @property
    def grpc(self) -> str:
        return f"{HOST}:{self.grpc_port}"

    @property
    def metrics(self) -> str:
        return f"http://{HOST}:{self.metrics_port}/metrics"

    def migrate(self) -> None:
        """Brings the schemas up to date."""
        process = self._run("migrate")
        if not process.wait(PATIENCE_SECONDS) or process.returncode != 0:
            raise StartFailed(process.tail())

    def start(self, *, wait: bool = True, outlives_test: bool = False) -> None:
        """Starts it and waits until it is ready. It ends with the test that started it, unless it ``outlives_test``."""
        self.process = self._run("serve")
        self._outlives_tests |= outlives_test
        if not self._outlives_tests:
            _running.add(self)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while wait and not self.is_ready():
            if self.process.returncode is not None or time.monotonic() > deadline:
                raise StartFailed(self.process.tail(40))
            time.sleep(0.05)

    def _run(self, command: str) -> Process:
        if self.forked:
            return ForkedService(command, self.log, self.environment)
        return Process([sys.executable, "-m", "gameshelf.gateway", command], self.log, environ=self.environment)

    def is_ready(self) -> bool:
        path = "/health/ready" if "api" in self.environment.get("LIBRARY_SERVICE_ROLES", "api") else ""
        try:
            with urllib.request.urlopen(self.url + path if path else self.metrics, timeout=2) as response:
                return bool(response.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> int | None:
        """Asks it to end; its exit code."""
        if self.process:
            self.process.stop(signal.SIGTERM, PATIENCE_SECONDS)
            _running.discard(self)
            return self.process.returncode
        return None

    def kill(self) -> None:
        """Ends it as `kill -9` does."""
        if self.process:
            self.process.kill()
            _running.discard(self)


class StartedPlatform:
    """A database, a broker, a cache and perhaps a bucket of a test's own, and the services that use them."""

    def __init__(
        self,
        directory: Path,
        dsn: str,
        kafka: Kafka | Brokers,
        valkey: Valkey,
        issuer: TokenIssuer,
        store: Mapping[str, str] | None = None,
        *,
        forked: bool = False,
        remove_data: Callable[[], None] = lambda: None,
    ) -> None:
        """``store`` are the settings of an object store; without them its services have none.

        ``forked``: how its services are started, see ``Service``. ``remove_data`` is called when all of it has ended.
        """
        self.forked, self._remove_data = forked, remove_data
        self.directory, self.dsn, self.kafka, self.valkey, self.issuer = directory, dsn, kafka, valkey, issuer
        self.store = store or {}
        self.code: Mapping[str, str] = {}
        """The variables that let its services run another version's code."""
        self.services: list[Service] = []

    def service(self, **environment: str) -> Service:
        """A service of this platform, not yet started; ``environment`` overrides its settings."""
        made = Service(
            self.directory,
            {
                "POSTGRES_DSN": self.dsn,
                "REDIS_ADDR": self.valkey.address,
                **self.kafka.settings(),
                "KAFKA_SESSION_TIMEOUT_MS": "3000",
                "AUTH_JWT_PUBLIC_KEY_FILE": str(self.issuer.public_key_file),
                "AUTH_JWT_ISSUER": ISSUER,
                "AUTH_JWT_AUDIENCE": AUDIENCE,
                "ERASURE_HASH_KEY": "0123456789abcdef" * 4,
                "GRPC_TLS_REQUIRED": "false",
                "RATE_LIMIT_USER_PER_MINUTE": "0",
                "RATE_LIMIT_IP_PER_MINUTE": "0",
                "RATE_LIMIT_SERVICE_PER_MINUTE": "0",
                "LIBRARY_SERVICE_DRAIN_SECONDS": "0",
                "LOG_LEVEL": "INFO",
                **self.store,
                **self.code,
                **environment,
            },
            # A forked process has imported the tree's code already.
            forked=self.forked and "PYTHONPATH" not in {**self.code, **environment},
        )
        self.services.append(made)
        return made

    def token(self, user_id: object, *roles: str) -> str:
        """A valid token."""
        return self.issuer.issue(str(user_id), roles or ("user",))

    def close(self) -> None:
        """Ends everything at once: how a service ends in an orderly way has tests of its own."""
        for service in self.services:
            service.kill()
        self.kafka.kill()
        self.valkey.kill()
        self._remove_data()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="also run the tests marked `long`, and each test at full size")


def pytest_configure(config: pytest.Config) -> None:
    global _all
    _all = config.getoption("--all")
    # A shell ignores it for what it starts in the background, and so would every process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The time that a machine takes to make an example depends on the machine, not on the code under test.
    hypothesis.settings.register_profile(
        "gameshelf", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None
    )
    hypothesis.settings.load_profile("gameshelf")
    ssl.create_default_context = reading_authorities_once(ssl.create_default_context)
    if _has_workers(config):
        run_templates.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _has_workers(config):
        run_templates.end_run()


def _has_workers(config: pytest.Config) -> bool:
    """Whether this process only hands out tests, to workers of xdist."""
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")


def wait_for(check: Callable[[], Found]) -> Found:
    """Repeats a check until its result is true, and returns that; fails where it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return found


def sized(usual: int, whole: int) -> int:
    """Returns the number of examples of a random test; only ``--all`` tries the ``whole`` of them."""
    return whole if _all else usual


def some(values: Iterable[Found], turn: int) -> list[Found]:
    """Returns a third of what a test tries of each of many things, another third for each of them in ``turn``; only
    ``--all`` tries everything of each.
    """
    every = list(values)
    return every if _all else every[turn % 3 :: 3] or every[:1]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keeps the garbage collector from what is collected, which stays until the end: a tenth of its time, and of its
    time at each full collection later.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is marked ``long``, unless everything or just that test is asked for; and orders the modules."""
    if config.getoption("--all"):
        begin_with_the_longest(items)
    else:
        leave_out_long_ones(config, items)
        end_with_quick_ones(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Replaces halves of characters in the output of a test: they can't be sent from a worker to the whole run."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode("utf-8")) for name, text in report.sections
    ]
    return report


@contextmanager
def ends_services() -> Iterator[None]:
    """Ends the services that are started in the block, also where it fails before it ends them: they would consume the
    records of the next tests on the same platform.
    """
    before = set(_running)
    try:
        yield
    finally:
        for service in _running - before:
            service.kill()


@pytest.fixture(autouse=True)
def _services_of_the_test() -> Iterator[None]:
    """Ends the services of one test. Shared fixtures started theirs earlier; these keep running."""
    with ends_services():
        yield


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """The folder in which the servers of this test run store their data."""
    directory = Path(tempfile.mkdtemp(prefix="gameshelf-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def _templates() -> Templates:
    """The databases of the run's PostgreSQL that others are copied from. ``postgres`` fills it in."""
    return {}


@pytest.fixture(scope="session")
def postgres(server_directory: Path, _templates: Templates) -> Iterator[Postgres]:
    """A PostgreSQL of this test run, or the databases of a cluster with Citus, where a variable names one."""
    cluster = os.environ.get(citus_cluster.VARIABLE)
    directory = server_directory / "postgresql"
    server = Citus(directory, cluster) if cluster else Postgres(directory)
    # So that code of the service that tests call with connections of their own takes the forms for distributed tables.
    asyncpg.Connection.is_distributed = bool(cluster)  # type: ignore[attr-defined]
    server.durable = False
    run = run_templates.folder()
    if run and not cluster:
        run_templates.copy_to(server, run, run_templates.of_service)
        _templates |= run_templates.templates(run_templates.of_service())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _databases(postgres: Postgres, _templates: Templates) -> Iterator[Databases]:
    made = Databases(postgres, _templates)
    yield made
    if committed := made.committed():
        pytest.fail(
            f"tests committed rows where all roll back: {committed}. A test that commits has a database of its own: "
            "create_database(MIGRATIONS)"
        )


@pytest.fixture(scope="module")
def create_database(_databases: Databases) -> Iterator[CreateDatabase]:
    """Makes a database: ``create_database()`` an empty one, ``create_database(MIGRATIONS)`` with tables; its DSN.

    It is removed with the module that made it: a whole run makes more of them than a small disk has room for.
    """
    made: list[str] = []

    def create(*packages: Upgradable) -> str:
        made.append(_databases.create(*packages))
        return made[-1]

    yield create
    for dsn in made:
        _databases.remove(dsn)


@pytest.fixture(scope="session")
def rolled_back_database(_databases: Databases) -> CreateDatabase:
    """The DSN of a database with the tables of packages, which is shared by tests that commit nothing.

    Rows that were committed all the same are an error at the end of the run.
    """
    return _databases.rolled_back


@pytest.fixture
def database(create_database: CreateDatabase) -> str:
    """The DSN of an empty database."""
    return create_database()


@pytest.fixture(scope="session")
def side_by_side() -> SideBySide:
    """Runs a use case in many transactions at once: ``await side_by_side(dsn, times, use_case)``."""
    return _side_by_side


@pytest.fixture(scope="session")
def run_readme() -> RunReadme:
    """Runs what a README shows: ``run_readme(path, dsn_of_an_empty_database)``."""
    return _run_readme


@pytest.fixture(scope="session")
def token_issuer(server_directory: Path) -> TokenIssuer:
    """Signs tokens that the services of this test run accept."""
    return TokenIssuer(server_directory / "keys")


@pytest.fixture(scope="session")
def s3(server_directory: Path) -> Iterator[S3]:
    """An S3 gateway of this test run."""
    server = S3(server_directory / "s3")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_s3(server_directory: Path) -> Iterator[S3]:
    """An S3 gateway of a test's own, to be stopped, killed or frozen."""
    server = S3(server_directory / f"s3-{uuid4().hex[:8]}")
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def moto(server_directory: Path) -> Iterator[Moto]:
    """A server of this test run that has the parts of S3 which the gateway lacks."""
    server = Moto(server_directory / "moto")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def create_platform(
    server_directory: Path, postgres: Postgres, token_issuer: TokenIssuer, _templates: Templates
) -> Callable[..., StartedPlatform]:
    """Makes a platform with servers of its own and a migrated database; the caller closes it.

    With ``s3``, which stays the caller's, it has a bucket of its own there. ``brokers`` take the place of the one.
    """
    migrated: list[str] = [postgres.prepared()] if isinstance(postgres, Citus) else []
    if _templates:
        migrated.append(run_templates.OF_ALL)

    def create(
        dsn: str | None = None, s3: ObjectServer | None = None, brokers: Brokers | None = None
    ) -> StartedPlatform:
        name = f"p{uuid4().hex[:12]}"
        directory = server_directory / name
        kafka, valkey = brokers or Kafka(directory / "kafka"), Valkey(directory / "valkey")
        kafka.start()
        valkey.start()
        if dsn is None:
            postgres.create_database(name, template=migrated[0] if migrated else None)
        if s3:
            s3.create_bucket(name)
        store = s3.settings(name) if s3 else None

        def remove() -> None:
            shutil.rmtree(directory, ignore_errors=True)
            if dsn is None:
                postgres.drop_database(name)

        platform = StartedPlatform(
            directory, dsn or postgres.dsn(name), kafka, valkey, token_issuer, store, forked=True, remove_data=remove
        )
        if dsn is not None:
            platform.service().migrate()
        elif not migrated:
            # Migrated once: the databases after it are copies of a template that nobody connects to.
            platform.service().migrate()
            postgres.create_database(f"{name}template", template=name)
            migrated.append(f"{name}template")
        return platform

    return create


@pytest.fixture(scope="module")
def platform(create_platform: Callable[..., StartedPlatform]) -> Iterator[StartedPlatform]:
    """A platform that the tests of a module share."""
    made = create_platform()
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(platform: StartedPlatform) -> Service:
    """One running service of the module's platform."""
    made = platform.service()
    made.start()
    return made

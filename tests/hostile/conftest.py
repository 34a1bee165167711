"""Fixtures that the hostile suite shares: a service to attack, and a watch over everybody else's requests meanwhile.

A module of this folder attacks ``target`` in any way that a client, a producer or a game server can. Its tests assert
what the attacker is answered; the watch asserts for all of them that nobody else noticed:

* at most 1 % of the valid requests sent beside the attack fail, and none with a 5xx but 503;
* no answer to anybody is a 5xx but 503, ``UNKNOWN`` or ``INTERNAL`` (by the service's own metrics);
* no traceback and no line of level ERROR stands in the log;
* the memory of the process stays within 64 MiB of what it was (the peak counts).

The target runs with ``AUTH_MODE=jwt``, the default, and without rate limits, which would hide what they keep away. A
module that needs other settings defines a fixture ``target`` of its own (scope ``module``) on ``hostile_platform``.
"""

import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import grpc
import httpx
import pytest
from gameshelf.devstack.pytest_plugin import Service, StartedPlatform
from gameshelf.protos.library.v1.library_query_service_pb2 import CheckGameAccessRequest
from gameshelf.protos.library.v1.library_query_service_pb2_grpc import LibraryQueryServiceStub

MAX_GROWTH_BYTES = 64 * 1024 * 1024
MAX_FAILED_SHARE = 0.01
MIN_REQUESTS = 120
"""A module's watch sends at least so many valid requests: of fewer, one per cent is less than one."""
ANSWER_SECONDS = 60.0
"""A valid request that takes longer counts as failed: it hangs, however loaded the machine is."""

_SAMPLE = re.compile(r"^(http|grpc)_requests_total\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@pytest.fixture(scope="module")
def hostile_platform(create_platform: Callable[..., StartedPlatform]) -> Iterator[StartedPlatform]:
    """The servers behind the target."""
    made = create_platform()
    yield made
    made.close()


@pytest.fixture(scope="module")
def target_on(hostile_platform: StartedPlatform) -> Callable[[str], Service]:
    """A service to attack, by the server that it runs on; each is started once."""
    made: dict[str, Service] = {}

    def on(server: str) -> Service:
        if server not in made:
            made[server] = hostile_platform.service(LIBRARY_SERVICE_SERVER=server)
            made[server].start(outlives_test=True)
        return made[server]

    return on


@pytest.fixture(scope="module")
def target(target_on: Callable[[str], Service]) -> Service:
    """The service that is attacked."""
    return target_on("hypercorn")


@dataclass
class Watch:
    """Sends valid requests beside an attack, from a thread of its own, and reads the log of the service meanwhile."""

    platform: StartedPlatform
    service: Service
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, name="valid-requests", daemon=True)

    def start(self) -> None:
        """Warms the service up, notes how much memory it has, and begins to send."""
        self._user = uuid4()
        self._headers = {"Authorization": f"Bearer {self.platform.token(self._user)}"}
        with httpx.Client(headers=self._headers, timeout=ANSWER_SECONDS) as http:
            http.get(f"{self.service.url}/api/v1/openapi.json").raise_for_status()  # made when it is first asked for
            for _ in range(20):
                for send in self._requests(http, None):
                    send()
        assert self.service.process is not None
        self._process = Path(f"/proc/{self.service.process.pid}")
        (self._process / "clear_refs").write_text("5")  # the peak counts from here
        self._began_with = self._memory("VmRSS")
        self._thread.start()

    def stop(self) -> None:
        """Ends the sending once enough requests were sent to judge by."""
        self._stop.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        """By how many bytes the process has at any time been larger than at the start."""
        return self._memory("VmHWM") - self._began_with

    def _memory(self, name: str) -> int:
        status = (self._process / "status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024

    def _send(self) -> None:
        with (
            httpx.Client(headers=self._headers, timeout=ANSWER_SECONDS) as http,
            grpc.insecure_channel(self.service.grpc) as channel,
        ):
            requests = self._requests(http, LibraryQueryServiceStub(channel))
            while not self._stop.is_set() or self.outcomes.total() < MIN_REQUESTS:
                for send in requests:
                    try:
                        outcome = send()
                    except (httpx.HTTPError, grpc.RpcError) as error:
                        outcome = error.code().name if isinstance(error, grpc.RpcError) else type(error).__name__
                    self.outcomes[outcome] += 1
                    if outcome != "ok":
                        self.failures.append(outcome)
                self._stop.wait(0.02)

    def _requests(self, http: httpx.Client, stub: LibraryQueryServiceStub | None) -> list[Callable[[], str]]:
        """Requests of an ordinary player, over REST and gRPC, and a look at readiness as a load balancer has it."""

        def answered(response: httpx.Response) -> str:
            return "ok" if response.is_success else f"{response.status_code} of {response.request.url.path}"

        def access() -> str:
            request = CheckGameAccessRequest(user_id=str(self._user), product_id=str(uuid4()))
            metadata = (("authorization", self._headers["Authorization"]),)
            stub.CheckGameAccess(request, metadata=metadata, timeout=ANSWER_SECONDS)
            return "ok"

        product = str(uuid4())
        wish = {"data": {"attributes": {"product_id": product}}}
        requests = [
            lambda: answered(http.get(f"{self.service.api}/items")),
            lambda: answered(http.get(f"{self.service.url}/health/ready")),
            lambda: answered(http.post(f"{self.service.api}/wishlist/items", json=wish)),
            lambda: answered(http.delete(f"{self.service.api}/wishlist/items/by-product/{product}")),
        ]
        return [*requests, access] if stub else requests


@pytest.fixture(scope="module")
def watch(hostile_platform: StartedPlatform, target: Service) -> Iterator[Watch]:
    """Valid requests beside everything that a module does; asserted at its end."""
    made = Watch(hostile_platform, target)
    made.start()
    yield made
    made.stop()
    sent = made.outcomes.total()
    assert len(made.failures) <= MAX_FAILED_SHARE * sent, f"of {sent} valid requests failed: {Counter(made.failures)}"
    assert not [one for one in made.failures if one.startswith("5") and not one.startswith("503")]
    assert made.growth <= MAX_GROWTH_BYTES, f"memory grew by {made.growth / 2**20:.0f} MiB"


@pytest.fixture(autouse=True)
def unharmed(target: Service, watch: Watch) -> Iterator[None]:
    """Each test leaves a service that is alive, has logged no error, and has answered nobody with a failure of ours."""
    logged, failed = target.log.stat().st_size, failures_of(target)
    yield
    assert target.process is not None
    assert target.process.returncode is None, "the service ended"
    deadline = time.monotonic() + ANSWER_SECONDS
    while not target.is_ready() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert target.is_ready(), "the service is not ready any more"
    assert failures_of(target) == failed
    assert not errors_in(target.log, logged)


def failures_of(service: Service) -> dict[str, float]:
    """Counts the failures of ours by call, from the service's metrics."""
    found = {}
    for transport, labels, count in _SAMPLE.findall(httpx.get(service.metrics, timeout=ANSWER_SECONDS).text):
        named = dict(_LABEL.findall(labels))
        status = named.get("status", named.get("code", ""))
        if status in ("UNKNOWN", "INTERNAL") or (status.startswith("5") and status != "503"):
            found[f"{transport} {labels}"] = float(count)
    return found


def errors_in(log: Path, offset: int = 0) -> list[str]:
    """The lines of a service's log, from a place on, that report a failure of the service itself."""
    with log.open("rb") as opened:
        opened.seek(offset)
        lines = opened.read().decode("utf-8", "replace").splitlines()
    return [line[:2000] for line in lines if "Traceback (most recent call last)" in line or _is_error(line)]


def _is_error(line: str) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        # Every line of the service is JSON; other lines were written by a library without the log.
        return bool(line.strip())
    return not isinstance(entry, dict) or str(entry.get("level", "")).upper() in ("ERROR", "CRITICAL")


@pytest.fixture(scope="session")
def errors_of_log() -> Callable[..., list[str]]:
    return errors_in


@pytest.fixture
def cpu_seconds(target: Service) -> Callable[[], float]:
    """Returns the seconds of processor time that the target has taken since it began."""
    assert target.process is not None
    stat = Path(f"/proc/{target.process.pid}/stat")

    def taken() -> float:
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    return taken

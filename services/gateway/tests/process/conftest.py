"""Fixtures for tests of whole processes: a start inside this process, and certificates of a CA of their own."""

import asyncio
import datetime
import gc
import ipaddress
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from gameshelf.devstack.held_calls import HeldCalls, PostgresProxy
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.releasing.commits import unpack_last_release
from gameshelf.gateway.main import run

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def released(server_directory):
    """The service of the last release, as it was in the commit of that release."""
    return unpack_last_release(ROOT, server_directory / "released")


@pytest.fixture(scope="module")
def migrated(platform):
    """The settings of a service that would start."""
    return platform.service(LIBRARY_SERVICE_ROLES="api").environment


@pytest.fixture
def start(migrated, monkeypatch, capfd):
    """Tries to start the service, which must fail; returns its exit code and its standard error."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, gc.get_threshold()

    def attempt(command="serve", **changes):
        ports = dict.fromkeys((f"LIBRARY_SERVICE_{name}_PORT" for name in ("HTTP", "GRPC", "METRICS")), "0")
        for name, value in {**migrated, **ports, "LOG_LEVEL": "ERROR", **changes}.items():
            monkeypatch.setenv(name, value)
        code = run([command])
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return code, said.err.splitlines()

    yield attempt
    root.handlers[:], level, sys.excepthook, threshold = before
    root.setLevel(level)  # the attribute alone would leave the level that loggers have cached
    logging.captureWarnings(False)
    gc.set_threshold(*threshold)
    gc.unfreeze()


class Victim:
    """A service whose calls to PostgreSQL can be held, so that it can be killed at any of them."""

    def __init__(self, service, calls, proxy):
        self.service, self.calls, self.proxy = service, calls, proxy

    async def start(self):
        self.calls.release()
        await asyncio.to_thread(self.service.start)

    async def kill_when_held(self, working):
        """Kills the service at the call that is held. Returns whether a task came to its end before that."""
        held = asyncio.create_task(self.calls.held.wait())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait([working, held], return_when=asyncio.FIRST_COMPLETED)
        held.cancel()
        is_done = working.done()
        await asyncio.to_thread(self.service.kill)
        await self.proxy.cut()
        await self.proxy.listen()
        return is_done


@pytest.fixture
async def make_victim(platform):
    """Makes a service of the module's platform, not yet started, behind a proxy before PostgreSQL."""
    proxies = []

    async def make(**environment):
        dsn, calls = urlsplit(platform.dsn), HeldCalls()
        proxies.append(PostgresProxy(dsn.port, calls))
        await proxies[-1].listen()
        netloc = dsn.netloc.replace(str(dsn.port), str(proxies[-1].port))
        service = platform.service(POSTGRES_DSN=dsn._replace(netloc=netloc).geturl(), **environment)
        return Victim(service, calls, proxies[-1])

    yield make
    for proxy in proxies:
        await proxy.cut()


@dataclass(frozen=True)
class Certificate:
    """Files in PEM: a certificate, its key, and the CA that signed it."""

    certificate: Path
    key: Path
    ca: Path


@pytest.fixture(scope="module")
def make_certificate(tmp_path_factory):
    """Makes certificates for a name, all signed by one CA."""
    directory = tmp_path_factory.mktemp("tls")
    ca_key, ca_name = generate_private_key(SECP256R1()), name_of("a CA of this test")
    now = datetime.datetime.now(datetime.UTC)

    def signed(subject, public_key, *extensions):
        builder = (
            x509.CertificateBuilder(ca_name, subject, public_key, x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(ca_key, SHA256()).public_bytes(Encoding.PEM)

    ca = directory / "ca.pem"
    ca.write_bytes(signed(ca_name, ca_key.public_key(), x509.BasicConstraints(ca=True, path_length=None)))

    def make(name, common_name=None, alternatives=None):
        """With the name as its DNS name and common name, unless others are given."""
        key = generate_private_key(SECP256R1())
        if alternatives is None:
            alternatives = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        extensions = [x509.SubjectAlternativeName(alternatives)] if alternatives else []
        made = Certificate(directory / f"{name}.pem", directory / f"{name}.key", ca)
        made.certificate.write_bytes(signed(name_of(common_name or name), key.public_key(), *extensions))
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made

    return make


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

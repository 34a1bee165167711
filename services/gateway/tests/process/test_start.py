"""A fault that keeps the service from starting is logged in one line, which names the remedy."""

import socket
import ssl
import threading
import time

import pytest
from gameshelf.devstack.ports import listens
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS


@pytest.mark.parametrize("part", ["HTTP", "GRPC", "METRICS"])
def test_a_taken_port_is_named(platform, part):
    """In a process of its own: gRPC servers of several event loops in one process disturb each other."""
    name = f"LIBRARY_SERVICE_{part}_PORT"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = platform.service(LOG_LEVEL="ERROR", **{name: str(taken.getsockname()[1])})
        refused.start(wait=False)
        assert refused.process.wait(PATIENCE_SECONDS)
    assert refused.process.returncode == 1
    [line] = refused.log.read_text().splitlines()
    assert name in line


def test_grpc_is_served_before_the_service_can_say_that_it_is_ready(platform):
    service = platform.service()
    service.start(wait=False)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not listens(service.http_port):
        assert time.monotonic() < deadline
    assert listens(service.grpc_port)


def test_an_empty_database_is_refused_with_the_command_that_migrates_it(start, database):
    for command in ("serve", "check"):
        code, [line] = start(command, POSTGRES_DSN=database)
        assert code == 1
        assert "run `python -m gameshelf.gateway migrate`" in line
    assert start("migrate", POSTGRES_DSN=database) == (0, [])
    assert start("check", POSTGRES_DSN=database) == (0, [])


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:geheim@127.0.0.1:1/x",
        "postgresql://u:geheim@host.invalid/x",
        "postgresql://u:geheim/more@127.0.0.1/x",
        "postgresql://u:geheim@127.0.0.1:99999/x",
        "postgresql://u:geheim@127.0.0.1/x?sslmode=wrong",
    ],
)
@pytest.mark.parametrize("command", ["serve", "migrate", "check"])
def test_an_unreachable_database_is_named_without_the_password(start, command, dsn):
    code, [line] = start(command, POSTGRES_DSN=dsn)
    assert code == 1
    assert "POSTGRES_DSN" in line
    assert "geheim" not in line


@pytest.fixture
def encrypted(make_certificate):
    """The port of a server that begins TLS as PostgreSQL does, with a certificate of a CA."""
    own = make_certificate("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            with peer:
                peer.recv(8)
                peer.sendall(b"S")
                try:
                    context.wrap_socket(peer, server_side=True).close()
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


@pytest.mark.parametrize("command", ["serve", "migrate", "check"])
def test_a_certificate_of_an_unknown_ca_is_named_as_the_cause(start, encrypted, command):
    system = ssl.get_default_verify_paths().openssl_cafile
    dsn = f"postgresql://u:geheim@127.0.0.1:{encrypted}/x?sslmode=verify-full&sslrootcert={system}"
    code, [line] = start(command, POSTGRES_DSN=dsn)
    assert code == 1
    assert "POSTGRES_DSN" in line
    assert "TLS" in line
    assert "certificate" in line
    assert "understood" not in line
    assert "geheim" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIBRARY_SERVICE_ROLES", "api,chef"),
        ("AUTH_JWT_PUBLIC_KEY_FILE", __file__),
        ("GRPC_TLS_REQUIRED", "perhaps"),
        ("REDIS_ADDR", "nowhere"),
    ],
)
def test_a_bad_setting_is_named(start, name, value):
    code, [line] = start(**{name: value})
    assert code == 1
    assert name in line


@pytest.mark.parametrize("bad", ["GRPC_TLS_CERT_FILE", "GRPC_TLS_KEY_FILE", "GRPC_TLS_CLIENT_CA_FILE"])
def test_an_invalid_certificate_is_not_reported_as_a_taken_port(start, make_certificate, tmp_path, bad):
    made = make_certificate("library.test")
    files = {
        "GRPC_TLS_CERT_FILE": made.certificate,
        "GRPC_TLS_KEY_FILE": made.key,
        "GRPC_TLS_CLIENT_CA_FILE": made.ca,
    }
    files[bad] = tmp_path / "garbage.pem"
    files[bad].write_text("no certificate")
    code, [line] = start(GRPC_TLS_REQUIRED="true", **{name: str(path) for name, path in files.items()})
    assert code == 1
    assert bad in line

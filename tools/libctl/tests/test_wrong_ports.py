"""An endpoint that is not the service's gRPC port: what answers there is named, by real servers of each kind."""

import datetime
import ipaddress
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gameshelf.libctl.diagnosis import problem_of
from gameshelf.libctl.profiles import Profile


def profile(port, *, encrypted=False, **files):
    return Profile(f"127.0.0.1:{port}", encrypted, "token", **files)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The files of a certificate for 127.0.0.1 that signs itself, and of its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "libctl")]), datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(here, critical=False)
    signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def ports(certificate):
    """The ports of a gRPC server without TLS, of one with TLS, and of one that asks for a client certificate."""
    cert, key = (file.read_bytes() for file in certificate)
    servers, found = [], []
    with ThreadPoolExecutor(1) as pool:
        for credentials in (
            None,
            grpc.ssl_server_credentials([(key, cert)]),
            grpc.ssl_server_credentials([(key, cert)], cert, require_client_auth=True),
        ):
            server = grpc.server(pool)
            address = "127.0.0.1:0"
            port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
            server.start()
            servers.append(server)
            found.append(port)
        yield found
        for server in servers:
            server.stop(0).wait()


@pytest.fixture
def http_port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def silent_port(monkeypatch):
    """A port that takes connections and answers nothing; it is not waited for long."""
    monkeypatch.setattr("gameshelf.libctl.diagnosis._SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_ports_of_the_expected_kind_have_no_problem(ports, certificate):
    plain, encrypted, _ = ports
    assert problem_of(profile(plain)) is None
    assert problem_of(profile(plain), is_answered=True) is None  # a service that is older than this libctl
    assert problem_of(profile(encrypted, encrypted=True, ca_file=certificate[0])) is None


def test_tls_against_plain_text_is_named_from_both_sides(ports):
    plain, encrypted, _ = ports
    said, hint = problem_of(profile(encrypted))
    assert "expects TLS" in said
    assert f"grpcs://127.0.0.1:{encrypted}" in hint
    said, hint = problem_of(profile(plain, encrypted=True))
    assert "without TLS" in said
    assert f"grpc://127.0.0.1:{plain}" in hint


def test_certificates_that_are_not_trusted_or_absent_are_named(ports, certificate):
    _, encrypted, mutual = ports
    said, hint = problem_of(profile(encrypted, encrypted=True))
    assert "is not trusted" in said
    assert "ca_file" in hint
    said, hint = problem_of(profile(mutual, encrypted=True, ca_file=certificate[0]))
    assert "asks for a client certificate" in said
    assert "cert_file" in hint
    own = {"cert_file": certificate[0], "key_file": certificate[1]}
    assert problem_of(profile(mutual, encrypted=True, ca_file=certificate[0], **own)) is None


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_port_of_http_is_named(http_port, encrypted):
    said, hint = problem_of(profile(http_port, encrypted=encrypted))
    assert "is an HTTP port" in said
    assert "gRPC port" in hint


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_port_that_answers_nothing_is_no_service(silent_port, encrypted):
    assert "does not speak gRPC" in problem_of(profile(silent_port, encrypted=encrypted))[0]


def test_a_port_where_nobody_listens_and_an_unknown_host_differ(silent_port):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "nothing listens" in problem_of(profile(port))[0]
    assert "no such host" in problem_of(Profile("library.invalid:1", False, "token"))[0]


@pytest.mark.parametrize("scheme", ["grpc", "grpcs"])
def test_the_terminal_has_one_error_and_no_log_of_a_library(http_port, scheme):
    environment = {"LIBCTL_ENDPOINT": f"{scheme}://127.0.0.1:{http_port}", "LIBCTL_TOKEN": "a.b.c"}
    environment |= {"LIBCTL_PROFILES": os.devnull, "PATH": os.environ["PATH"]}
    words = ["-m", "gameshelf.libctl", "--json", "events", "outbox"]
    ran = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 5, ran.stderr
    [line] = ran.stderr.splitlines()
    assert "is an HTTP port" in json.loads(line)["error"]["message"]

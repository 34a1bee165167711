"""The gRPC server: services, health and reflection."""

import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import grpc
import grpc.aio
from gameshelf.gateway.runtime.grpc.calls import Calls
from gameshelf.gateway.runtime.grpc.health import HealthService
from gameshelf.gateway.runtime.settings import Settings, SettingsError
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

_MAX_MESSAGE_BYTES = 8 * 1024 * 1024 + 64 * 1024
"""Somewhat more than the largest request, so that a larger one is refused by the service, with the limit."""
_MAX_STREAMS = 1000
_IDLE_MILLISECONDS = 5 * 60 * 1000
"""How long a connection without calls stays open."""


class Servicer(Protocol):
    """One gRPC service."""

    def install(self, server: grpc.aio.Server) -> str:
        """Adds itself to a server; returns its full name."""
        ...


class GrpcServer:
    """Serves gRPC on the port of the settings."""

    def __init__(self, settings: Settings, calls: Calls, servicers: Sequence[Servicer]) -> None:
        self._calls = calls
        self._servicers = servicers
        self._reflection = settings.grpc_reflection
        self._host, self._port = settings.host, settings.grpc_port
        self._credentials = _credentials(settings)
        self._health = HealthService()
        self._names = [""]

    async def start(self) -> int:
        """Starts serving; returns the port. Raises OSError if the port is taken."""
        address = f"{self._host}:{self._port}"
        try:
            # Checked before gRPC binds the port: for a taken one gRPC logs lines without the reason, and a server that
            # never served delays the garbage collector.
            _try_port(self._host, self._port)
            self._server = self._build()
            if self._credentials:
                port = self._server.add_secure_port(address, self._credentials)
            else:
                port = self._server.add_insecure_port(address)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "is it taken?"
            raise OSError(f"LIBRARY_SERVICE_GRPC_PORT: {address} can't be bound: {reason}") from None
        await self._server.start()
        self._report(health_pb2.HealthCheckResponse.SERVING)
        return port

    def _build(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            interceptors=[self._calls],
            options=[
                ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
                # A caller with more streams opens another connection, which is counted for its address.
                ("grpc.max_concurrent_streams", _MAX_STREAMS),
                ("grpc.max_connection_idle_ms", _IDLE_MILLISECONDS),
                ("grpc.so_reuseport", 0),  # a taken port is an error, not a second server behind the same number
            ],
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [servicer.install(server) for servicer in self._servicers]
        self._names += names
        if self._reflection:
            health = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
            reflection.enable_server_reflection([*names, health, reflection.SERVICE_NAME], server)
        return server

    def report_draining(self) -> None:
        """Sets health to NOT_SERVING; calls are served as before."""
        self._report(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def stop(self, grace: float) -> None:
        """Refuses new calls, and gives running ones ``grace`` seconds."""
        self._report(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._health.end()
        await self._server.stop(grace)

    def _report(self, status: int) -> None:
        self._health.report(self._names, status)


def _try_port(host: str, port: int) -> None:
    address = host.strip("[]")
    socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET).close()


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    certificate, key, ca = settings.grpc_tls_cert_file, settings.grpc_tls_key_file, settings.grpc_tls_client_ca_file
    if not (certificate and key):
        return None
    # Loaded here first: for a bad file gRPC reports only that the port can't be bound.
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:
        raise SettingsError(f"GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE: no usable pair ({error.strerror})") from None
    try:
        if ca:
            context.load_verify_locations(ca)
    except OSError as error:
        raise SettingsError(f"GRPC_TLS_CLIENT_CA_FILE: no usable certificate ({error.strerror})") from None
    return grpc.ssl_server_credentials(
        [(_read(key), _read(certificate))],
        root_certificates=_read(ca) if ca else None,
        require_client_auth=ca is not None,
    )


def _read(path: Path) -> bytes:
    return path.read_bytes()

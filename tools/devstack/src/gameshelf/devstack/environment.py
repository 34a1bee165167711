"""The settings that make the service use the embedded servers (names of the contract, section 9)."""

import os
import secrets
from pathlib import Path

from gameshelf.devstack.servers import S3, Kafka, Postgres, Valkey
from gameshelf.devstack.tokens import AUDIENCE, ISSUER, TokenIssuer

PORT_VARIABLES = {
    "LIBRARY_SERVICE_HTTP_PORT": 8084,
    "LIBRARY_SERVICE_GRPC_PORT": 9094,
    "LIBRARY_SERVICE_METRICS_PORT": 9090,
}


def service_environment(
    postgres: Postgres, valkey: Valkey, kafka: Kafka, s3: S3, issuer: TokenIssuer, secret: str
) -> dict[str, str]:
    """Everything that the service needs; a value that the caller has set already wins."""
    origins = [f"http://{host}:{port_of('LIBRARY_SERVICE_HTTP_PORT')}" for host in ("127.0.0.1", "localhost")]
    made = {
        "LIBRARY_SERVICE_HOST": "127.0.0.1",
        **{name: str(port_of(name)) for name in PORT_VARIABLES},
        "POSTGRES_DSN": postgres.dsn(),
        "REDIS_ADDR": valkey.address,
        "KAFKA_BROKERS": kafka.address,
        "KAFKA_ENABLE_IDEMPOTENCE": "false",
        "KAFKA_SESSION_TIMEOUT_MS": "3000",
        **s3.settings(),
        "AUTH_JWT_PUBLIC_KEY_FILE": str(issuer.public_key_file),
        "AUTH_JWT_ISSUER": ISSUER,
        "AUTH_JWT_AUDIENCE": AUDIENCE,
        "ERASURE_HASH_KEY": secret,
        "GRPC_TLS_REQUIRED": "false",
        "RATE_LIMIT_USER_PER_MINUTE": "0",
        "RATE_LIMIT_IP_PER_MINUTE": "0",
        "RATE_LIMIT_SERVICE_PER_MINUTE": "0",
        "CORS_ALLOWED_ORIGINS": ",".join(origins),
        "LIBRARY_SERVICE_DRAIN_SECONDS": "0",
        "LOG_LEVEL": "INFO",
    }
    return {name: os.environ.get(name) or value for name, value in made.items()}


def port_of(variable: str) -> int:
    """The port that a variable names, or the contract's."""
    return int(os.environ.get(variable) or PORT_VARIABLES[variable])


def erasure_secret(directory: Path) -> str:
    """The secret of this checkout, made at first use."""
    path = directory / "erasure.key"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()

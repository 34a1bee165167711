"""The settings that make the service use the embedded servers (names of the contract, section 9)."""

import os
import re
import secrets
from collections.abc import Iterable, Mapping, MutableMapping
from functools import cache
from pathlib import Path

from gameshelf.devstack.clients import ADDRESS_VARIABLES
from gameshelf.devstack.ports import PORT_VARIABLES, port_of
from gameshelf.devstack.servers import S3, Kafka, Postgres, Valkey
from gameshelf.devstack.tokens import AUDIENCE, ISSUER, TokenIssuer

ORIGINS = "CORS_ALLOWED_ORIGINS"
_PAGE_PORTS = (1420, 3000, 3001, 4200, 4321, 5173, 8000, 8080, 8081)
"""The default ports of development servers of web applications: Tauri, Next.js and others,
Angular, Astro, Vite, plain file servers, Vue CLI and Expo."""
_SETTINGS_PAGE = Path(__file__).parents[5] / "docs" / "configuration.md"
_SHELLS = ("tauri://localhost", "http://tauri.localhost", "app://-", "capacitor://localhost", "ionic://localhost")
"""Origins of pages that desktop and mobile shells serve from within."""


def service_environment(
    postgres: Postgres,
    valkey: Valkey,
    kafka: Kafka,
    s3: S3,
    issuer: TokenIssuer,
    secret: str,
    origins: Iterable[str] = (),
) -> dict[str, str]:
    """Everything that the service needs; a value that the caller has set already wins.

    Only ``CORS_ALLOWED_ORIGINS`` adds, as ``origins`` do: to the service's own origin and to those of development.
    """
    made = {
        "LIBRARY_SERVICE_HOST": "127.0.0.1",
        **{name: str(port_of(name)) for name in PORT_VARIABLES},
        "POSTGRES_DSN": postgres.dsn(),
        "REDIS_ADDR": valkey.address,
        **kafka.settings(),
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
        "LIBRARY_SERVICE_DRAIN_SECONDS": "0",
        "LOG_LEVEL": "INFO",
    }
    environment = {name: os.environ.get(name) or value for name, value in made.items()}
    asked = [*os.environ.get(ORIGINS, "").split(","), *origins]
    return environment | {ORIGINS: ",".join(_allowed_origins(asked))}


def _allowed_origins(asked: Iterable[str]) -> Iterable[str]:
    ports = (port_of("LIBRARY_SERVICE_HTTP_PORT"), *_PAGE_PORTS)
    pages = [f"http://{host}:{port}" for port in ports for host in ("127.0.0.1", "localhost")]
    return dict.fromkeys([*pages, *_SHELLS, *(origin.strip() for origin in asked if origin.strip())])


def settings_asked_for(origins: Iterable[str] = ()) -> dict[str, str]:
    """The service's settings that the environment of a command sets, including the origins of ``--origin``."""
    asked = {name: value for name in setting_names() if (value := os.environ.get(name))}
    if all_origins := ",".join(filter(None, [asked.get(ORIGINS), *origins])):
        asked[ORIGINS] = all_origins
    return asked


@cache
def setting_names() -> Iterable[str]:
    """The names of all settings of the service, from the page that is generated from them.

    Importing the service for them would take each command seconds.
    """
    return re.findall(r"^\| `(\w+)` \|", _SETTINGS_PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def forget_settings(variables: MutableMapping[str, str]) -> None:
    """Removes what a shell has taken over from `./dev env`: the services of tests have settings of their own."""
    for name in (*setting_names(), *ADDRESS_VARIABLES):
        variables.pop(name, None)


def differing(asked: Mapping[str, str], running: Mapping[str, str]) -> list[str]:
    """The names of those settings that the running stack has other values of. Of origins all that are asked for have
    to be allowed.
    """
    allowed = set(running.get(ORIGINS, "").split(","))
    return sorted(
        name
        for name, value in asked.items()
        if (not {one.strip() for one in value.split(",")} <= allowed if name == ORIGINS else running.get(name) != value)
    )


def erasure_secret(directory: Path) -> str:
    """The secret of this checkout, made at first use."""
    path = directory / "erasure.key"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()

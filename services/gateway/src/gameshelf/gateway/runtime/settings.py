"""Configuration (contract, section 9): environment variables, or a YAML file of the same names.

In the file a value may be written ``${NAME:-default}``; a variable that is set in the environment always wins, and an
empty one, or one of blanks alone, counts as not set.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from gameshelf.gateway.runtime.setting_fields import (
    LIST,
    Addresses,
    Dsn,
    HexKey,
    Limit,
    Networks,
    OriginList,
    Port,
    PositiveSeconds,
    Seconds,
    ServiceUrl,
    SettingsSection,
    Topic,
    Words,
    var,
)
from gameshelf.gateway.runtime.setting_names import misspelt
from gameshelf.gateway.runtime.setting_values import without_blanks
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

S = TypeVar("S", bound=SettingsSection)

CONFIG_VARIABLE = "LIBRARY_SERVICE_CONFIG"
DEFAULT_FILE = Path("configs/library_config.yaml")

_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, where PyYAML was built with it: the other one takes a tenth of the CPU of a start."""
_REFERENCE = re.compile(r"\$\{([A-Z0-9_]+)(?::-([^}]*))?\}")


class SettingsError(Exception):
    """A value is invalid or missing; the message is one line that names the variable."""


class ServiceRole(StrEnum):
    """A part of the service that a process can run."""

    API = "api"
    CONSUMER = "consumer"
    RELAY = "relay"
    JOBS = "jobs"


Roles = Annotated[frozenset[ServiceRole], LIST, Field(min_length=1)]


class Settings(BaseModel):
    """The runtime's settings, and by ``of`` those of the domains. The aliases are the names of the variables."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = var("LIBRARY_SERVICE_HOST", "Address that all ports are bound to", "0.0.0.0")  # noqa: S104
    http_port: Port = var("LIBRARY_SERVICE_HTTP_PORT", "REST and WebSocket", 8084)
    grpc_port: Port = var("LIBRARY_SERVICE_GRPC_PORT", "gRPC", 9094)
    metrics_port: Port = var("LIBRARY_SERVICE_METRICS_PORT", "Prometheus metrics", 9090)
    roles: Roles = var(
        "LIBRARY_SERVICE_ROLES", "Parts that this process runs: api, consumer, relay, jobs", "api,consumer,relay,jobs"
    )
    shutdown_seconds: Seconds = var(
        "LIBRARY_SERVICE_SHUTDOWN_SECONDS", "How long requests in flight may take when the service stops", 20
    )
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = var(
        "LIBRARY_SERVICE_DRAIN_SECONDS",
        "How long readiness answers 503 after SIGTERM, while everything is served, before the ports close",
        5,
    )
    server: Literal["hypercorn", "granian"] = var(
        "LIBRARY_SERVICE_SERVER", "Server of REST and WebSocket: hypercorn or granian", "hypercorn"
    )
    event_loop: Literal["auto", "uvloop", "asyncio"] = var(
        "LIBRARY_SERVICE_EVENT_LOOP",
        "uvloop, asyncio, or auto: uvloop where it is installed (the extra uvloop), asyncio otherwise",
        "auto",
    )
    h2c: bool = var("LIBRARY_SERVICE_H2C", "Whether REST also speaks HTTP/2 without TLS", False)
    revision: Annotated[str, Field(pattern=r"^[\w.+-]{0,64}$")] = var(
        "LIBRARY_SERVICE_REVISION", "Revision of the source, shown in `build_info`; an image sets it", ""
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = var("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO")
    otlp_endpoint: ServiceUrl | None = var("OTEL_EXPORTER_OTLP_ENDPOINT", "Endpoint for traces (OTLP over HTTP)", None)

    auth_mode: Literal["jwt", "gateway"] = var("AUTH_MODE", "jwt, or gateway: X-User-Id from a trusted proxy", "jwt")
    jwt_issuer: str | None = var("AUTH_JWT_ISSUER", "The `iss` that tokens must have", None)
    jwt_audience: str | None = var("AUTH_JWT_AUDIENCE", "The `aud` that tokens must have", None)
    jwt_public_key_file: FilePath | None = var("AUTH_JWT_PUBLIC_KEY_FILE", "PEM file with public keys", None)
    jwks_url: ServiceUrl | None = var("AUTH_JWKS_URL", "URL of a JWKS, instead of a PEM file", None)
    trusted_proxies: Networks = var(
        "AUTH_TRUSTED_PROXIES",
        "Networks of proxies, which have no limit per address and may send X-User-Id (AUTH_MODE=gateway)",
        (),
    )
    cors_allowed_origins: OriginList = var(
        "CORS_ALLOWED_ORIGINS",
        "Allowed origins of web pages and desktop shells: https://shop.example, tauri://localhost, null",
        (),
    )
    erasure_hash_key: HexKey = var(
        "ERASURE_HASH_KEY", "Secret of at least 32 hexadecimal characters, the key of the hashes of erased users"
    )

    grpc_tls_required: bool = var(
        "GRPC_TLS_REQUIRED", "Whether gRPC needs TLS, and role service a client certificate", True
    )
    grpc_tls_cert_file: FilePath | None = var("GRPC_TLS_CERT_FILE", "The server's certificate chain (PEM)", None)
    grpc_tls_key_file: FilePath | None = var("GRPC_TLS_KEY_FILE", "Its private key (PEM)", None)
    grpc_tls_client_ca_file: FilePath | None = var(
        "GRPC_TLS_CLIENT_CA_FILE", "CA of the clients' certificates (PEM)", None
    )
    grpc_service_identities: Words = var("GRPC_SERVICE_IDENTITIES", "Certificate names that role service may have", ())
    grpc_reflection: bool = var("GRPC_REFLECTION", "Whether gRPC lists its services", True)

    postgres_dsn: Dsn = var("POSTGRES_DSN", "postgresql://user:password@host:port/database")
    postgres_pool_size: Annotated[int, Field(ge=1, le=200)] = var("POSTGRES_POOL_SIZE", "Connections of a process", 16)

    page_cache_bytes: Annotated[int, Field(ge=0)] = var(
        "LIBRARY_PAGE_CACHE_BYTES",
        "Memory for rendered pages, which are checked by version at each use; 0: none",
        67108864,
    )

    redis_mode: Literal["single", "sentinel", "cluster"] = var(
        "REDIS_MODE",
        "Kind of servers in REDIS_ADDR: single (a server), sentinel (the sentinels), cluster (nodes)",
        "single",
    )
    redis_addrs: Annotated[Addresses, Field(min_length=1)] = var(
        "REDIS_ADDR", "host:port; of sentinels or nodes several, comma separated", "127.0.0.1:6379"
    )
    redis_sentinel_master: str | None = var("REDIS_SENTINEL_MASTER", "Name that the sentinels know the master by", None)
    redis_username: str | None = var("REDIS_USERNAME", "User of the ACL; none: the default user", None)
    redis_password: SecretStr | None = var("REDIS_PASSWORD", "Password", None)
    redis_db: Annotated[int, Field(ge=0, le=15)] = var("REDIS_DB_LIBRARY", "Number of the database, 0 to 15", 0)
    redis_tls: bool = var("REDIS_TLS", "Whether to use TLS", False)
    redis_ca_file: FilePath | None = var("REDIS_CA_FILE", "CA of its certificate (PEM); none: the system's", None)

    kafka_brokers: Addresses = var("KAFKA_BROKERS", "host:port, comma separated; needed by consumer and relay", ())
    kafka_topic_events: Topic = var(
        "KAFKA_TOPIC_LIBRARY_EVENTS", "Topic of our events", "com.platform.library.events.v1"
    )
    kafka_topic_dead_letters: Topic = var(
        "KAFKA_TOPIC_LIBRARY_DLQ", "Topic of records that can't be applied", "com.platform.library.dlq.v1"
    )
    kafka_group: Annotated[str, Field(pattern=r"^[!-~]{1,249}$")] = var(
        "KAFKA_CONSUMER_GROUP_LIBRARY", "Consumer group", "library-service"
    )
    kafka_session_timeout_ms: Annotated[int, Field(ge=1000, le=300_000)] = var(
        "KAFKA_SESSION_TIMEOUT_MS", "After how long without contact a consumer loses its partitions", 15_000
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = var(
        "KAFKA_SECURITY_PROTOCOL", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", "PLAINTEXT"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = var(
        "KAFKA_SASL_MECHANISM", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", "PLAIN"
    )
    kafka_sasl_username: str | None = var("KAFKA_SASL_USERNAME", "User", None)
    kafka_sasl_password: SecretStr | None = var("KAFKA_SASL_PASSWORD", "Password", None)
    kafka_ssl_ca_file: FilePath | None = var("KAFKA_SSL_CA_FILE", "CA of the brokers' certificates (PEM)", None)
    kafka_ssl_cert_file: FilePath | None = var("KAFKA_SSL_CERT_FILE", "Our certificate for the brokers (PEM)", None)
    kafka_ssl_key_file: FilePath | None = var("KAFKA_SSL_KEY_FILE", "Its private key (PEM)", None)
    kafka_idempotence: bool = var("KAFKA_ENABLE_IDEMPOTENCE", "Whether the producer is idempotent", True)

    heartbeat_interval_seconds: PositiveSeconds = var(
        "PLAYTIME_HEARTBEAT_INTERVAL_SECONDS", "Interval at which clients send heartbeats", 60
    )
    session_timeout_seconds: PositiveSeconds = var(
        "PLAYTIME_SESSION_TIMEOUT_SECONDS", "After how long without a heartbeat a session is ended", 300
    )
    family_seat_grace_seconds: Annotated[int, Field(ge=0, le=86_400)] = var(
        "FAMILY_SEAT_GRACE_SECONDS", "How long a member may continue after the owner has started the same copy", 300
    )

    limit_user: Limit = var("RATE_LIMIT_USER_PER_MINUTE", "Requests per minute and player; 0: no limit", 600)
    limit_ip: Limit = var("RATE_LIMIT_IP_PER_MINUTE", "Requests per minute and address; 0: no limit", 6000)
    limit_service: Limit = var("RATE_LIMIT_SERVICE_PER_MINUTE", "Calls per minute and service; 0: no limit", 60000)

    _sections: Mapping[type[SettingsSection], SettingsSection] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        self._check_names_differ()
        if ServiceRole.API in self.roles:
            self._check_identity()
            self._check_tls()
        if self.roles & {ServiceRole.CONSUMER, ServiceRole.RELAY} and not self.kafka_brokers:
            raise ValueError("KAFKA_BROKERS: needed by the roles consumer and relay")
        if self.kafka_security_protocol.startswith("SASL") and not (
            self.kafka_sasl_username and self.kafka_sasl_password
        ):
            raise ValueError("KAFKA_SASL_USERNAME: needed with KAFKA_SASL_PASSWORD by a SASL protocol")
        self._check_kafka_tls()
        self._check_redis()
        if self.session_timeout_seconds < 3 * self.heartbeat_interval_seconds:
            raise ValueError(
                "PLAYTIME_SESSION_TIMEOUT_SECONDS: at least three times PLAYTIME_HEARTBEAT_INTERVAL_SECONDS is needed"
            )
        return self

    def of(self, section: type[S]) -> S:
        """Returns the settings of a domain. Raises KeyError if they were not loaded."""
        found = self._sections[section]
        assert isinstance(found, section)
        return found

    @property
    def session_timeout(self) -> timedelta:
        return timedelta(seconds=self.session_timeout_seconds)

    @property
    def silence(self) -> timedelta:
        """The maximum age of a running session's checkpoint: a minute and two lost heartbeats."""
        return timedelta(seconds=60 + 2 * self.heartbeat_interval_seconds)

    def _check_kafka_tls(self) -> None:
        if bool(self.kafka_ssl_cert_file) != bool(self.kafka_ssl_key_file):
            raise ValueError("KAFKA_SSL_CERT_FILE: needed together with KAFKA_SSL_KEY_FILE")
        if (self.kafka_ssl_cert_file or self.kafka_ssl_ca_file) and not self.kafka_security_protocol.endswith("SSL"):
            raise ValueError("KAFKA_SECURITY_PROTOCOL: KAFKA_SSL_ files need SSL or SASL_SSL")

    def _check_redis(self) -> None:
        if self.redis_mode == "single" and len(self.redis_addrs) > 1:
            raise ValueError("REDIS_ADDR: one address is expected, or REDIS_MODE sentinel or cluster")
        if (self.redis_mode == "sentinel") != bool(self.redis_sentinel_master):
            raise ValueError("REDIS_SENTINEL_MASTER: needed by REDIS_MODE=sentinel, and by no other")
        if self.redis_mode == "cluster" and self.redis_db:
            raise ValueError("REDIS_DB_LIBRARY: a cluster has the database 0 only")
        if self.redis_ca_file and not self.redis_tls:
            raise ValueError("REDIS_CA_FILE: REDIS_TLS=true is needed with it")

    def _check_names_differ(self) -> None:
        ports = {
            "LIBRARY_SERVICE_HTTP_PORT": self.http_port,
            "LIBRARY_SERVICE_GRPC_PORT": self.grpc_port,
            "LIBRARY_SERVICE_METRICS_PORT": self.metrics_port,
        }
        taken: dict[int, str] = {}
        for name, port in ports.items():
            if port and port in taken:  # 0 is any free one
                raise ValueError(f"{name}: {port} is also the port of {taken[port]}")
            taken[port] = name
        if self.kafka_topic_events == self.kafka_topic_dead_letters:
            raise ValueError("KAFKA_TOPIC_LIBRARY_DLQ: must be another topic than KAFKA_TOPIC_LIBRARY_EVENTS")

    def _check_identity(self) -> None:
        if self.auth_mode == "gateway" and not self.trusted_proxies:
            raise ValueError("AUTH_TRUSTED_PROXIES: AUTH_MODE=gateway needs the networks that it may trust")
        if self.auth_mode == "jwt" or self.jwt_public_key_file or self.jwks_url:
            for name, value in (("AUTH_JWT_ISSUER", self.jwt_issuer), ("AUTH_JWT_AUDIENCE", self.jwt_audience)):
                if not value:
                    raise ValueError(f"{name}: needed to verify tokens")
            if bool(self.jwt_public_key_file) == bool(self.jwks_url):
                raise ValueError("AUTH_JWT_PUBLIC_KEY_FILE: set either it or AUTH_JWKS_URL")

    def _check_tls(self) -> None:
        if self.grpc_tls_required and not (self.grpc_tls_cert_file and self.grpc_tls_key_file):
            raise ValueError("GRPC_TLS_CERT_FILE: GRPC_TLS_REQUIRED needs it and GRPC_TLS_KEY_FILE")
        if bool(self.grpc_tls_cert_file) != bool(self.grpc_tls_key_file):
            raise ValueError("GRPC_TLS_KEY_FILE: needed together with GRPC_TLS_CERT_FILE")
        if self.grpc_service_identities and not self.grpc_tls_client_ca_file:
            raise ValueError("GRPC_TLS_CLIENT_CA_FILE: without it nobody can show a name of GRPC_SERVICE_IDENTITIES")


def fields_of(sections: Sequence[type[SettingsSection]]) -> Mapping[str, FieldInfo]:
    """Returns all settings by the names of their variables. Raises ValueError if one name is declared twice."""
    fields: dict[str, FieldInfo] = {}
    models: list[type[BaseModel]] = [Settings, *sections]
    for model in models:
        for field in model.model_fields.values():
            if str(field.alias) in fields:
                raise ValueError(f"{field.alias} is declared twice, the second time by {model.__name__}")
            fields[str(field.alias)] = field
    return fields


def load_settings(environ: Mapping[str, str], sections: Sequence[type[SettingsSection]] = ()) -> Settings:
    """Loads the settings from the environment and the file that it names. Raises SettingsError."""
    fields = fields_of(sections)
    if problem := misspelt(environ, {*fields, CONFIG_VARIABLE}):
        raise SettingsError(problem)
    values = {
        **_from_file(environ, fields),
        **{name: environ[name] for name in fields.keys() & environ.keys() if environ[name].strip()},
    }
    values = {name: _cleaned(name, value, fields[name]) for name, value in sorted(values.items())}
    try:
        settings = Settings.model_validate(values)
        settings._sections = {section: section.model_validate(values) for section in sections}
    except ValidationError as error:
        # The message must not contain the value, which may be a secret.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise SettingsError(_explain(first["loc"], first["msg"], fields)) from None
    return settings


def _explain(place: tuple[int | str, ...], problem: str, fields: Mapping[str, FieldInfo]) -> str:
    problem = problem.removeprefix("Value error, ")
    if not place:
        return problem
    return f"{place[0]}: {problem} ({fields[str(place[0])].description})"


def _from_file(environ: Mapping[str, str], fields: Mapping[str, FieldInfo]) -> dict[str, str]:
    named = environ.get(CONFIG_VARIABLE)
    path = Path(named) if named else DEFAULT_FILE
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_YAML)  # noqa: S506 - both are safe
    except FileNotFoundError:
        if named:
            raise SettingsError(f"{CONFIG_VARIABLE}: there is no file {named}") from None
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"{CONFIG_VARIABLE}: {path} is no readable YAML ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{CONFIG_VARIABLE}: {path} must hold NAME: value lines")
    for name in document:
        if name not in fields:
            raise SettingsError(f"{name}: no setting has this name ({path})")
    values = {name: _expand(_text(value), environ) for name, value in document.items()}
    return {name: value for name, value in values.items() if value.strip()}


def _cleaned(name: str, value: str, field: FieldInfo) -> str:
    """Returns a value without surrounding blanks. Raises SettingsError."""
    try:
        return without_blanks(
            value, is_secret="SecretStr" in str(field.annotation), is_list=any(one is LIST for one in field.metadata)
        )
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from None


def _text(value: object) -> str:
    """Converts a value of the file to the text of a variable."""
    if isinstance(value, list):
        return ",".join(_text(part) for part in value)
    return "" if value is None else str(value)


def _expand(text: str, environ: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda found: environ.get(found[1]) or found[2] or "", text)

"""Configuration (contract, section 9): environment variables, or a YAML file of the same names.

In the file a value may be written ``${NAME:-default}``; a variable that is set in the environment always wins, and an
empty one, or one of blanks alone, counts as not set.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from gameshelf.gateway.runtime.origins import parse_origin
from gameshelf.gateway.runtime.setting_names import misspelt
from gameshelf.gateway.runtime.setting_values import without_blanks
from gameshelf.savegames import Limits
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)

CONFIG_VARIABLE = "LIBRARY_SERVICE_CONFIG"
DEFAULT_FILE = Path("configs/library_config.yaml")

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):\d{1,5}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{32,}")
_REFERENCE = re.compile(r"\$\{([A-Z0-9_]+)(?::-([^}]*))?\}")


class SettingsError(Exception):
    """A value is bad or missing; the message is one line that names the variable."""


class ServiceRole(StrEnum):
    """A part of the service that a process can run."""

    API = "api"
    CONSUMER = "consumer"
    RELAY = "relay"
    JOBS = "jobs"


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value) or not 0 < int(value.rpartition(":")[2]) <= 65_535:
        raise ValueError("host:port is expected")
    return value


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value) or value in (".", ".."):
        raise ValueError("1 to 249 letters, digits, dots, underscores and hyphens are expected, as Kafka names topics")
    return value


def _narrow(value: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    # An IPv4 network that is written as an IPv6 one is what it is: sockets' addresses are looked at so, too.
    if isinstance(value, IPv6Network) and value.prefixlen >= 96 and (mapped := value.network_address.ipv4_mapped):
        value = IPv4Network((int(mapped), value.prefixlen - 96))
    # Whoever lies in it says who the player is, and is not limited by address.
    private, public = (8, 8) if isinstance(value, IPv4Network) else (7, 16)
    if value.prefixlen < (private if value.is_private else public):
        raise ValueError(f"{value} is no network of proxies, it is a great part of all addresses there are")
    return value


def _url(value: str) -> str:
    if not _is_web(value):
        raise ValueError("an address with http:// or https:// is expected")
    return value


def _is_web(value: str) -> bool:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - is there, or no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(value.split()) == 1


def _store(value: str) -> str:
    address, bare = value.removesuffix("/"), value if "://" in value else f"http://{value}"
    # A signature covers the path: one that a proxy adds or removes would break every signed URL.
    if not _is_web(bare) or "@" in bare or urlsplit(bare).netloc != address.rpartition("://")[2]:
        raise ValueError("host:port is expected, or an address with http:// or https:// and without a path")
    return address


def _hex_key(value: SecretStr) -> SecretStr:
    if not _HEX_KEY.fullmatch(value.get_secret_value()):
        raise ValueError("at least 32 hexadecimal characters are expected")
    return value


def _dsn(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("postgresql://user:password@host:port/database is expected")
    return value


_ROLE_URL_SECONDS = 600
"""Keys of a role are renewed ten minutes before their end, by botocore."""
_LIST = BeforeValidator(_split)
Port = Annotated[int, Field(ge=0, le=65535)]
Limit = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
PositiveSeconds = Annotated[float, Field(gt=0, le=86_400)]
Address = Annotated[str, AfterValidator(_address)]
Url = Annotated[str, AfterValidator(_url)]
Store = Annotated[str, AfterValidator(_store)]
Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Words = Annotated[tuple[str, ...], _LIST]
Addresses = Annotated[tuple[Address, ...], _LIST]
Origins = Annotated[tuple[Annotated[str, AfterValidator(parse_origin)], ...], _LIST]
Topic = Annotated[str, AfterValidator(_topic)]
Networks = Annotated[tuple[Annotated[IPv4Network | IPv6Network, AfterValidator(_narrow)], ...], _LIST]
Roles = Annotated[frozenset[ServiceRole], _LIST, Field(min_length=1)]
HexKey = Annotated[SecretStr, AfterValidator(_hex_key)]
Dsn = Annotated[SecretStr, AfterValidator(_dsn)]


def _var(name: str, description: str, default: Any = ...) -> Any:
    return Field(
        default, alias=name, description=description, validate_default=default is not ... and default is not None
    )


class Settings(BaseModel):
    """Everything that can be set. The aliases are the names of the variables."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = _var("LIBRARY_SERVICE_HOST", "Address that all ports are bound to", "0.0.0.0")  # noqa: S104
    http_port: Port = _var("LIBRARY_SERVICE_HTTP_PORT", "REST and WebSocket", 8084)
    grpc_port: Port = _var("LIBRARY_SERVICE_GRPC_PORT", "gRPC", 9094)
    metrics_port: Port = _var("LIBRARY_SERVICE_METRICS_PORT", "Prometheus metrics", 9090)
    roles: Roles = _var(
        "LIBRARY_SERVICE_ROLES", "Parts that this process runs: api, consumer, relay, jobs", "api,consumer,relay,jobs"
    )
    shutdown_seconds: Seconds = _var(
        "LIBRARY_SERVICE_SHUTDOWN_SECONDS", "How long requests in flight may take when the service stops", 20
    )
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = _var(
        "LIBRARY_SERVICE_DRAIN_SECONDS",
        "How long after SIGTERM readiness says 503 and everything is still served, before the ports close",
        5,
    )
    server: Literal["hypercorn", "granian"] = _var(
        "LIBRARY_SERVICE_SERVER", "What serves REST and WebSocket: hypercorn or granian", "hypercorn"
    )
    h2c: bool = _var("LIBRARY_SERVICE_H2C", "Whether REST also speaks HTTP/2 without TLS", False)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _var("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO")
    otlp_endpoint: Url | None = _var("OTEL_EXPORTER_OTLP_ENDPOINT", "Where traces go (OTLP over HTTP)", None)

    auth_mode: Literal["jwt", "gateway"] = _var("AUTH_MODE", "jwt, or gateway: X-User-Id from a trusted proxy", "jwt")
    jwt_issuer: str | None = _var("AUTH_JWT_ISSUER", "The `iss` that tokens must have", None)
    jwt_audience: str | None = _var("AUTH_JWT_AUDIENCE", "The `aud` that tokens must have", None)
    jwt_public_key_file: FilePath | None = _var("AUTH_JWT_PUBLIC_KEY_FILE", "PEM file with public keys", None)
    jwks_url: Url | None = _var("AUTH_JWKS_URL", "Or a URL of a JWKS", None)
    trusted_proxies: Networks = _var(
        "AUTH_TRUSTED_PROXIES",
        "Networks of proxies: no limit per address, and X-User-Id is taken from them (AUTH_MODE=gateway)",
        (),
    )
    cors_allowed_origins: Origins = _var(
        "CORS_ALLOWED_ORIGINS",
        "Origins of pages that may call, of desktop shells too: https://shop.example, tauri://localhost, null",
        (),
    )
    erasure_hash_key: HexKey = _var(
        "ERASURE_HASH_KEY", "Secret of at least 32 hexadecimal characters that keys the hash kept of an erased user"
    )

    grpc_tls_required: bool = _var(
        "GRPC_TLS_REQUIRED", "Whether gRPC needs TLS, and role service a client certificate", True
    )
    grpc_tls_cert_file: FilePath | None = _var("GRPC_TLS_CERT_FILE", "The server's certificate chain (PEM)", None)
    grpc_tls_key_file: FilePath | None = _var("GRPC_TLS_KEY_FILE", "Its private key (PEM)", None)
    grpc_tls_client_ca_file: FilePath | None = _var(
        "GRPC_TLS_CLIENT_CA_FILE", "CA of the clients' certificates (PEM)", None
    )
    grpc_service_identities: Words = _var("GRPC_SERVICE_IDENTITIES", "Certificate names that role service may have", ())
    grpc_reflection: bool = _var("GRPC_REFLECTION", "Whether gRPC lists its services", True)

    postgres_dsn: Dsn = _var("POSTGRES_DSN", "postgresql://user:password@host:port/database")
    postgres_pool_size: Annotated[int, Field(ge=1, le=200)] = _var("POSTGRES_POOL_SIZE", "Connections of a process", 16)

    page_cache_bytes: Annotated[int, Field(ge=0)] = _var(
        "LIBRARY_PAGE_CACHE_BYTES",
        "Memory for rendered pages, which are checked by version at each use; 0: none",
        67108864,
    )

    redis_mode: Literal["single", "sentinel", "cluster"] = _var(
        "REDIS_MODE", "What REDIS_ADDR names: single (a server), sentinel (the sentinels), cluster (nodes)", "single"
    )
    redis_addrs: Annotated[Addresses, Field(min_length=1)] = _var(
        "REDIS_ADDR", "host:port; of sentinels or nodes several, comma separated", "127.0.0.1:6379"
    )
    redis_sentinel_master: str | None = _var(
        "REDIS_SENTINEL_MASTER", "Name that the sentinels know the master by", None
    )
    redis_username: str | None = _var("REDIS_USERNAME", "User of the ACL; none: the default user", None)
    redis_password: SecretStr | None = _var("REDIS_PASSWORD", "Password", None)
    redis_db: Annotated[int, Field(ge=0, le=15)] = _var("REDIS_DB_LIBRARY", "Number of the database, 0 to 15", 0)
    redis_tls: bool = _var("REDIS_TLS", "Whether to use TLS", False)
    redis_ca_file: FilePath | None = _var("REDIS_CA_FILE", "CA of its certificate (PEM); none: the system's", None)

    kafka_brokers: Addresses = _var("KAFKA_BROKERS", "host:port, comma separated; needed by consumer and relay", ())
    kafka_topic_events: Topic = _var(
        "KAFKA_TOPIC_LIBRARY_EVENTS", "Topic of our events", "com.platform.library.events.v1"
    )
    kafka_topic_dead_letters: Topic = _var(
        "KAFKA_TOPIC_LIBRARY_DLQ", "Topic of records that can't be applied", "com.platform.library.dlq.v1"
    )
    kafka_group: Annotated[str, Field(pattern=r"^[!-~]{1,249}$")] = _var(
        "KAFKA_CONSUMER_GROUP_LIBRARY", "Consumer group", "library-service"
    )
    kafka_session_timeout_ms: Annotated[int, Field(ge=1000, le=300_000)] = _var(
        "KAFKA_SESSION_TIMEOUT_MS", "After how long without a sign of life a consumer loses its partitions", 15_000
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = _var(
        "KAFKA_SECURITY_PROTOCOL", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", "PLAINTEXT"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = _var(
        "KAFKA_SASL_MECHANISM", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", "PLAIN"
    )
    kafka_sasl_username: str | None = _var("KAFKA_SASL_USERNAME", "User", None)
    kafka_sasl_password: SecretStr | None = _var("KAFKA_SASL_PASSWORD", "Password", None)
    kafka_ssl_ca_file: FilePath | None = _var("KAFKA_SSL_CA_FILE", "CA of the brokers' certificates (PEM)", None)
    kafka_ssl_cert_file: FilePath | None = _var("KAFKA_SSL_CERT_FILE", "Our certificate for the brokers (PEM)", None)
    kafka_ssl_key_file: FilePath | None = _var("KAFKA_SSL_KEY_FILE", "Its private key (PEM)", None)
    kafka_idempotence: bool = _var("KAFKA_ENABLE_IDEMPOTENCE", "Whether the producer is idempotent", True)

    s3_endpoint: Store | None = _var(
        "S3_ENDPOINT", "Address of the object store; none, with a bucket: Amazon's own of S3_REGION", None
    )
    s3_public_endpoint: Store | None = _var(
        "S3_PUBLIC_ENDPOINT", "Its address for clients, in the URLs they are given; none: S3_ENDPOINT", None
    )
    s3_access_key_id: str | None = _var(
        "S3_ACCESS_KEY_ID", "Who the service is to the object store; none: the instance's role", None
    )
    s3_secret_access_key: SecretStr | None = _var("S3_SECRET_ACCESS_KEY", "Its secret key", None)
    s3_bucket: Bucket | None = _var(
        "S3_BUCKET_SAVEGAMES", "Bucket of cloud saves; none: there are no cloud saves", None
    )
    s3_region: Annotated[str, Field(pattern=r"^[\w-]+$")] = _var("S3_REGION", "Region that is signed for", "us-east-1")
    s3_use_ssl: bool = _var(
        "S3_USE_SSL", "Whether TLS is used where an address of the object store has no http:// or https://", True
    )
    s3_url_ttl_seconds: Annotated[int, Field(ge=1, le=43_200)] = _var(
        "S3_PRESIGNED_URL_TTL_SECONDS", "How long a client may begin an upload or a download", 300
    )
    s3_server_side_encryption: Literal["none", "AES256", "aws:kms"] = _var(
        "S3_SERVER_SIDE_ENCRYPTION", "What the store is asked to encrypt with: none, AES256 or aws:kms", "none"
    )
    s3_delete_grace_days: Annotated[int, Field(ge=0, le=3650)] = _var(
        "S3_DELETE_GRACE_DAYS", "How long bytes stay once no save needs them", 30
    )

    savegame_max_bytes: Annotated[int, Field(ge=1, le=1024**3)] = _var(
        "MAX_SAVEGAME_SIZE_BYTES", "How large a save may be", 52_428_800
    )
    savegame_quota_bytes: Annotated[int, Field(ge=1)] = _var(
        "USER_SAVEGAME_QUOTA_BYTES", "How much a user may keep", 1_073_741_824
    )
    savegame_product_quota_bytes: Annotated[int, Field(ge=0)] = _var(
        "PRODUCT_SAVEGAME_QUOTA_BYTES", "How much of that for one product; 0: no limit", 0
    )
    savegame_daily_bytes: Annotated[int, Field(ge=1)] = _var(
        "USER_SAVEGAME_DAILY_BYTES", "How many bytes upload URLs are signed for, per user and day (UTC)", 10_737_418_240
    )
    savegame_max_versions: Annotated[int, Field(ge=2, le=1000)] = _var(
        "SAVEGAME_MAX_VERSIONS", "How many versions a slot keeps, beside one a day for the last 3 days", 10
    )
    savegame_trash_days: Annotated[int, Field(ge=0, le=3650)] = _var(
        "SAVEGAME_TRASH_DAYS", "How long a deleted save can be brought back", 30
    )

    catalog_grpc_addr: Address | None = _var(
        "CATALOG_SERVICE_GRPC_ADDR", "host:port of the Catalog, to ask for products", None
    )

    heartbeat_interval_seconds: PositiveSeconds = _var(
        "PLAYTIME_HEARTBEAT_INTERVAL_SECONDS", "How often clients are asked to send a heartbeat", 60
    )
    session_timeout_seconds: PositiveSeconds = _var(
        "PLAYTIME_SESSION_TIMEOUT_SECONDS", "After how long without a heartbeat a session is ended", 300
    )
    import_max_age_days: Annotated[int, Field(ge=1, le=3650)] = _var(
        "PLAYTIME_IMPORT_MAX_AGE_DAYS", "How old a session that was played offline may be", 90
    )

    settings_max_bytes: Annotated[int, Field(ge=1024, le=16 * 1024**2)] = _var(
        "SETTINGS_MAX_BYTES", "How large one layer of a game's settings may be", 262_144
    )

    wishlist_max_items: Annotated[int, Field(ge=1, le=10_000)] = _var(
        "WISHLIST_MAX_ITEMS_PER_USER", "How many products a wishlist holds", 100
    )
    wishlist_default_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = _var(
        "WISHLIST_DEFAULT_CURRENCY",
        "The currency of wishes without a target price, where a product has a price in it (three letters, ISO 4217)",
        "RUB",
    )

    family_max_members: Annotated[int, Field(ge=1, le=100)] = _var(
        "FAMILY_MAX_MEMBERS", "How many members an owner may have, and how many owners a member", 5
    )
    family_seat_grace_seconds: Annotated[int, Field(ge=0, le=86_400)] = _var(
        "FAMILY_SEAT_GRACE_SECONDS", "How long a member plays on once the owner starts the same copy", 300
    )

    limit_user: Limit = _var("RATE_LIMIT_USER_PER_MINUTE", "Requests a minute and player; 0: no limit", 600)
    limit_ip: Limit = _var("RATE_LIMIT_IP_PER_MINUTE", "Requests a minute and address; 0: no limit", 6000)
    limit_service: Limit = _var("RATE_LIMIT_SERVICE_PER_MINUTE", "Calls a minute and service; 0: no limit", 60000)

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
        self._check_store()
        if self.session_timeout_seconds < 3 * self.heartbeat_interval_seconds:
            raise ValueError(
                "PLAYTIME_SESSION_TIMEOUT_SECONDS: at least three times PLAYTIME_HEARTBEAT_INTERVAL_SECONDS is needed"
            )
        return self

    @property
    def session_timeout(self) -> timedelta:
        return timedelta(seconds=self.session_timeout_seconds)

    @property
    def silence(self) -> timedelta:
        """How old the checkpoint of a session that is played may be: a minute, and two heartbeats that were lost."""
        return timedelta(seconds=60 + 2 * self.heartbeat_interval_seconds)

    @property
    def savegame_limits(self) -> Limits:
        """How much saves may take, and how long what of them stays."""
        return Limits(
            max_bytes=self.savegame_max_bytes,
            quota_bytes=self.savegame_quota_bytes,
            product_quota_bytes=self.savegame_product_quota_bytes,
            daily_bytes=self.savegame_daily_bytes,
            max_versions=self.savegame_max_versions,
            url_lives=timedelta(seconds=self.s3_url_ttl_seconds),
            trash_for=timedelta(days=self.savegame_trash_days),
            delete_grace=timedelta(days=self.s3_delete_grace_days),
        )

    @property
    def s3_url(self) -> str | None:
        """The object store's address with its scheme; None: Amazon's own, or none at all."""
        return self._with_scheme(self.s3_endpoint)

    @property
    def s3_public_url(self) -> str | None:
        """The same as clients reach it."""
        return self._with_scheme(self.s3_public_endpoint) or self.s3_url

    def _with_scheme(self, address: str | None) -> str | None:
        if address is None or "://" in address:
            return address
        return f"{'https' if self.s3_use_ssl else 'http'}://{address}"

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

    def _check_store(self) -> None:
        keys = {"S3_ACCESS_KEY_ID": self.s3_access_key_id, "S3_SECRET_ACCESS_KEY": self.s3_secret_access_key}
        if not self.s3_bucket and (self.s3_endpoint or self.s3_public_endpoint or any(keys.values())):
            raise ValueError("S3_BUCKET_SAVEGAMES: needed by cloud saves, with the other S3_ variables that are set")
        for name, value in keys.items():
            if not value and any(keys.values()):
                raise ValueError(
                    f"{name}: needed together with the other key; without both the instance's role is used"
                )
        if self.s3_bucket and not any(keys.values()) and self.s3_url_ttl_seconds > _ROLE_URL_SECONDS:
            raise ValueError(
                f"S3_PRESIGNED_URL_TTL_SECONDS: at most {_ROLE_URL_SECONDS} without S3_ACCESS_KEY_ID, since a URL ends"
                " with the keys that signed it, and those of an instance's role change"
            )

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


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings from the environment and the file that it names. Raises SettingsError."""
    known = _FIELDS.keys()
    if problem := misspelt(environ, {*known, CONFIG_VARIABLE}):
        raise SettingsError(problem)
    values = {
        **_from_file(environ),
        **{name: environ[name] for name in known & environ.keys() if environ[name].strip()},
    }
    values = {name: _cleaned(name, value) for name, value in sorted(values.items())}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        # The message may say nothing of the value itself, which may be a secret.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise SettingsError(_explain(first["loc"], first["msg"])) from None


def _explain(place: tuple[int | str, ...], problem: str) -> str:
    problem = problem.removeprefix("Value error, ")
    if not place:
        return problem
    return f"{place[0]}: {problem} ({_FIELDS[str(place[0])].description})"


def _from_file(environ: Mapping[str, str]) -> dict[str, str]:
    named = environ.get(CONFIG_VARIABLE)
    path = Path(named) if named else DEFAULT_FILE
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise SettingsError(f"{CONFIG_VARIABLE}: there is no file {named}") from None
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"{CONFIG_VARIABLE}: {path} is no readable YAML ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{CONFIG_VARIABLE}: {path} must hold NAME: value lines")
    for name in document:
        if name not in _FIELDS:
            raise SettingsError(f"{name}: no setting has this name ({path})")
    values = {name: _expand(_text(value), environ) for name, value in document.items()}
    return {name: value for name, value in values.items() if value.strip()}


_FIELDS = {str(field.alias): field for field in Settings.model_fields.values()}


def _cleaned(name: str, value: str) -> str:
    """A value without the blanks around it. Raises SettingsError."""
    field = _FIELDS[name]
    try:
        return without_blanks(
            value, is_secret="SecretStr" in str(field.annotation), is_list=any(one is _LIST for one in field.metadata)
        )
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from None


def _text(value: object) -> str:
    """A value of the file as it would stand in a variable."""
    if isinstance(value, list):
        return ",".join(_text(part) for part in value)
    return "" if value is None else str(value)


def _expand(text: str, environ: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda found: environ.get(found[1]) or found[2] or "", text)

"""How settings are declared: the types of their values, and sections, which are the settings of one domain."""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any
from urllib.parse import urlsplit

from gameshelf.gateway.runtime.origins import parse_origin
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):\d{1,5}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{32,}")


class SettingsSection(BaseModel):
    """The settings of one domain. The aliases are the names of the variables, which no other section has.

    A ``model_validator`` checks combinations of settings; its ValueError begins with the variable's name.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


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
    # An IPv4-mapped IPv6 network becomes an IPv4 network, like the addresses of sockets.
    if isinstance(value, IPv6Network) and value.prefixlen >= 96 and (mapped := value.network_address.ipv4_mapped):
        value = IPv4Network((int(mapped), value.prefixlen - 96))
    # Peers in this network choose the player and have no limit per address, so it must be small.
    private, public = (8, 8) if isinstance(value, IPv4Network) else (7, 16)
    if value.prefixlen < (private if value.is_private else public):
        raise ValueError(f"{value} is too large for a network of proxies")
    return value


def _url(value: str) -> str:
    if not is_web(value):
        raise ValueError("an address with http:// or https:// is expected")
    return value


def is_web(value: str) -> bool:
    """Returns whether a value is an HTTP URL with a host."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - is there, or no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(value.split()) == 1


def _hex_key(value: SecretStr) -> SecretStr:
    if not _HEX_KEY.fullmatch(value.get_secret_value()):
        raise ValueError("at least 32 hexadecimal characters are expected")
    return value


def _dsn(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("postgresql://user:password@host:port/database is expected")
    return value


LIST = BeforeValidator(_split)
Port = Annotated[int, Field(ge=0, le=65535)]
Limit = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
PositiveSeconds = Annotated[float, Field(gt=0, le=86_400)]
HostAddress = Annotated[str, AfterValidator(_address)]
ServiceUrl = Annotated[str, AfterValidator(_url)]
Words = Annotated[tuple[str, ...], LIST]
Addresses = Annotated[tuple[HostAddress, ...], LIST]
OriginList = Annotated[tuple[Annotated[str, AfterValidator(parse_origin)], ...], LIST]
Topic = Annotated[str, AfterValidator(_topic)]
Networks = Annotated[tuple[Annotated[IPv4Network | IPv6Network, AfterValidator(_narrow)], ...], LIST]
HexKey = Annotated[SecretStr, AfterValidator(_hex_key)]
Dsn = Annotated[SecretStr, AfterValidator(_dsn)]


def var(name: str, description: str, default: Any = ...) -> Any:
    """Declares a field that the variable ``name`` sets; without a default it is required."""
    return Field(
        default, alias=name, description=description, validate_default=default is not ... and default is not None
    )

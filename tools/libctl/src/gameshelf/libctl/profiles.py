"""The address of the service and the caller's token, from the environment or from a profile in the user's file.

``LIBCTL_ENDPOINT`` and ``LIBCTL_TOKEN`` win over the profile, value by value.
"""

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from gameshelf.libctl.errors import Usage
from gameshelf.libctl.suggestions import close_to, did_you_mean

_KEYS = frozenset({"endpoint", "token", "token_file", "ca_file", "cert_file", "key_file"})
_DEFAULT = "default"
_TOKEN = re.compile(r"[!-~]+")
"""The characters that gRPC can send; for others it raises an error of its own, with a traceback."""


@dataclass(frozen=True, slots=True)
class Profile:
    """``address`` is ``host:port``; the connection is encrypted where ``is_encrypted``."""

    address: str
    is_encrypted: bool
    token: str
    ca_file: Path | None = None
    """The CA certificates to trust instead of the system's."""
    cert_file: Path | None = None
    key_file: Path | None = None
    """The caller's own certificate, for a service that asks for one."""
    token_place: str = "LIBCTL_TOKEN"  # noqa: S105 (the name of a variable)
    """Where the token was found: a variable that was forgotten hides the token of a profile."""


def path() -> Path | None:
    """The file of profiles: ``LIBCTL_PROFILES``, or ``libctl/profiles.toml`` among the user's settings.

    None for a user without a home folder, such as one in a container that no file of accounts names.
    """
    named = os.environ.get("LIBCTL_PROFILES")
    if named:
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME")
    try:
        return (Path(home) if home else Path.home() / ".config") / "libctl" / "profiles.toml"
    except RuntimeError:
        return None


def load(name: str | None) -> Profile:
    """The profile of that name, or ``default``. Raises Usage, which says what is missing where."""
    chosen = name or os.environ.get("LIBCTL_PROFILE")
    file = path()
    found = _read(file, chosen) if file else {}
    if file is None and chosen:
        raise Usage(f"there is no profile {chosen}, and no home folder", "name the file in LIBCTL_PROFILES")
    endpoint = os.environ.get("LIBCTL_ENDPOINT") or found.get("endpoint")
    where = file or "a profile"
    token, token_place = _token(found, chosen or _DEFAULT, where)
    if not endpoint:
        raise Usage("the address of the service is not set", f"set LIBCTL_ENDPOINT=host:port, or endpoint in {where}")
    if not token:
        raise Usage("no token is set", f"set LIBCTL_TOKEN, or token_file in {where}")
    if not _TOKEN.fullmatch(token.strip()):
        raise Usage("the token contains invalid characters", "only the token, in ASCII, without the word Bearer")
    address, is_encrypted = _endpoint(endpoint)
    files = {key: _expanded(found[key]) for key in ("ca_file", "cert_file", "key_file") if key in found}
    return Profile(address, is_encrypted, token.strip(), token_place=token_place, **files)


def _token(found: Mapping[str, str], profile: str, where: object) -> tuple[str | None, str]:
    """The token and where it was found: the variable wins over the profile."""
    if token := os.environ.get("LIBCTL_TOKEN"):
        return token, "LIBCTL_TOKEN"
    if token := found.get("token"):
        return token, f"the profile {profile} in {where}"
    file = found.get("token_file")
    return _token_of(file), file or ""


def _read(file: Path, name: str | None) -> Mapping[str, str]:
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            profiles: dict[str, Any] = tomllib.load(opened)
    except FileNotFoundError:
        if name:
            raise Usage(f"there is no profile {name}: {file} doesn't exist", "libctl --help") from None
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Usage(f"{file} can't be read: {error}", "fix the file") from None
    found = profiles.get(name or _DEFAULT)
    if found is None and name is None:
        return {}
    if not isinstance(found, dict):
        question = did_you_mean(close_to(name or "", profiles))
        raise Usage(f"there is no profile {name} in {file}{question}", _one_of(profiles))
    if unknown := found.keys() - _KEYS:
        question = did_you_mean(close_to(min(unknown), _KEYS))
        raise Usage(f"{file}: unknown: {', '.join(sorted(unknown))}{question}", _one_of(_KEYS))
    if "token" in found and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Usage(f"{file} contains a token and is readable by others", f"chmod 600 {file}")
    return {key: str(value) for key, value in found.items()}


def _one_of(names: Iterable[str]) -> str:
    return f"one of: {', '.join(sorted(names)) or 'none'}"


def _expanded(file: str) -> Path:
    try:
        return Path(file).expanduser()
    except RuntimeError:
        raise Usage(f"{file}: there is no home folder", "set HOME, or write the whole path") from None


def _token_of(file: str | None) -> str | None:
    if not file:
        return None
    try:
        with _expanded(file).open(encoding="utf-8") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            token = opened.read()
    except (OSError, ValueError) as error:
        raise Usage(f"token_file {file} can't be read: {error}", "write the token into it") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):  # as ssh does with a key
        raise Usage(f"token_file {file} contains a token and is readable by others", f"chmod 600 {file}")
    return token


def _endpoint(text: str) -> tuple[str, bool]:
    """The address, and whether to encrypt: with ``grpcs://``; never with ``grpc://``; else if it is another machine."""
    scheme, _, address = text.rpartition("://")
    if scheme in ("http", "https"):
        raise Usage(
            f"the endpoint {text} is an address of HTTP, and libctl speaks gRPC", "host:port of the service's gRPC port"
        )
    if scheme not in ("", "grpc", "grpcs"):
        raise Usage(f"{text} is not an endpoint", "host:port, grpc://host:port or grpcs://host:port")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise Usage(f"{text} is not an endpoint: the port is missing", "host:port")
    return address, scheme == "grpcs" or (scheme == "" and not _is_here(host.strip("[]")))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

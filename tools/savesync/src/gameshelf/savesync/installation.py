"""Where this client keeps its files on this machine, and what it knows of the machine."""

import base64
import getpass
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from gameshelf.savesync.errors import HomeUnknown
from gameshelf.savesync.paths import System

XDG_FOLDERS = ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
_SAFE = re.compile(r"[A-Za-z0-9_-]{1,100}")


def system_of(platform: str = sys.platform) -> System:
    """The family of this system."""
    return {"win32": System.WINDOWS, "darwin": System.MACOS}.get(platform, System.LINUX)


def home_of(variables: Mapping[str, str]) -> Path:
    """The home folder of the user. Raises HomeUnknown.

    A user whom no file of accounts names has none, as in a container. With all of XDG_* set it is not needed: then it
    is a path that can neither be read nor made.
    """
    try:
        return Path.home()
    except RuntimeError:
        if all(variables.get(name, "").startswith("/") for name in XDG_FOLDERS):
            return Path(os.devnull)
        raise HomeUnknown(XDG_FOLDERS) from None


def state_home(variables: Mapping[str, str], home: Path, system: System) -> Path:
    """The folder for states of all accounts."""
    return _base(variables, "XDG_STATE_HOME", home, ".local/state", system) / "gameshelf" / "savesync"


def cache_home(variables: Mapping[str, str], home: Path, system: System) -> Path:
    """The folder for caches of hashes."""
    return _base(variables, "XDG_CACHE_HOME", home, ".cache", system) / "gameshelf" / "savesync"


def device_file(variables: Mapping[str, str], home: Path, system: System) -> Path:
    """The file with the id of this installation, for all programs of the platform."""
    return _base(variables, "XDG_CONFIG_HOME", home, ".config", system) / "gameshelf" / "device.json"


def account_of(token: str) -> str:
    """The name of the account's folder: the subject of the token, which stays when the token is renewed.

    The service verifies the token; here it only separates the accounts of a machine.
    """
    try:
        middle = token.split(".")[1]
        subject = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["sub"]
    except (IndexError, ValueError, KeyError, TypeError):
        return "default"
    return subject if isinstance(subject, str) and _SAFE.fullmatch(subject) else "default"


def machine_mark(system: System) -> str | None:
    """A hash that differs from machine to machine, or None. It is never sent, and says nothing of the machine."""
    try:
        found = _machine_id(system).strip()
    except (OSError, subprocess.SubprocessError):
        return None
    is_known = found and found != "uninitialized"  # of an image that has never been started
    return hashlib.sha256(f"gameshelf.savesync {found}".encode()).hexdigest()[:32] if is_known else None


def _machine_id(system: System) -> str:
    if system is System.LINUX:
        return Path("/etc/machine-id").read_text(encoding="ascii", errors="replace")
    if system is System.MACOS:
        command = ["/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice"]
        listed = subprocess.run(command, capture_output=True, check=True, timeout=10, text=True).stdout
        found = re.search(r'"IOPlatformUUID" = "([^"]+)"', listed)
        return found[1] if found else ""
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
    return ""


def user_name() -> str:
    """The name of the user of this system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without an entry for the user
        return "user"


def _base(variables: Mapping[str, str], name: str, home: Path, default: str, system: System) -> Path:
    value = variables.get(name, "")
    if value and os.path.isabs(value):  # noqa: PTH117 - a path of this system
        return Path(value)
    if system is System.WINDOWS:
        return Path(variables.get("LOCALAPPDATA") or home / "AppData/Local")
    return home / ("Library/Application Support" if system is System.MACOS else default)

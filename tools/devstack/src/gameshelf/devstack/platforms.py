"""The platforms that all pinned packages have wheels for. Only the standard library, on any platform."""

import os
import platform
import struct
import sys
import sysconfig
from dataclasses import dataclass

NAMED = "Linux with glibc 2.28 or newer on x86-64 and ARM64, macOS 13 or newer on Apple silicon"
PYTHONS = ((3, 11), (3, 14))
"""The oldest and the newest Python that all pinned packages have wheels for."""
GLIBC = (2, 28)
MACOS = (13, 0)


@dataclass(frozen=True, slots=True)
class HostPlatform:
    """What decides whether the wheels fit."""

    system: str
    """As ``sys.platform``."""
    processor: str
    bits: int = 64
    libc: str = ""
    """``glibc 2.36``; empty with another one."""
    macos: str = ""
    python: tuple[int, int] = (3, 11)
    implementation: str = "cpython"
    free_threaded: bool = False

    def refusal(self) -> str | None:
        """Why nothing can be installed here, and what to do; None where it can."""
        return self._python_refusal() or self._system_refusal()

    def _python_refusal(self) -> str | None:
        oldest, newest = (".".join(map(str, version)) for version in PYTHONS)
        if self.implementation != "cpython" or self.free_threaded:
            kind = "one without the GIL" if self.free_threaded else self.implementation
            return f"the ordinary CPython {oldest} to {newest} is needed, this is {kind}; try `python{oldest} dev …`"
        if not PYTHONS[0] <= self.python <= PYTHONS[1]:
            given = ".".join(map(str, self.python))
            return f"Python {oldest} to {newest} is needed, this is {given}; try `python{newest} dev …`"
        return None

    def _system_refusal(self) -> str | None:
        if self.system in ("win32", "cygwin"):
            return f"it doesn't run on Windows itself, but in WSL 2. It runs on {NAMED}"
        if self.bits != 64:
            return f"this Python has {self.bits} bits; one with 64 is needed. It runs on {NAMED}"
        if self.system == "darwin":
            if self.processor != "arm64":
                return f"this Python is one for Intel Macs; on Apple silicon use one for ARM. It runs on {NAMED}"
            return None if _version(self.macos) >= MACOS else f"this is macOS {self.macos}. It runs on {NAMED}"
        if self.system != "linux" or self.processor not in ("x86_64", "aarch64"):
            return f"this is {self.system} on {self.processor}. It runs on {NAMED}"
        name, _, version = self.libc.partition(" ")
        if name != "glibc":
            return f"this Linux has another C library than glibc, such as Alpine's musl. It runs on {NAMED}"
        return None if _version(version) >= GLIBC else f"this is glibc {version}. It runs on {NAMED}"


def of_this_machine() -> HostPlatform:
    """Describes the machine and the Python that runs this."""
    return HostPlatform(
        system=sys.platform,
        processor=platform.machine(),
        bits=struct.calcsize("P") * 8,
        libc=_libc(),
        macos=platform.mac_ver()[0],
        python=sys.version_info[:2],
        implementation=sys.implementation.name,
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    )


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return ""


def _version(text: str) -> tuple[int, ...]:
    numbers = (part for part in text.split(".")[:2])
    return tuple(int(part) if part.isdigit() else 0 for part in numbers)

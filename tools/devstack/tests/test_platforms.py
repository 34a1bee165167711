"""Which machines are refused, before anything is downloaded."""

from dataclasses import replace

import pytest
from gameshelf.devstack.platforms import HostPlatform, of_this_machine

LINUX = HostPlatform("linux", "x86_64", libc="glibc 2.36")
MAC = HostPlatform("darwin", "arm64", macos="14.5")


@pytest.mark.parametrize(
    "machine",
    [
        LINUX,
        replace(LINUX, processor="aarch64", libc="glibc 2.28"),
        MAC,
        replace(MAC, macos="13.0"),
        replace(MAC, python=(3, 14)),
        of_this_machine(),
    ],
)
def test_what_has_all_wheels_is_accepted(machine):
    assert machine.refusal() is None


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (replace(LINUX, libc=""), "musl"),
        (replace(LINUX, libc="glibc 2.27"), "glibc 2.27"),
        (replace(LINUX, bits=32), "32 bits"),
        (replace(LINUX, processor="armv7l"), "armv7l"),
        (replace(LINUX, processor="riscv64"), "riscv64"),
        (HostPlatform("win32", "AMD64"), "WSL 2"),
        (HostPlatform("freebsd14", "amd64"), "freebsd14"),
        (replace(MAC, processor="x86_64"), "Intel"),
        (replace(MAC, macos="12.7"), "macOS 12.7"),
        (replace(LINUX, python=(3, 15)), "3.15"),
        (replace(LINUX, python=(3, 10)), "3.10"),
        (replace(LINUX, implementation="pypy"), "pypy"),
        (replace(LINUX, free_threaded=True), "without the GIL"),
    ],
)
def test_another_one_is_refused_in_one_line_that_says_what_to_use(machine, said):
    refusal = machine.refusal()
    assert said in refusal
    assert "\n" not in refusal
    assert "It runs on" in refusal or "is needed" in refusal

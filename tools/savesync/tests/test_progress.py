"""Bars on a terminal: they never share a line with the output, and nothing of them is left."""

import os
import pty
import re
import sys
from contextlib import suppress

import pytest

SHOWING = """
from gameshelf.savesync.output import SyncOutput
from gameshelf.savesync.progress import ShownProgress

out = SyncOutput()
with ShownProgress(out.talk) as progress:
    out.before = progress.clear
    bar = progress.transfer("uploading")
    bar.expect(3 * 1024)
    bar.advance(1024)
    progress._bars.refresh()
    progress.applied(1, 2)
    progress._bars.refresh()
    out.lines(["main: uploaded"])
    bar.advance(1024)
    progress.say("waiting")
    progress.transfer("downloading").expect(5)
    out.lines(["main: downloaded"])
"""
_STEP = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[\?[0-9;]*[a-z]|\r|\n|[^\x1b\r\n]+")


def screen(shown):
    """The lines that a terminal shows in the end."""
    lines, row, column = [""], 0, 0
    for step in _STEP.finditer(re.sub(r"\x1b\[[0-9;]*m", "", shown)):
        text = step[0]
        if text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif step[2] == "A":
            row -= int(step[1] or 1)
        elif step[2] == "K":
            lines[row] = ""
        elif not text.startswith("\x1b"):
            lines[row] = lines[row].ljust(column)[:column] + text + lines[row][column + len(text) :]
            column += len(text)
    return [line.rstrip() for line in lines if line.strip()]


@pytest.fixture(scope="module")
def shown():
    child, terminal = pty.fork()
    if not child:
        os.environ.update(TERM="xterm", COLUMNS="80")
        os.environ.pop("NO_COLOR", None)
        os.execv(sys.executable, [sys.executable, "-c", SHOWING])
    shown = b""
    with suppress(OSError):  # which is the end of a terminal
        while block := os.read(terminal, 65536):
            shown += block
    os.waitpid(child, 0)
    os.close(terminal)
    return shown.decode()


def test_output_stands_on_lines_of_its_own(shown):
    assert screen(shown) == ["main: uploaded", "waiting", "main: downloaded"]


def test_bytes_and_steps_have_units_of_their_own(shown):
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "1.0 KiB of 3.0 KiB" in text
    assert re.search(r"applying +\S+ 50 %", text)

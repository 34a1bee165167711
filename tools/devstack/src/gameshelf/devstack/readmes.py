"""Runs what a README shows."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

RunReadme = Callable[[Path, str | None], None]


def run_readme(readme: Path, dsn: str | None = None) -> None:
    """Runs all python blocks of a README, one after the other, as one program, as it stands.

    The program gets an empty database by ``POSTGRES_DSN``. What it prints has to be what the text blocks say. Raises
    AssertionError.
    """
    blocks = _BLOCK.findall(readme.read_text(encoding="utf-8"))
    code, printed = ("".join(text for kind, text in blocks if kind == wanted) for wanted in ("python", "text"))
    assert code, f"{readme} shows nothing"
    environment = {**os.environ, "POSTGRES_DSN": dsn} if dsn else dict(os.environ)
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert (run.stdout, run.stderr) == (printed, ""), f"{readme} prints:\n{run.stdout}{run.stderr}"

"""Which programs the servers run: those of wheels, or those of distributions that are used in production."""

import os
from pathlib import Path

from gameshelf.devstack.process import StartFailed

VARIABLE = "GAMESHELF_DEV_SERVERS"
"""``real``, or unset. A variable, so that the workers of a test run and the keeper of a stack agree."""
TOOLS = Path(__file__).parents[6] / ".local" / "tools"
"""Where ``.ci/real-servers`` puts what no package manager installs."""


def are_real() -> bool:
    """Returns whether PostgreSQL 15, Redis 7 and Kafka 4 are started, not the servers of wheels."""
    return os.environ.get(VARIABLE) == "real"


def choose_real() -> None:
    """Makes this process, and those that it starts, use the real ones."""
    os.environ[VARIABLE] = "real"


def installed(*candidates: Path) -> Path:
    """Returns the first of the files that exists. Raises StartFailed."""
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise StartFailed(f"{candidates[0]} is not installed: `.ci/real-servers` does it on Debian 12")

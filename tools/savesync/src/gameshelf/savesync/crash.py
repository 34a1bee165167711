"""Points at which a test ends this process, as a power cut would.

``GAMESHELF_CRASH=<point>`` kills the process there; ``GAMESHELF_CRASH=?<file>`` writes the name of every point that is
passed into the file, so that a test knows which there are. Without the variable a point costs one comparison.
"""

import os
import signal

VARIABLE = "GAMESHELF_CRASH"
_WANTED = os.environ.get(VARIABLE, "")


def crash_point(name: str) -> None:
    """Ends the process if a test asked for that."""
    if not _WANTED:
        return
    if _WANTED.startswith("?"):
        with open(_WANTED[1:], "a", encoding="utf-8") as passed:  # noqa: PTH123 - no Path is made for a line
            passed.write(f"{name}\n")
    elif name == _WANTED:
        if hasattr(signal, "SIGKILL"):
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(137)

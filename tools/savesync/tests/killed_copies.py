"""The reference client, copies of which are killed at the points that it passes.

Arguments: the folder of its state, the file of a version, and at every how many points. There this writes the name of
the point and how the copy has ended, and waits for a line: meanwhile the test recovers, compares, and puts the disk
back as the copy has left it.
So one run is enough for all points, where a run for each of them would do everything before it again.
"""

import os
import signal
import sys
from pathlib import Path

from gameshelf.savesync import apply, journal, reference_client


class KilledCopies:
    """What is called at each point."""

    def __init__(self, every: int) -> None:
        self._every, self._passed = every, 0

    def at(self, point: str) -> None:
        self._passed += 1
        if (self._passed - 1) % self._every:
            return
        copy = os.fork()
        if not copy:
            os.kill(os.getpid(), signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        print(point, code, flush=True)
        if not sys.stdin.readline():  # the test has failed
            sys.exit(1)


if __name__ == "__main__":
    copies = KilledCopies(int(sys.argv[3]))
    for module in (apply, journal, reference_client):
        module.crash_point = copies.at
    reference_client.run(Path(sys.argv[1]), Path(sys.argv[2]))

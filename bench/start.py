"""From the start of a process to ready, on a database that exists; beside the import of the same code.

The floor is a Python that imports the service. Readiness is asked over HTTP every 50 milliseconds.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping

from _stack import code_of, parser, report, started
from gameshelf.devstack.measurements import Figure

IMPORT = [sys.executable, "-c", "import gameshelf.gateway.main; print('imported', flush=True)"]


def import_seconds(environment: Mapping[str, str]) -> float:
    """Until the import is done; how long the interpreter takes to end does not count."""
    began = time.perf_counter()
    with subprocess.Popen(IMPORT, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took = time.perf_counter() - began
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, IMPORT)
    return took


def main() -> None:
    options = parser("start", __doc__, of_versions=True).parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed service has its bytecode
    environment = {**os.environ, **(code_of(options.checkout) if options.checkout else {})}
    import_seconds(environment)
    ready, imported = [], []
    with started(checkout=options.checkout) as stack:
        for _ in range(options.rounds):
            imported.append(import_seconds(environment))
            service = stack.platform.service()
            began = time.perf_counter()
            service.start()
            ready.append(time.perf_counter() - began)
            service.stop()
    report(
        (
            Figure(
                what="start to ready",
                unit="s",
                rounds=tuple(ready),
                floor_name="import of the code",
                floor=tuple(imported),
            ),
        ),
        options.json,
    )


if __name__ == "__main__":
    main()

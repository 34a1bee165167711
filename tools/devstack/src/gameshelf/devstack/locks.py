"""``./dev lock``: pins the versions that the .in files of 3rdparty/python allow."""

import shutil
import subprocess
from pathlib import Path

# Each lock with what it is made from. The first has all that runs together, and what is made with `-c lock.txt` is a
# part of it, in the same versions. The others are for tools that don't run beside our code: .ci/tools installs them.
LOCKS = {
    "lock.txt": ("run.in", "build.in", "devstack.in", "test.in"),
    "run-lock.txt": ("run.in", "-c", "lock.txt"),
    "build-lock.txt": ("build.in", "-c", "lock.txt"),
    "devstack-lock.txt": ("run.in", "build.in", "devstack.in", "-c", "lock.txt"),
    "docs-lock.txt": ("docs.in",),
    "clients-lock.txt": ("clients.in",),
}


def lock(folder: Path) -> int:
    """Writes all lock files; the exit code of the first that fails. Raises FileNotFoundError without uv."""
    uv = shutil.which("uv")
    if uv is None:
        raise FileNotFoundError("`./dev lock` needs uv: `pip install uv`")
    options = ["--generate-hashes", "--no-emit-index-url", "--universal", "--python-version", "3.11", "--no-annotate"]
    name = ["--custom-compile-command", "./dev lock"]
    for output, inputs in LOCKS.items():
        files = [*inputs, "--output-file", output]
        if failed := subprocess.call([uv, "pip", "compile", "--quiet", *options, *name, *files], cwd=folder):
            return failed
    return 0

"""The files of the public surface that a release keeps, so that later versions are compared with it (`.ci/surface`).

Committed files rather than tags: a clone may lack tags, and the comparison may not depend on them.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gameshelf.devstack.releasing.versions import Version

_BIN = Path(sys.executable).parent

PROTOS = Path("protos/released/protos.binpb")
"""An image of all .proto files, as buf makes it."""
OPENAPI = Path("services/gateway/released/openapi.json")
ACCEPTED = Path("services/gateway/released/accepted.txt")
"""Breaking changes since that release which are meant, a line each."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Files that follow from the version and from the code of one distribution, and what writes them."""

    always: Mapping[Path, Sequence[str]]
    """Of every version, those in development, too."""
    released: Mapping[Path, Sequence[str]]
    """Of a release alone."""


SURFACES: Mapping[str, Surface] = {
    "gameshelf-protos": Surface(
        always={Path("protos/asyncapi.json"): (sys.executable, "protos/asyncapi.py")},
        released={PROTOS: (str(_BIN / "buf"), "build", "--output", str(PROTOS))},
    ),
    "gameshelf-gateway": Surface(
        always={},
        released={
            OPENAPI: (sys.executable, "-m", "gameshelf.devstack.releasing.openapi", str(OPENAPI)),
            ACCEPTED: ("truncate", "--size=0", str(ACCEPTED)),
        },
    ),
}


def surface_of(name: str, version: Version) -> Mapping[Path, Sequence[str]]:
    """The files that a version of a distribution has to generate again, with the command of each."""
    surface = SURFACES.get(name)
    if surface is None:
        return {}
    return {**surface.always, **(surface.released if version.is_final else {})}


def write(root: Path, commands: Mapping[Path, Sequence[str]], refuse: Callable[[str], Exception]) -> None:
    """Runs the commands in the repository's root. Raises what ``refuse`` makes of a command's complaint."""
    for path, command in commands.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise refuse(f"{path} could not be written: {done.stderr.strip()[-500:]}")

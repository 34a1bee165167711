"""Generates the Python code of the .proto files: ``python protos/generate.py [OUTPUT]``.

The descriptors keep their names (``library/v1/…``); the imports are moved under ``gameshelf.protos``, so that the code
lives in a namespace of ours.
"""

import re
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).parent
PACKAGE = HERE / "src" / "gameshelf" / "protos"
_ROOTS = ("library", "external")
_IMPORT = re.compile(rf"^(from|import) ((?:{'|'.join(_ROOTS)})\.)", re.MULTILINE)


def generate(output: Path) -> list[Path]:
    """Writes the code of every .proto file under ``output``; the files it wrote."""
    sources = sorted(path.relative_to(HERE).as_posix() for root in _ROOTS for path in (HERE / root).rglob("*.proto"))
    options = [f"--{kind}_out={output}" for kind in ("python", "pyi", "grpc_python")]
    includes = [f"-I{HERE}", f"-I{files('grpc_tools') / '_proto'}"]
    if protoc.main(["protoc", *includes, *options, *sources]) != 0:
        raise SystemExit("protoc failed")
    written = [path for root in _ROOTS for path in sorted((output / root).rglob("*_pb2*.py*")) if path.suffix != ".pyc"]
    for path in written:
        path.write_text(_IMPORT.sub(r"\1 gameshelf.protos.\2", path.read_text()))
    return written


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE)

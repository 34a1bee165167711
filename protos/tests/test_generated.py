"""The generated code is what the .proto files make, and the .proto files keep to their rules."""

import importlib.util
import subprocess
import sys
from pathlib import Path

PROTOS = Path(__file__).parents[1]


def test_the_committed_code_is_what_the_generator_makes(tmp_path):
    spec = importlib.util.spec_from_file_location("generate", PROTOS / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    written = generate.generate(tmp_path)
    assert written
    for path in written:
        committed = generate.PACKAGE / path.relative_to(tmp_path)
        assert committed.read_text() == path.read_text(), f"run `python protos/generate.py`: {committed} is out of date"


def test_the_proto_files_are_clean():
    buf = Path(sys.executable).with_name("buf")
    done = subprocess.run([buf, "lint"], cwd=PROTOS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

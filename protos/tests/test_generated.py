"""The generated code is what the .proto files make, and the .proto files keep to their rules."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

PROTOS = Path(__file__).parents[1]


def load(name):
    """A program of the folder, as a module."""
    spec = importlib.util.spec_from_file_location(name, PROTOS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_the_committed_code_is_what_the_generator_makes(tmp_path):
    generate = load("generate")
    written = generate.generate(tmp_path)
    assert written
    for path in written:
        committed = generate.PACKAGE / path.relative_to(tmp_path)
        assert committed.read_text() == path.read_text(), f"run `python protos/generate.py`: {committed} is out of date"


def test_the_proto_files_are_clean():
    buf = Path(sys.executable).with_name("buf")
    done = subprocess.run([buf, "lint"], cwd=PROTOS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_committed_asyncapi_document_is_what_the_generator_makes():
    asyncapi = load("asyncapi")
    assert asyncapi.OUTPUT.read_text(encoding="utf-8") == asyncapi.text(), "run `python protos/asyncapi.py`"


def test_every_event_and_device_message_is_in_the_asyncapi_document():
    document = json.loads((PROTOS / "asyncapi.json").read_text(encoding="utf-8"))
    named = {message["name"] for message in document["components"]["messages"].values()}
    assert named == {path.stem for path in PROTOS.glob("schemas/*/*.json")}
    sent = [message for operation in document["operations"].values() for message in operation["messages"]]
    assert len(sent) == len(named)

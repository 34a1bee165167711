"""The client has what the OpenAPI document has."""

import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from gameshelf.client import LibraryClient
from gameshelf.client.groups import CallGroup
from gameshelf.devstack.releasing import openapi

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "gameshelf" / "client"


@pytest.fixture(scope="module")
def document():
    return json.loads(openapi.text())


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_client", ROOT / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_types_and_calls_are_those_of_the_document(document, generator, tmp_path):
    """If not: python clients/python/generate.py"""
    generator.generate(document, tmp_path)
    for name in ("schemas.py", "operations.py", "messages.py"):
        assert (tmp_path / name).read_text() == (PACKAGE / name).read_text(), name


async def test_every_operation_is_a_method_of_the_client(document):
    client = LibraryClient("http://127.0.0.1/api/v1/library", "token")
    groups = [one for one in vars(client).values() if isinstance(one, CallGroup)]
    methods = {name for group in groups for name, _ in inspect.getmembers(group, callable) if not name.startswith("_")}
    operations = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    assert operations - methods == set()
    await client.aclose()


def test_a_game_imports_no_more_than_it_needs():
    """The types are for who writes the game; the WebSocket is imported with its first connection."""
    code = "import sys, gameshelf.client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    not_needed = {"gameshelf.client.schemas", "gameshelf.client.messages", "websockets", "pydantic"}
    assert not_needed & set(done.stdout.split()) == set()

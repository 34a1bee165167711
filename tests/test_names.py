"""Names of tests are short, and the gateway's tests stand where what they test stands."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST = 69
GATEWAY = ROOT / "services/gateway"
SOURCE = GATEWAY / "src/gameshelf/gateway"


def test_names_of_tests_are_under_70_characters():
    # Environments and tools are in folders whose names begin with a point.
    files = (path for path in ROOT.rglob("test_*.py") if not re.search(r"/\.", f"/{path.relative_to(ROOT)}"))
    too_long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name) > LONGEST
    ]
    assert too_long == []


def test_the_gateways_tests_mirror_its_source():
    """A folder for each domain and each part of the runtime; ``process`` is about the service as a whole."""
    folders = {path.parent.relative_to(GATEWAY / "tests") for path in GATEWAY.glob("tests/**/test_*.py")}
    others = {folder for folder in folders if folder.parts and not (SOURCE / Path(*folder.parts[:2])).is_dir()}
    assert {folder.parts[0] for folder in others} <= {"process"}
    assert {path.name for path in GATEWAY.glob("tests/test_*.py")} == {
        "test_adding_a_domain.py",
        "test_docs_pages.py",
    }

"""Names of tests are short, and the gateway's tests stand where what they test stands."""

import ast
import os
import re
from pathlib import Path

from gameshelf.devstack.source_tree import parse_source

ROOT = Path(__file__).parents[1]
LONGEST = 69
GATEWAY = ROOT / "services/gateway"
SOURCE = GATEWAY / "src/gameshelf/gateway"


def test_names_of_tests_are_under_70_characters():
    too_long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in _files_of_tests()
        for node in ast.walk(parse_source(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name) > LONGEST
    ]
    assert too_long == []


def _files_of_tests():
    for folder, folders, files in os.walk(ROOT):
        # Environments, images and tools are in folders whose names begin with a point: not to be walked through.
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in files if re.fullmatch(r"test_.*\.py", name))


def test_the_gateways_tests_mirror_its_source():
    """A folder for each domain and each part of the runtime; ``process`` is about the service as a whole."""
    folders = {path.parent.relative_to(GATEWAY / "tests") for path in GATEWAY.glob("tests/**/test_*.py")}
    others = {folder for folder in folders if folder.parts and not (SOURCE / Path(*folder.parts[:2])).is_dir()}
    assert {folder.parts[0] for folder in others} <= {"process"}
    assert {path.name for path in GATEWAY.glob("tests/test_*.py")} == {
        "test_adding_a_domain.py",
        "test_docs_pages.py",
    }


SAME_EVERYWHERE = {"DeviceId", "Language", "Platform", "Titles"}
"""Aliases of types that mean the same in each package, which does not import the others."""
ON_PURPOSE = {
    "Connection",  # of asyncpg; libctl needs no package of the service
    "ProductAlreadyOwned",  # one code, which the wishlist raises as the library does
}


def test_a_public_name_means_one_thing():
    """Classes and aliases of modules, in all packages, the service and the tools."""
    places: dict[str, set[str]] = {}
    for path in ROOT.glob("*/*/src/**/*.py"):
        # What is generated from the .proto files and from the OpenAPI document has the names that those have.
        is_generated = "_pb2" in path.name or path.match("client/schemas.py") or path.match("client/messages.py")
        if "versions" in path.parts or is_generated:
            continue
        for node in parse_source(path.read_text(encoding="utf-8")).body:
            for name in _defined(node):
                places.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    several = {name: sorted(files) for name, files in places.items() if len(files) > 1}
    assert {name: files for name, files in several.items() if name not in SAME_EVERYWHERE | ON_PURPOSE} == {}


def _defined(node):
    if isinstance(node, ast.ClassDef):
        names = [node.name]
    elif isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    else:
        names = [node.target.id] if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else []
    # Constants are in capitals, and type variables are one letter.
    return [name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name)]

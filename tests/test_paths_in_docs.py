"""Pages name files and folders that exist, and every package and every folder of the gateway is named."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GATEWAY = ROOT / "services/gateway/src/gameshelf/gateway"
TOPS = ("build-support", "packages", "services", "tools", "tests", "bench", "docs", "protos", "examples")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(set((ROOT / "docs").glob("*.md")) - {ROOT / "docs" / "adding-a-domain.md"}),  # which makes a folder
    *sorted(ROOT.glob("*/*/README.md")),
]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w<*][\w<>*.-]*(?:/[\w<>*.-]+)*(?:/|\.(?:py|md|toml|json|proto|svg|ya?ml)))`")
ELSEWHERE = {"staging/", "libctl/profiles.toml", "configs/library_config.yaml"}
"""Not in the repository: a prefix of keys in a bucket, and files of users and operators."""


@cache
def tree():
    """Returns the paths of all files and folders as lines, folders with a slash at the end. Private modules stand there
    without their underscore, which pages leave out.
    """
    there = [*ROOT.iterdir(), *(path for top in TOPS for path in (ROOT / top).rglob("*"))]
    lines = ("/" + str(path.relative_to(ROOT)) + ("/" if path.is_dir() else "") for path in there)
    return "\n".join(line.replace("/_", "/") for line in lines if "__pycache__" not in line)


def is_there(name):
    pattern = re.sub(r"\\?<\w+\\?>|\\\*", "[^/\n]+", re.escape(name.replace("/_", "/").removeprefix("_")))
    return re.search(f"/{pattern}$", tree(), re.MULTILINE) is not None


def test_a_path_is_found_by_its_end():
    assert is_there("runtime/http/app.py")
    assert is_there("domains/<domain>/rest.py")
    assert is_there("runtime/*/")
    assert not is_there("runtime/http/gone.py")
    assert not is_there("p.py")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_is_there(page):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    assert {name for name in NAMED.findall(text) if name not in ELSEWHERE and not is_there(name)} == set()


def test_every_package_is_named():
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/architecture.md"))
    packages = [str(path.parent.relative_to(ROOT)) for path in ROOT.glob("*/*/pyproject.toml")]
    assert len(packages) > 8
    assert {name for name in packages if name not in text} == set()


def test_every_folder_of_the_gateway_is_named():
    text = (ROOT / "services/gateway/README.md").read_text(encoding="utf-8")
    folders = [
        str(path.relative_to(GATEWAY))
        for pattern in ("domains/*/", "runtime/**/")
        for path in GATEWAY.glob(pattern)
        if path.is_dir() and path.name not in ("__pycache__", "runtime", "versions")
    ]
    assert len(folders) > 20
    assert {name for name in folders if f"`{name}/`" not in text} == set()

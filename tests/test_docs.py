"""What the documents point at is there, and what the README shows still works."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    gone = [link for link in LINK.findall(text) if "://" not in link and not (page.parent / link).exists()]
    assert not gone


def test_every_page_of_the_docs_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = {link.partition("/")[0] for link in LINK.findall(index)}
    there = {path.name for path in (ROOT / "docs").iterdir() if path.suffix == ".md" or path.is_dir()} - {"README.md"}
    assert there <= listed

"""Every page of the docs has a place in the navigation of the site that `.ci/docs` builds."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = set(re.findall(r"[a-z-]+(?:/[A-Za-z-]+)*\.md", navigation)) | {"README.md"}
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    # Decisions are added by build-support/docs/hooks.py.
    assert {page for page in pages if not page.startswith("decisions/")} - listed == set()

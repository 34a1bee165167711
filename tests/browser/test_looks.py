"""Each page in each width and theme: it fits, axe finds nothing, and pictures are taken."""

import asyncio
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

AXE = Path(__file__).parents[2] / ".local" / "tools" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = os.environ.get("GAMESHELF_PICTURES")
WIDTHS = (400, 1000, 1600)
PAGES = ("home", "library", "game", "wishlist", "family")
KEPT = {("home", 1000, "light"), ("home", 400, "dark"), ("library", 1600, "light"), ("game", 1000, "dark")}
"""The pictures that the documents show."""
_FINDINGS = """
axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations
  .map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map((one) => one.html + one.failureSummary).join("; ")}`))
"""
_CONFLICTING = "document.querySelector('.attention a')?.hash"


@pytest.fixture
async def window(open_window):
    made = await open_window("?player=anna")
    await made.run("localStorage.removeItem('gameshelf:theme')")
    return made


async def visit(window, page):
    if page == "game":
        await window.run("location.hash = '#/home'")
        await window.until(_CONFLICTING)
        await window.run(f"location.hash = {_CONFLICTING}")
        await window.until("document.querySelector('.conflict')")
    else:
        await window.run(f"location.hash = '#/{page}'")
    await window.until("document.querySelector('main:not([aria-busy]) :is(h1, h2)')")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
async def test_a_page_fits_each_window_and_is_accessible(window, page, theme):
    if not AXE.exists():
        pytest.skip("NOT RUN: there is no axe-core; .ci/browser installs it")
    await window.prefer(theme)
    await visit(window, page)
    await window.run(AXE.read_text(encoding="utf-8") + "; true")
    for width in WIDTHS:
        await window.resize(width)
        await window.until(f"innerWidth === {width}")
        assert await window.run("document.documentElement.scrollWidth") <= width
        assert await window.run(_FINDINGS) == []
        if PICTURES and ((page, width, theme) in KEPT or os.environ.get("GAMESHELF_ALL_PICTURES")):
            await asyncio.sleep(0.3)  # covers that have just come into view are drawn
            folder = Path(PICTURES)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{page}-{width}-{theme}.webp").write_bytes(await window.picture())

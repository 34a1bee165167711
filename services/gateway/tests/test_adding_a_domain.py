"""The example domain of ``docs/adding-a-domain.md`` is built as the page says, and served."""

import asyncio
import re
import sys
from pathlib import Path
from uuid import uuid4

import gameshelf.gateway.domains as domains
import httpx
import pytest
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.runtime.composition import compose
from gameshelf.gateway.wiring import build

PAGE = Path(__file__).parents[3] / "docs/adding-a-domain.md"
NAME = "gameshelf.gateway.domains.screenshots"
FILE = re.compile(r"^`([\w/]+\.py)`\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def screenshots(tmp_path, monkeypatch):
    """The folder of the page, as if it lay beside those of the other domains."""
    files = FILE.findall(PAGE.read_text(encoding="utf-8"))
    for name, text in files:
        path = tmp_path / "screenshots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(domains, "__path__", [*domains.__path__, str(tmp_path)])
    yield __import__(NAME, fromlist=["DOMAIN"])
    for module in [one for one in sys.modules if one.startswith(NAME)]:
        del sys.modules[module]
    del domains.screenshots


async def test_the_domain_of_the_page_is_served_and_erased(screenshots, platform, service, player):
    composition = compose((*domains.DOMAINS, screenshots.DOMAIN))
    await asyncio.to_thread(screenshots.DOMAIN.migrations.upgrade, platform.dsn)
    gateway = await build(load_settings(platform.service(LIBRARY_SERVICE_ROLES="api").environment), composition)
    headers = {"Authorization": f"Bearer {player.token}"}
    transport = httpx.ASGITransport(app=gateway.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        sent = {"product_id": str(uuid4()), "caption": "The last door"}
        added = await client.post("/api/v1/library/screenshots", json={"data": {"attributes": sent}})
        listed = await client.get("/api/v1/library/screenshots")
        document = await client.get("/api/v1/openapi.json")
    [erase] = gateway.instances[-1].erasing.rows
    async with gateway.acquire() as connection:
        erased = [await erase(connection, player.id, 10) for _ in range(2)]
        await connection.execute("DROP SCHEMA screenshots CASCADE")
    await gateway.close()

    assert added.status_code == 201, added.text
    assert listed.json()["data"] == [added.json()["data"]]
    assert added.json()["data"]["attributes"].items() >= sent.items()
    assert "/api/v1/library/screenshots" in document.json()["paths"]
    assert erased == [True, False]

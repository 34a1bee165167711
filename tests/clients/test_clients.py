"""Clients that are generated from the OpenAPI document have a class for each resource, and call a service."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PURCHASE = "com.platform.payment.purchase.completed.v1"

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def platform(create_platform, s3):
    """A platform with a bucket."""
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def document(service):
    return httpx.get(f"{service.url}/api/v1/openapi.json").json()


@pytest.fixture(scope="module")
def clients(document, tmp_path_factory):
    """The folder with both clients. CI has to have Node; elsewhere its absence is no mistake."""
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("Node and npm are needed to generate the TypeScript client")
    folder = tmp_path_factory.mktemp("clients")
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    command = [ROOT / ".ci" / "clients", folder / "openapi.json", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
async def bought(platform, service):
    """A player's token and the game that they own."""
    user, product = uuid4(), uuid4()
    data = {"userId": str(user), "orderId": "order", "items": [{"productId": str(product)}]}
    await publish(platform.kafka.address, [CloudEvent(PURCHASE, data)])
    token = platform.token(user)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=service.url, headers=headers) as client, asyncio.timeout(PATIENCE_SECONDS):
        while not (await client.get("/api/v1/library/items")).json()["data"]:
            await asyncio.sleep(0.05)
    return token, str(product)


def called(command, service, bought):
    token, product = bought
    done = subprocess.run(
        [*map(str, command), service.url, token, product], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expected(product):
    return {
        "product_id": product,
        "acquisition_type": "purchase",
        "category": "Puzzles",
        "is_hidden": True,
        "hidden": [product],
        "absent": "LIBRARY_ITEM_NOT_FOUND",
        "refused": True,
        "saved": {
            "result": "head",
            "file_count": 2,
            "is_loaded": True,
            "paths": ["saves/one.dat", "saves/мир/two.dat"],
            "plan": ["download"],
        },
    }


async def test_the_generated_python_client_calls_the_service(clients, service, bought):
    python = ROOT / ".local" / "tools" / "clients" / "bin" / "python"
    command = ["env", f"PYTHONPATH={clients / 'python'}", python, HERE / "calls.py"]
    assert called(command, service, bought) == expected(bought[1])


async def test_the_generated_typescript_client_calls_the_service(clients, service, bought):
    command = ["node", clients / "typescript" / "compiled" / "calls.js"]
    assert called(command, service, bought) == expected(bought[1])


def test_the_python_client_has_a_class_for_each_component(clients, document):
    models = (clients / "python" / "gameshelf_client" / "models" / "__init__.py").read_text(encoding="utf-8")
    classes = set(re.findall(r"^from \.\w+ import (\w+)$", models, re.MULTILINE))
    schemas = document["components"]["schemas"]
    described = {name for name, schema in schemas.items() if "properties" in schema or "enum" in schema}
    assert described - classes == set()
    # A schema without a name of its own would be named after the call that answers it.
    assert {name for name in classes if re.search(r"Response\d", name)} == set()


def test_every_call_of_the_document_is_in_the_python_client(clients, document):
    calls = {call["operationId"] for path in document["paths"].values() for call in path.values()}
    assert calls == {path.stem for path in (clients / "python" / "gameshelf_client" / "api").glob("*/*.py")} - {
        "__init__"
    }

"""The TypeScript client calls a real service, through a proxy that breaks its connections.

Its tests are Node's, in clients/typescript/tests; here is what they need around them: the service, tokens, purchases.
"""

import asyncio
import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from runpy import run_path
from uuid import uuid4

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "typescript"
PURCHASE = "com.platform.payment.purchase.completed.v1"
PRODUCT = "com.platform.catalog.product.updated.v1"
TESTS = sorted(path.name.removesuffix(".test.ts") for path in (CLIENT / "tests" / "service").glob("*.test.ts"))


def test_the_generated_files_are_those_of_the_documents():
    """``python clients/typescript/generate.py`` writes them."""
    expected = run_path(str(CLIENT / "generate.py"))["files"]()
    folder = CLIENT / "src" / "generated"
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == expected


def test_the_lock_file_names_no_address():
    lock = (CLIENT / "package-lock.json").read_text(encoding="utf-8")
    assert "integrity" in lock
    assert "://" not in lock


def test_the_game_in_the_documentation_is_the_one_that_runs():
    page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    game = (CLIENT / "examples" / "game.ts").read_text(encoding="utf-8")
    assert len(game.splitlines()) <= 40
    assert f"```ts\n{game}```" in page


class Bed:
    """Does for the tests, by HTTP, what only this side can do."""

    def __init__(self, platform, service):
        self.platform, self.service = platform, service

    def player(self):
        user, product = str(uuid4()), str(uuid4())
        self.purchase(user, [product])
        token = self.platform.token(user)
        headers = {"Authorization": f"Bearer {token}"}
        wait_for(lambda: httpx.get(f"{self.service.url}/api/v1/library/items", headers=headers).json()["data"])
        return {"user": user, "product": product, "token": token}

    def token(self, user, seconds):
        return {"token": self.platform.issuer.issue(user, ttl=seconds)}

    def purchase(self, user, products):
        data = {"userId": user, "orderId": str(uuid4()), "items": [{"productId": product} for product in products]}
        return self.publish(CloudEvent(PURCHASE, data))

    def name(self, product, achievement):
        names = {"ru": achievement, "en": achievement}
        data = {
            "productId": product,
            "newTitle": names,
            "achievements": [{"id": str(uuid4()), "apiName": achievement, "name": names}],
        }
        return self.publish(CloudEvent(PRODUCT, data))

    def publish(self, event):
        asyncio.run(publish(self.platform.kafka.address, [event]))
        return {}

    def restart(self):
        self.service.stop()
        self.service.start(outlives_test=True)
        return {}


def serving(testbed):
    """An HTTP server whose ``POST /name`` calls that method of the testbed."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, getattr(testbed, self.path.strip("/"))(**body)
            except Exception as error:  # shown by the test that has asked
                status, answer = 500, {"error": repr(error)}
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments):
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture(scope="module")
def platform(create_platform, s3):
    """A platform with a bucket."""
    made = create_platform(s3=s3)
    yield made
    made.close()


@pytest.fixture(scope="module")
def built():
    """The folder of the compiled tests. CI has to have Node; elsewhere its absence is no mistake."""
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("Node and npm are needed to test the TypeScript client")
    done = subprocess.run([ROOT / ".ci" / "typescript", "build"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return CLIENT / "build" / "tests" / "service"


@pytest.fixture(scope="module")
def variables(platform):
    service = platform.service(PLAYTIME_HEARTBEAT_INTERVAL_SECONDS="1", PLAYTIME_SESSION_TIMEOUT_SECONDS="5")
    service.start(outlives_test=True)
    server = serving(Bed(platform, service))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    testbed = f"http://127.0.0.1:{server.server_address[1]}"
    addresses = {
        "GAMESHELF_SERVICE": service.url,
        "GAMESHELF_STORE": platform.store["S3_ENDPOINT"],
        "GAMESHELF_TESTBED": testbed,
    }
    yield {**os.environ, **addresses}
    server.shutdown()
    service.kill()


@pytest.mark.long
@pytest.mark.parametrize("name", TESTS)
def test_the_client_calls_the_service(built, variables, name):
    """One file of tests after the other, since some restart the service."""
    command = ["node", "--experimental-websocket", "--test", built / f"{name}.test.js"]
    patience = 4 * PATIENCE_SECONDS  # Node's own --test-timeout is that of the whole file
    done = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=patience, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 0\n" not in done.stdout

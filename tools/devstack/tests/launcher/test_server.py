"""The launcher's server: what it answers, and whom it refuses."""

import httpx
import pytest
from gameshelf.devstack.launcher.server import DemoRefused, LauncherServer
from gameshelf.devstack.process import StartFailed
from gameshelf.devstack.servers.base import free_port


def buy(body):
    if body.get("product_id") != "game":
        raise DemoRefused("product_id: a game is expected")
    return {"bought": body["product_id"]}


@pytest.fixture
def server():
    made = LauncherServer(free_port())
    made.start({"X-Policy": "strict"}, lambda _: {"players": ["Анна"]}, {"/demo/buy": buy})
    yield made
    made.stop()


def post(server, body, path="/demo/buy", **headers):
    return httpx.post(server.url + path, content=body, headers={"Content-Type": "application/json", **headers})


def test_the_page_and_its_configuration(server):
    page = httpx.get(server.url)
    assert (page.status_code, page.headers["X-Policy"]) == (200, "strict")
    assert "<title>gameshelf</title>" in page.text
    assert httpx.get(server.url + "/demo/config").json() == {"players": ["Анна"]}
    assert httpx.get(server.url + "/?player=vera").status_code == 200
    assert httpx.get(server.url + "/none.js").status_code == 404


def test_a_button_is_answered_or_says_what_is_wrong(server):
    assert post(server, '{"product_id": "game"}').json() == {"bought": "game"}
    for body, complaint in (
        ("{}", "product_id: a game is expected"),
        ("[]", "the body has to be an object"),
        ("{", "the body is no JSON"),
        (b"\xff", "the body is no JSON"),
        ("x" * 10_001, "a body of up to 10000 bytes is expected"),
    ):
        refused = post(server, body)
        assert (refused.status_code, refused.json()) == (400, {"error": complaint})
    assert post(server, "{}", "/demo/none").status_code == 404


def test_pages_of_other_sites_can_do_nothing(server):
    port = server.url.rpartition(":")[2]
    # A form or a fetch of another page has one of these types, or a preflight that is refused.
    assert post(server, '{"product_id": "game"}', **{"Content-Type": "text/plain"}).status_code == 400
    assert httpx.options(server.url + "/demo/buy").status_code == 501
    assert "Access-Control-Allow-Origin" not in post(server, '{"product_id": "game"}').headers
    # A name that leads to this machine by a trick of DNS.
    assert post(server, '{"product_id": "game"}', Host=f"evil.example:{port}").status_code == 400
    assert httpx.get(server.url, headers={"Host": f"evil.example:{port}"}).status_code == 400
    assert httpx.get(server.url, headers={"Host": f"localhost:{port}"}).status_code == 200


def test_a_taken_port_is_named(server):
    with pytest.raises(StartFailed, match="can't be bound"):
        LauncherServer(int(server.url.rpartition(":")[2])).start({}, dict, {})

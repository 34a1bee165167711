"""Which files of the launcher's folder are served."""

import pytest
from gameshelf.devstack.launcher.pages import FOLDER, headers_of, page_file


def test_the_page_and_all_that_it_imports_are_there():
    kind, body = page_file(FOLDER, "/")
    assert kind == "text/html; charset=utf-8"
    assert b"src/main.js" in body
    assert page_file(FOLDER, "/src/main.js")[0] == "text/javascript; charset=utf-8"
    assert page_file(FOLDER, "/vendor/client/index.js")


@pytest.mark.parametrize(
    "path",
    [
        "/../play.py",
        "/..%2fplay.py",
        "/src/../../play.py",
        "/src",
        "/none.js",
        "/package.json",
        "/a%00.js",
        "//etc/passwd",
    ],
)
def test_nothing_else_is_served(path):
    assert page_file(FOLDER, path) is None


def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path):
    (tmp_path / "secret.js").write_text("1")
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "link.js").symlink_to(tmp_path / "secret.js")
    assert page_file(folder, "/link.js") is None


def test_no_script_or_style_stands_in_the_document():
    """The policy would refuse it."""
    _, body = page_file(FOLDER, "/index.html")
    assert b"style=" not in body
    assert b"<style" not in body
    assert body.count(b"<script") == body.count(b'<script type="module" src=') == 1


def test_the_policy_names_the_service_its_socket_and_the_store():
    policy = headers_of("http://api:1", "http://store:2", "http://pictures:3")["Content-Security-Policy"]
    assert "connect-src 'self' http://api:1 ws://api:1 http://store:2;" in policy
    assert "img-src 'self' http://pictures:3;" in policy
    assert "unsafe" not in policy

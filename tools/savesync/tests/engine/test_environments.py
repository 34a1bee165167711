"""What a machine may have: proxies, hotspots, code pages, and tokens that a launcher renews."""

import io
import json
import sys
from importlib.util import find_spec

import pytest
from gameshelf.savesync import cli
from gameshelf.savesync.errors import ServiceAway
from gameshelf.savesync.output import SyncOutput


@pytest.fixture
def deck(commands_on):
    return commands_on("deck")


@pytest.mark.parametrize("proxy", ["socks4://127.0.0.1:1", "socks5://127.0.0.1:1"])
async def test_a_proxy_that_cannot_be_used_is_named(monkeypatch, proxy):
    """spec-kit#237, torrra#28: it was a traceback; without a network the game can be played."""
    if proxy.startswith("socks5") and find_spec("socksio"):
        pytest.skip("this environment can use it")
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ServiceAway, match=r"the proxy of this machine cannot be used: .*NO_PROXY"):
        async with cli._connections():
            pass


def test_names_that_a_pipe_cannot_hold_are_escaped(monkeypatch):
    """pipenv#5929, code42cli#338: the synchronisation was done, and the command failed."""
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe, encoding="cp1252"))
    out = SyncOutput()
    out.lines(["a link is not followed: /Мир/é.sav"])
    out.history([])
    sys.stdout.flush()
    shown = pipe.getvalue().decode("cp1252")
    assert shown.startswith("a link is not followed: /\\u041c\\u0438\\u0440/é.sav\n")


def test_a_token_in_a_file_is_looked_at_before_it_is_sent(deck, service, tmp_path):
    (deck.saves / "a.sav").write_text("one")
    file = tmp_path / "token"
    variables = {"LIBRARY_TOKEN": None, "LIBRARY_TOKEN_FILE": str(file)}
    assert "No such file" in deck("sync", env=variables).stderr
    file.write_text("")
    assert f"{file} is empty" in deck("sync", env=variables).stderr
    file.write_text("two words")
    refused = deck("sync", env=variables)
    assert (refused.exit_code, "two words" in refused.stderr) == (2, False)
    assert service.requests == []
    file.write_text("token\n")
    assert deck("sync", "--now", env=variables).exit_code == 0


def test_behind_a_hotspot_the_game_can_be_played(deck, service, monkeypatch):
    (deck.saves / "a.sav").write_text("one")
    assert deck("sync", "--now").exit_code == 0
    (deck.saves / "a.sav").write_text("two")

    async def hotspot(_service, _scope, _receive, send):
        head = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"<html>Log in</html>"})

    with monkeypatch.context() as network:
        network.setattr(type(service), "__call__", hotspot)
        away = deck("sync", "--intent", "launch", "--json")
    said = json.loads(away.stdout)
    assert (away.exit_code, said["queued"]) == (4, 1)
    assert "this network answers instead of it" in said["deferred"]
    assert "main: uploaded, version 2" in deck("sync", "--intent", "launch").stdout

"""The commands beside a running stack: their output, and their errors."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import jwt
import pytest
from gameshelf.devstack import demo
from gameshelf.devstack.environment import differing, forget_settings, setting_names, settings_asked_for
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.configuration import FIELDS

PURCHASE = "com.platform.payment.purchase.completed.v1"


def settings_of(dev):
    return dict(line.split("=", 1) for line in shlex.split(dev.run("env").stdout))


@pytest.mark.long
def test_what_the_welcome_says_works_as_it_stands_in_a_new_shell(running):
    welcome = running.run("up", COLUMNS="80").stderr
    assert any(line.startswith("eyJ") and len(line.split(".")) == 3 for line in welcome.splitlines())
    typed = [line for line in welcome.splitlines()[welcome.splitlines().index("ready") :] if line.startswith("  ")]
    commands = typed[[line.startswith("  cd ") for line in typed].index(True) :]
    # A shell that knows no more than a new terminal does, and no home folder.
    shell = subprocess.run(
        ["sh", "-eux"],
        input="\n".join(commands),
        env={"PATH": os.environ["PATH"]},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert shell.returncode == 0, shell.stderr
    assert '"title"' in shell.stdout
    assert "may play" in shell.stdout


@pytest.mark.long
def test_nothing_is_written_to_the_home_folder(running):
    assert running.run("token", "--user", str(demo.ANNA)).returncode == 0
    assert list(Path(running.environment["HOME"]).iterdir()) == []


@pytest.mark.long
async def test_the_settings_lead_to_the_servers(running):
    connection = await asyncpg.connect(settings_of(running)["POSTGRES_DSN"])
    assert await connection.fetchval("SELECT count(*) FROM library.products") >= 40
    await connection.close()


@pytest.mark.long
@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:3000", "tauri://localhost", "own"])
async def test_pages_of_development_servers_may_call(running, origin):
    url = f"http://127.0.0.1:{running.environment['LIBRARY_SERVICE_HTTP_PORT']}"
    origin = url if origin == "own" else origin
    async with httpx.AsyncClient() as client:
        ask = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        answer = await client.options(f"{url}/api/v1/library/items", headers=ask)
    assert answer.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.long
def test_up_with_other_settings_beside_a_running_stack_says_so(running):
    for arguments, environment, named in (
        ((), {"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL"),
        ((), {"SAVEGAME_TRASH_DAYS": "5"}, "SAVEGAME_TRASH_DAYS"),
        (("--origin", "http://localhost:9999"), {}, "CORS_ALLOWED_ORIGINS"),
    ):
        refused = running.run("up", *arguments, **environment)
        assert refused.returncode == 1
        assert named in refused.stderr
        assert "./dev down" in refused.stderr
        assert "ready" not in refused.stderr.replace("already", "")
    same = running.run("up", "--origin", "http://localhost:5173", LOG_LEVEL="INFO")
    assert same.returncode == 0, same.stderr


def test_the_settings_are_those_of_the_service():
    assert set(setting_names()) == set(FIELDS)


def test_the_tests_ignore_what_a_shell_took_over_from_a_stack():
    variables = {"LOG_LEVEL": "DEBUG", "POSTGRES_DSN": "x", "LIBRARY_API": "x", "LIBCTL_ENDPOINT": "x", "PATH": "/bin"}
    forget_settings(variables)
    assert variables == {"PATH": "/bin"}


def test_origins_add_to_those_of_the_service_and_of_development(monkeypatch):
    allowed = {"CORS_ALLOWED_ORIGINS": "http://localhost:5173,https://a.example"}
    assert differing({"CORS_ALLOWED_ORIGINS": "https://a.example"}, allowed) == []
    assert differing({"LOG_LEVEL": "DEBUG"}, {"LOG_LEVEL": "INFO"}) == ["LOG_LEVEL"]
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "https://a.example")
    assert settings_asked_for(["null"])["CORS_ALLOWED_ORIGINS"] == "https://a.example,null"


@pytest.mark.long
def test_status_names_every_part_as_a_table_and_as_json(running):
    names = {"postgresql", "valkey", "kafka", "s3", "service"}
    assert {part["name"] for part in running.status()} == names
    for width in ("80", "120"):
        table = running.run("status", COLUMNS=width)
        assert table.returncode == 0
        assert all(name in table.stdout for name in names)


@pytest.mark.long
def test_a_token_has_the_role_user_unless_others_are_given(running):
    user = str(uuid4())
    claims = jwt.decode(running.run("token", "--user", user).stdout.strip(), options={"verify_signature": False})
    assert (claims["sub"], claims["roles"]) == (user, ["user"])
    token = running.run("token", "--user", user, "--role", "service", "--role", "admin", "--ttl", "60").stdout.strip()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["roles"] == ["service", "admin"]
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.long
async def test_what_is_published_arrives(running):
    user, game = str(uuid4()), str(uuid4())
    data = {"userId": user, "orderId": "o", "items": [{"productId": game}]}
    published = running.run("publish", PURCHASE, json.dumps(data))
    assert published.returncode == 0, published.stderr
    token = running.run("token", "--user", user).stdout.strip()
    url = f"http://127.0.0.1:{running.environment['LIBRARY_SERVICE_HTTP_PORT']}/api/v1/library/items"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        for _ in range(100):
            if items := (await client.get(url)).json()["data"]:
                break
    assert items[0]["attributes"]["product_id"] == game


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "--user", "anna"), "--user"),
        (("token", "--user", str(uuid4()), "--role", "king"), "--role"),
        (("token", "--user", str(uuid4()), "--ttl", "0"), "--ttl"),
        (("publish", "com.platform.payment.purchase.complete.v1", "{}"), PURCHASE),
        (("publish", PURCHASE, "{"), "JSON"),
        (("publish", PURCHASE, "[]"), "object"),
        (("bench", "nothing"), "library"),
        (("up", "--origin", "http://localhost:5173/app"), "--origin"),
    ],
)
def test_a_mistake_is_named(running, arguments, said):
    refused = running.run(*arguments)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not refused.stdout


@pytest.mark.parametrize("command", ["up", "down", "status", "test", "token", "publish", "env", "bench"])
def test_every_command_says_what_it_does(dev, command):
    help_text = dev.run(command, "--help", COLUMNS="80")
    assert help_text.returncode == 0
    assert "usage:" in help_text.stdout
    assert max(map(len, help_text.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", [("env",), ("token", "--user", str(uuid4())), ("publish", PURCHASE, "{}")])
def test_without_a_stack_a_command_says_how_to_start_one(dev, command):
    refused = dev.run(*command)
    assert refused.returncode != 0 or command[0] == "token"
    if refused.returncode:
        assert "./dev up" in refused.stderr


def test_without_a_stack_there_is_nothing_to_stop(dev):
    assert dev.run("down").returncode == 0
    assert dev.run("status").returncode == 3


@pytest.fixture(scope="module")
def anna(running):
    """Anna's answers."""
    url = f"http://127.0.0.1:{running.environment['LIBRARY_SERVICE_HTTP_PORT']}/api/v1/library"
    token = running.run("token", "--user", str(demo.ANNA)).stdout.strip()
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        yield lambda path: client.get(path).json()["data"]


@pytest.mark.long
def test_covers_and_icons_are_served_on_this_machine_to_every_page(anna):
    urls = [item["attributes"]["cover_image_url"] for item in anna("/items?limit=100")]
    [status, *_] = anna(f"/achievements/status/{demo.product_id('iron-samovar')}")
    urls += [status["attributes"]["icon_url_locked"], status["attributes"]["icon_url_unlocked"]]
    for url in urls:
        picture = httpx.get(url)
        assert picture.status_code == 200, url
        assert picture.headers["Content-Type"].startswith("image/svg+xml")
        assert picture.headers["Access-Control-Allow-Origin"] == "*"
    assert httpx.get(urls[0] + "x").status_code == 404


@pytest.mark.long
def test_anna_has_played_unlocked_sorted_wished_saved_and_shared(anna):
    played = [one["attributes"] for one in anna("/playtime?limit=100")]
    assert sum(one["last_2_weeks_seconds"] > 0 for one in played) >= 5
    assert len({one["attributes"]["date"] for one in anna("/playtime/daily")}) >= 10
    summary = {one["attributes"]["title"]: one["attributes"] for one in anna("/achievements/summary?limit=100")}
    assert (summary["Железный самовар"]["percentage"], summary["Рейнджеры тундры"]["unlocked"]) == (100, 1)
    statuses = [one["attributes"] for one in anna(f"/achievements/status/{demo.product_id('iron-samovar')}")]
    assert len({one["unlocked_at"][:10] for one in statuses}) >= 2
    assert all(one["description"] for one in statuses)
    assert [one["attributes"]["item_count"] for one in anna("/categories")] == [3, 2, 1]
    wishes = [one["attributes"] for one in anna("/wishlist/items")]
    assert [bool(one["current_price"]["discount_percent"]) for one in wishes] == [True, False, True, False]
    assert {one["attributes"]["slot_name"] for one in anna("/savegames")} == {"Автосохранение", "Глава 3"}
    [conflict] = anna("/savegames/conflicts")
    sides = [conflict["attributes"][side]["attributes"]["device_id"] for side in ("head", "branch")]
    assert sides == ["anna-pc", "steam-deck"]
    [link] = anna("/family/links")
    assert (link["attributes"]["status"], link["attributes"]["shared_with_user_id"]) == ("active", str(demo.VERA))

"""``libctl tui``: the screen of a player against a real service, by the keys that somebody presses."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx
import pytest
import websockets
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.ports import listens
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for
from gameshelf.devstack.servers.base import free_port
from gameshelf.libctl.client import Client
from gameshelf.libctl.happenings import KINDS
from gameshelf.libctl.profiles import Profile
from gameshelf.libctl.tui.app import PlayerScreen
from gameshelf.libctl.tui.choice_list import ChoiceList
from gameshelf.libctl.tui.command_list import CommandList
from gameshelf.libctl.tui.tabs import TABS
from textual.widgets import DataTable, OptionList, Static, Tab

TITLE = "Дальний горизонт 🐉 龍の夢 — очень длинное название, которое не помещается"
NAMES = [name for name, *_ in TABS]
MANY = 120


class Recorded(Client):
    """A client that notes its calls."""

    def __init__(self, service, token, seconds=PATIENCE_SECONDS):
        super().__init__(Profile(service.grpc, False, token), "ru", seconds=seconds)
        self.calls = []

    def call(self, name, request):
        self.calls.append(name)
        return super().call(name, request)


class Screen:
    """A screen, and who presses its keys."""

    def __init__(self, app, pilot, client):
        self.app, self.pilot, self.client = app, pilot, client

    @property
    def state(self):
        return str(self.app.pane.query_one(".state", Static).visual)

    @property
    def detail(self):
        console = self.app.console
        with console.capture() as captured:
            console.print(self.app.pane.row.detail)
        return captured.get()

    @property
    def rows(self):
        table = self.app.pane.query_one(DataTable)
        return [[str(cell) for cell in table.get_row_at(number)] for number in range(table.row_count)]

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.settled()

    async def settled(self):
        """Waits until nothing is read any more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.pilot.pause()
            while self.app.pane.level.started is not None:
                await asyncio.sleep(0.01)
            await self.pilot.pause()

    async def tab(self, name):
        await self.press(str((NAMES.index(name) + 1) % 10))


@pytest.fixture
def screen(platform, service):
    """Opens the screen of a player, on a terminal of a size."""

    @asynccontextmanager
    async def opened(user, size=(80, 24), token=None, options=(), at=None, seconds=PATIENCE_SECONDS):
        token = token or platform.token(uuid4(), "support")
        client = Recorded(at or service, token, seconds)
        app = PlayerScreen(client, UUID(str(user)), options)
        async with app.run_test(size=size) as pilot:
            shown = Screen(app, pilot, client)
            await shown.settled()
            yield shown
        client.close()

    return opened


@pytest.fixture(scope="module")
def owner(platform, new_saver):
    """A player with a game, a wish, a session, a save in conflict and one in the trash, all with a difficult title."""
    made = new_saver()
    made.post("/wishlist/items", product_id=str(uuid4()))
    says(platform, "catalog.product.updated", productId=str(made.product), newTitle={"ru": TITLE, "en": "Far Horizon"})
    made.diverges("слот 🐉")
    made.http.delete(f"/savegames/{made.saves(b'to be deleted', slot='старый')}")
    plays(made)
    made.http.put(f"/settings/{made.product}", json={"data": {"attributes": {"settings_payload": {"volume": 70}}}})
    made.post("/family/links", shared_with_user_id=str(uuid4()))
    wait_for(lambda: TITLE in made.http.get("/items", headers={"Accept-Language": "ru"}).text)
    return made


def plays(saver):
    """Starts a session, or continues the one that runs: without a heartbeat it ends after some minutes."""
    saver.post("/playtime/sessions/start", product_id=str(saver.product), device_id="пк")


def says(platform, what, **data):
    asyncio.run(publish(platform.kafka.address, [CloudEvent(f"com.platform.{what}.v1", data)]))


async def test_each_tab_is_read_when_it_is_looked_at(screen, owner):
    plays(owner)
    async with screen(owner.id) as shown:
        assert shown.client.calls == ["ShowUser"]
        assert ["games", "1 owned, 0 shared by others"] in shown.rows
        await shown.tab("Library")
        assert shown.rows == [[TITLE, "purchase", shown.rows[0][2], ""]]
        assert f"order order-{owner.id}" in shown.detail
        assert shown.client.calls == ["ShowUser", "ListLibrary"]
        await shown.tab("Family")
        assert [row[0] for row in shown.rows] == ["shares with"]
        await shown.tab("Sessions")
        assert shown.rows[0][2:] == [TITLE, "runs"]
        assert "on пк" in shown.detail
        await shown.tab("Wishlist")
        assert "any sale" in shown.rows[0]
        await shown.tab("Saves")
        assert [row[:2] for row in shown.rows] == [["conflict", "слот 🐉"], ["save", "слот 🐉"], ["trash", "старый"]]
        await shown.tab("Settings")
        assert [row[:2] for row in shown.rows] == [[TITLE, "account"]]
        await shown.tab("Playtime")
        assert "last 14 days ·" in shown.state
        await shown.tab("Timeline")
        assert {"put it on the wishlist", "moved старый to the trash"} <= {row[1] for row in shown.rows}
        before = list(shown.client.calls)
        await shown.tab("Library")
        assert shown.client.calls == before
        await shown.press("r")
        assert shown.client.calls == [*before, "ListLibrary"]


async def test_the_timeline_is_narrowed_to_a_kind_and_back(screen, owner):
    async with screen(owner.id, (160, 50)) as shown:
        await shown.tab("Timeline")
        everything = shown.rows
        await shown.press("f")
        assert isinstance(shown.app.screen, ChoiceList)
        shown.app.screen.query_one(OptionList).highlighted = 1 + KINDS.index("session")
        await shown.press("enter")
        [[_, said, title]] = shown.rows
        assert said.startswith("began to play on пк, and still does: session ")
        assert title == TITLE
        assert "Timeline › session" in str(shown.app.pane.query_one(".path", Static).visual)
        assert [one.words[:2] for one in shown.app.pane.row.commands] == [("playtime", "show"), ("user", "timeline")]
        await shown.press("f", "end", "enter")  # in its place, not above it
        assert (shown.rows, "Nothing of the kind dead letter." in shown.state) == ([], True)
        await shown.press("f", "escape", "b")
        assert shown.rows == everything
        await shown.press("f", "down", "enter", "f", "home", "enter")
        assert (shown.rows, shown.app.pane.is_opened) == (everything, False)


async def test_a_refused_report_leads_to_its_explanation(screen, owner):
    named, unknown = f"/achievements/by-name/{owner.product}/BOSS_1/unlock", uuid4()
    assert (await asyncio.to_thread(owner.post, named)).status_code == 404
    assert (await asyncio.to_thread(owner.post, f"/achievements/{unknown}/unlock")).status_code == 404
    async with screen(owner.id, (160, 50)) as shown:
        await shown.tab("Timeline")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum("report of achievement" in row[1] for row in shown.rows) < 2:
                await shown.press("r")
        rows = {row.cells[2]: row for row in shown.app.pane.level.page.rows if "report of" in str(row.cells[1])}
        assert set(rows) == {TITLE, ""}
        assert "BOSS_1 by the player" in str(rows[TITLE].cells[1])
        assert "refused: there was no such achievement" in str(rows[TITLE].cells[1])
        explained = f"libctl achievements explain {owner.id} {owner.product} BOSS_1"
        assert rows[TITLE].commands[0].line() == explained
        assert [one.words[:2] for one in rows[""].commands] == [("user", "timeline")]


async def test_a_save_opens_its_versions_and_leads_back(screen, owner):
    async with screen(owner.id) as shown:
        await shown.tab("Saves")
        await shown.press("down", "enter")
        assert [row[1:3] for row in shown.rows] == [["v3", "branch"], ["v2", "head"], ["v1", "history"]]
        assert "Saves › слот 🐉" in str(shown.app.pane.query_one(".path", Static).visual)
        await shown.press("b")
        assert shown.app.pane.row.cells[1] == "слот 🐉"
        await shown.tab("Achievements")
        await shown.press("enter")
        assert "no achievements" in shown.state


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_nothing_is_wider_than_the_terminal(screen, owner, size):
    async with screen(owner.id, size) as shown:
        for name in NAMES:
            await shown.tab(name)
            table = shown.app.pane.query_one(DataTable)
            assert table.virtual_size.width <= size[0], name
            assert table.size.height >= 4, name
            assert max(tab.region.right for tab in shown.app.query(Tab)) <= size[0]
        await shown.pilot.resize_terminal(60, 20)
        await shown.settled()
        assert shown.rows


async def test_every_command_that_is_shown_can_be_typed(screen, owner, admin):
    lines = set()
    async with screen(owner.id) as shown:
        for name in NAMES:
            await shown.tab(name)
            lines |= {one.line() for row in shown.app.pane.level.page.rows for one in row.commands}
        await shown.press("enter")
        lines |= {one.line() for row in shown.app.pane.level.page.rows for one in row.commands}
    assert len(lines) > 30
    for line in sorted(lines - {one for one in lines if "saves download" in one or "user export" in one}):
        words = shlex.split(line.replace("TIME", "1s").replace("SIZE", "2GiB").replace("REVISION", "1"))[1:]
        ran = admin.run(*words)
        assert ran.code != 2 or "was played for" in ran.err, (line, ran.err)
        assert ran.code in (0, 1, 2, 3, 4), (line, ran.err)


async def test_a_command_is_copied_with_the_options_of_the_profile(screen, owner):
    async with screen(owner.id, options=("--profile", "production")) as shown:
        await shown.tab("Library")
        await shown.press("c")
        assert isinstance(shown.app.screen, CommandList)
        await shown.press("2", "n")  # the keys of the screen behind it do nothing now
        assert isinstance(shown.app.screen, CommandList)
        assert shown.app.screen.query_one(OptionList).option_count == 3
        await shown.press("enter")
        wanted = f"libctl --profile production access explain {owner.id} {owner.product}"
        assert shown.app.clipboard == wanted
        await shown.press("c", "escape", "q")
        assert shown.app.return_value == [wanted]


async def test_a_long_list_is_read_by_pages_and_only_one_is_kept(screen, platform):
    user = uuid4()
    items = [{"productId": str(uuid4()), "productType": "game", "quantity": 1} for _ in range(MANY)]
    data = {"userId": str(user), "orderId": f"order-{user}", "items": items}
    bought = CloudEvent("com.platform.payment.purchase.completed.v1", data)
    await publish(platform.kafka.address, [bought])
    async with screen(user) as shown:
        await shown.tab("Library")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not shown.rows:
                await shown.press("r")
        first = [row.key for row in shown.app.pane.level.page.rows]
        assert len(first) == len(shown.rows) == 50
        await shown.press("end", "n")
        second = [row.key for row in shown.app.pane.level.page.rows]
        assert shown.app.pane.query_one(DataTable).cursor_row == 0
        await shown.press("n")
        assert f"page 3, the last · read {shown.app.pane.level.read_at:%H:%M:%S}" in shown.state
        third = [row.key for row in shown.app.pane.level.page.rows]
        assert len({*first, *second, *third}) == MANY == len(first) + len(second) + len(third)
        before = len(shown.client.calls)
        await shown.press("n")
        assert len(shown.client.calls) == before
        await shown.press("p", "p")
        assert [row.key for row in shown.app.pane.level.page.rows] == first
        await shown.tab("Timeline")
        happened = []
        for _ in range(3):
            happened += [row.key for row in shown.app.pane.level.page.rows]
            await shown.press("n")
        assert len(set(happened)) == len(happened) == MANY + 1  # the look at the summary is an entry, too


async def test_keys_work_while_a_read_hangs(screen, platform, owner):
    frozen = platform.service()
    await asyncio.to_thread(frozen.start)
    async with screen(owner.id, at=frozen) as shown:
        await shown.tab("Library")
        frozen.process.send_all(signal.SIGSTOP)
        try:
            await shown.pilot.press("r")
            assert "reading" in shown.state
            await shown.pilot.press("3")
            assert shown.app.pane.level.listing.title == "Family"
            await shown.pilot.press("2", "c")
            assert isinstance(shown.app.screen, CommandList)
            await shown.pilot.press("escape")
            assert "reading" in shown.state
        finally:
            frozen.process.send_all(signal.SIGCONT)
        await shown.settled()
        assert "1 products" in shown.state


async def test_a_read_without_an_answer_is_an_error_in_its_tab(screen, platform, owner):
    frozen = platform.service()
    await asyncio.to_thread(frozen.start)
    async with screen(owner.id, at=frozen) as shown:
        await shown.tab("Library")
        frozen.process.send_all(signal.SIGSTOP)
        try:
            shown.client._seconds = 1
            await shown.press("r")
        finally:
            frozen.process.send_all(signal.SIGCONT)
        assert "no answer within 1 s" in shown.state
        assert len(shown.rows) == 1  # what was there stays
        shown.client._seconds = PATIENCE_SECONDS
        await shown.press("r")
        assert "1 products" in shown.state


async def test_quitting_does_not_wait_for_a_read_that_hangs(screen, platform, owner):
    frozen = platform.service()
    await asyncio.to_thread(frozen.start)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), screen(owner.id, at=frozen, seconds=600) as shown:
            frozen.process.send_all(signal.SIGSTOP)
            await shown.pilot.press("2", "q")
    finally:
        frozen.process.send_all(signal.SIGCONT)


async def test_a_refusal_is_shown_in_place(screen, owner):
    async with screen(owner.id, token="nonsense") as shown:
        assert "was not accepted" in shown.state
        assert "r reads again" in shown.state


async def test_an_erased_player_is_named_as_such(screen, owner, admin):
    user = uuid4()
    admin.applies("user", "erase", user, "--confirm", user)
    async with screen(user) as shown:
        assert shown.rows[1][0] == "account"
        await shown.tab("Wishlist")
        assert "erased" in shown.state or "not found" in shown.state.lower()


async def test_what_a_player_has_written_does_nothing_to_the_terminal(screen, new_saver):
    player = await asyncio.to_thread(new_saver)
    name = "[bold red]x[/]"
    await asyncio.to_thread(player.saves, b"content", slot=name)
    async with screen(player.id) as shown:
        await shown.tab("Saves")
        assert shown.rows[0][1] == name
        assert name in shown.detail


def test_without_a_terminal_or_textual_it_says_what_to_do(support):
    ran = support.run("tui", uuid4())
    assert (ran.code, "--serve" in ran.err) == (2, True)
    assert support.run("--json", "tui", uuid4()).error["code"] == "USAGE"
    assert support.run("tui", uuid4(), "--address", "127.0.0.1:1").code == 2
    program = (
        "import sys; sys.modules['textual'] = None\nimport importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name.startswith('textual') else found(name, *more)\n"
        f"from gameshelf.libctl.main import main; main(['tui', '{uuid4()}'])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert 'pip install "gameshelf-libctl[tui]"' in ran.stderr


@pytest.mark.parametrize("address", ["0.0.0.0:8000", "192.168.0.1:8000", "[::]:8000", "example.org:80", "8000", ":1"])
def test_no_other_machine_is_served(support, address):
    ran = support.run("tui", uuid4(), "--serve", "--address", address)
    assert ran.code == 2
    assert "--address 127.0.0.1:8000" in ran.err


@pytest.fixture
def served(support, owner):
    """The address with the key, which the command prints."""
    port = free_port()
    words = ["tui", str(owner.id), "--serve", "--address", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gameshelf.libctl", *words],
        env={**os.environ, **support.environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    address = process.stderr.readline().split()[1]
    wait_for(lambda: listens(port))  # the address is printed a moment before
    yield address
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) in (0, 143)
    process.stderr.close()


async def test_a_browser_gets_the_screen_only_with_the_key(served, owner):
    origin, key = served.rstrip("/").rsplit("/", 1)
    async with httpx.AsyncClient(base_url=origin) as client:
        for path, headers in (
            ("/", {}),
            ("/ws", {}),
            ("/static/js/textual.js", {}),
            ("/wrong/", {}),
            (f"/?key={key}", {}),
            (f"/{key[:-1]}/", {}),
            ("/", {"Cookie": f"libctl_tui={key}"}),
            (f"/{key}/", {"Host": "evil.example"}),
            (f"/{key}/", {"Origin": "http://evil.example"}),
        ):
            assert (await client.get(path, headers=headers)).status_code == 403, (path, headers)
        shown = await client.get(f"/{key}/")
        assert shown.status_code == 200
        assert "default-src 'self'" in shown.headers["content-security-policy"]
        assert shown.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in shown.headers, "a cookie would go to the other ports of this machine, too"
        assert f"{origin.replace('http', 'ws', 1)}/{key}/ws" in shown.text
        assert (await client.get(f"/{key}/static/js/textual.js")).status_code == 200
    address = f"{origin.replace('http', 'ws', 1)}/{key}/ws?width=80&height=24"
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(address, origin="http://evil.example", proxy=None)
    async with websockets.connect(address, origin=origin, proxy=None) as socket:
        drawn = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"1 owned" not in drawn:
                message = await socket.recv()
                drawn += message if isinstance(message, bytes) else message.encode()
    assert str(owner.id).encode() in drawn

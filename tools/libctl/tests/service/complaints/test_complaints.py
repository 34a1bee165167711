"""The complaints of players, each from its first command to the answer that the player gets."""

import time
from datetime import UTC, datetime, timedelta

from gameshelf.devstack.pytest_plugin import wait_for
from websockets.sync.client import connect

DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=4)
"""The day of the stories, which begin 80 days before it: play of the last 90 days can be imported."""
HOUR, KIB = timedelta(hours=1), 1024


def test_nobody_wrote_to_me_about_the_sale(page, new_player, new_game, say, support):
    game = new_game(1, "Far Horizon")
    anna, boris, clara = (new_player(number) for number in (1, 2, 3))
    anna.post("/wishlist/items", product_id=str(game), target_price_minor=40000, target_currency="RUB")
    boris.post("/categories", name="Later")
    clara.post("/wishlist/items", product_id=str(game))
    sale = {"saleId": "winter", "saleEndsAt": "2100-01-01T00:00:00Z", "discountPercent": 50}
    say("catalog.price.updated", productId=str(game), priceMinor=50000, currency="RUB", **sale)
    wait_for(lambda: support.data("wishlist", "explain", clara.id, game)["notifications"])
    shown = page("sale-without-notification")
    shown.runs(f"libctl wishlist explain {anna.id} {game}")
    shown.runs(f"libctl wishlist explain {boris.id} {game}")
    shown.runs(f"libctl wishlist explain {clara.id} {game}")
    shown.check()


def test_it_says_that_i_am_playing(page, new_player, new_game, platform, execute):
    game = new_game(2, "Tundra Rangers")
    anna = new_player(4)
    anna.order("completed", "order-41", game)
    anna.owns(game)
    session = anna.plays(game, "anna-deck")
    # It was started three hours ago, and the Deck is still in the player's bag with the game open.
    earlier = "UPDATE playtime.playtime_sessions SET start_time = start_time - interval '3 h' WHERE id = '{}'"
    execute(platform.dsn, earlier.format(session))
    shown = page("session-is-stuck")
    shown.runs(f"libctl sessions list {anna.id}")
    end = f"libctl sessions end {anna.id} {session}"
    shown.runs(end)
    shown.runs(f"{end} --apply --reason 'the Deck was left running' --ticket ZD-4711")
    shown.runs(f"libctl sessions list {anna.id}")
    shown.check()


def test_the_refund_still_shows(page, new_player, new_game, support):
    game = new_game(3, "Winter Court")
    anna, boris = new_player(5), new_player(6)
    bought = (DAY - 9 * 24 * HOUR).isoformat()
    anna.order("completed", "order-51", game, purchaseTimestamp=bought)
    anna.order("completed", "order-57", game, purchaseTimestamp=DAY.isoformat())
    boris.order("completed", "order-61", game, purchaseTimestamp=bought)
    anna.owns(game)
    boris.owns(game)
    anna.order("refunded", "order-51", game, refundTimestamp=DAY.isoformat())
    where = ("library", "list", anna.id, "--product", game)
    wait_for(lambda: len([1 for one in support.data(*where)["items"][0]["grants"] if one["ended_at"]]) == 1)
    shown = page("refund-still-shows")
    shown.runs(f"libctl library list {anna.id} --product {game}")
    shown.runs(f"libctl library list {boris.id} --product {game}")
    shown.runs(f"libctl events dlq list --user {boris.id}")
    revoke = f"libctl library revoke {boris.id} {game} --kind order --source order-61"
    shown.runs(revoke, by="admin")
    shown.runs(f"{revoke} --apply --reason 'refunded, and the event is lost' --ticket ZD-4712", by="admin")
    shown.runs(f"libctl library list {boris.id} --product {game}")
    shown.check()


def test_i_played_offline_and_the_hours_are_missing(page, new_player, new_game):
    game = new_game(4, "The Iron Samovar")
    anna = new_player(7)
    anna.order("completed", "order-71", game, purchaseTimestamp=(DAY - 90 * 24 * HOUR).isoformat())
    anna.owns(game)
    evenings = [DAY + (24 * number + 19) * HOUR for number in range(3)]
    anna.played("anna-pc", [(f"pc-{number}", game, at, at + 2 * HOUR) for number, at in enumerate(evenings)])
    shown = page("offline-hours-are-missing")
    shown.runs(f"libctl playtime show {anna.id} --product {game} --imports")
    add = f"libctl playtime correct {anna.id} {game} --add 6h30m"
    shown.runs(add)
    shown.runs(f"{add} --apply --reason 'hours of a Deck that was reset' --ticket ZD-4713")
    shown.runs(f"libctl playtime show {anna.id} --product {game} --limit 1")
    shown.check()


def test_i_have_2_700_hours_in_one_day(page, new_player, new_game):
    samovar, tundra = new_game(7, "The Iron Samovar"), new_game(8, "Tundra Rangers")
    anna = new_player(10)
    for number, game in enumerate((samovar, tundra)):
        anna.order("completed", f"order-10{number}", game, purchaseTimestamp=(DAY - timedelta(days=90)).isoformat())
        anna.owns(game)
    evenings = [*(played(samovar, "desktop", day, 19, 2) for day in (40, 33, 26, 14, 12, 10, 8, 6, 4, 1))]
    evenings += [played(tundra, "desktop", day, 16, 1) for day in (13, 11, 9, 0)]
    anna.post("/playtime/sessions/import", sessions=evenings)
    for game, days in ((samovar, 57), (tundra, 56)):
        invented = [played(game, "handheld", 80 - number, 0, 24) for number in range(days)]
        anna.post("/playtime/sessions/import", sessions=invented)
        second = int(time.time())
        wait_for(lambda: int(time.time()) > second)  # noqa: B023 (two imports of one second are one anomaly)
    shown = page("impossible-playtime")
    shown.runs(f"libctl playtime show {anna.id} --limit 3")
    anomalies = f"libctl playtime anomalies --user {anna.id} --kind"
    shown.runs(f"{anomalies} fast_import", f"{anomalies} long_day --limit 3")
    shown.runs(f"libctl playtime show {anna.id} --product {samovar} --day {DAY - timedelta(days=40):%Y-%m-%d}")
    shown.runs(f"libctl playtime recompute {anna.id}")
    shown.runs(f"libctl playtime show {anna.id} --product {samovar} --imports --limit 2")
    correct = f"libctl playtime correct {anna.id}"
    shown.runs(f"{correct} {samovar} --take 1362h")
    shown.runs(
        f"{correct} {samovar} --take 1362h --apply --reason 'the handheld reports 57 days without a pause'",
        f"{correct} {tundra} --take 1344h --apply --reason 'the same import of the handheld'",
    )
    shown.runs(f"libctl playtime show {anna.id} --limit 3")
    shown.check()


def played(game, device, days_ago, hour, hours):
    """A session of the past, by the launcher of a device."""
    start = DAY + timedelta(days=-days_ago, hours=hour)
    return {
        "client_session_id": f"{device}-{game.int % 10}-{days_ago}",
        "product_id": str(game),
        "start_time": start.isoformat(),
        "end_time": (start + timedelta(hours=hours)).isoformat(),
        "device_id": device,
    }


def test_my_achievement_did_not_unlock(page, new_player, new_game, support):
    ids = {name: f"ac{number:06}-0000-4000-8000-000000000000" for number, name in enumerate(("ten", "door", "boss"), 1)}
    achievements = [
        {"id": ids["ten"], "apiName": "TEN", "name": {"en": "Ten wins", "ru": "Десять побед"}, "targetProgress": 10},
        {"id": ids["door"], "apiName": "DOOR", "name": {"en": "The hidden door"}, "isHidden": True},
        {"id": ids["boss"], "apiName": "BOSS", "name": {"en": "Season champion"}, "serverAuthoritative": True},
    ]
    game = new_game(5, "Clockwork City", achievements=achievements)
    anna = new_player(8)
    anna.order("completed", "order-81", game)
    anna.owns(game)
    wait_for(lambda: len(support.data("achievements", "show", anna.id, game)["achievements"]) == 3)
    anna.http.post(f"/achievements/{ids['ten']}/progress", json={"data": {"attributes": {"current_progress": 9}}})
    refused = anna.http.post(f"/achievements/{ids['boss']}/unlock")
    assert refused.status_code == 403, refused.text
    wait_for(lambda: support.data("achievements", "explain", anna.id, game, "BOSS")["refused"])
    shown = page("achievement-did-not-unlock")
    shown.runs(f"libctl achievements show {anna.id} {game}")
    shown.runs(f"libctl achievements explain {anna.id} {game} TEN")
    shown.runs(f"libctl achievements explain {anna.id} {game} BOSS")
    grant = f"libctl achievements grant {anna.id} {ids['boss']}"
    shown.runs(grant, by="admin")
    shown.runs(f"{grant} --apply --reason 'the server of the season has lost it' --ticket ZD-4714", by="admin")
    shown.runs(f"libctl achievements show {anna.id} {game}")
    shown.check()


def test_my_settings_were_reset(page, new_player, new_game, support):
    game = new_game(6, "Amber Coast")
    anna = new_player(9)
    anna.order("completed", "order-91", game)
    anna.owns(game)
    for payload in ({"volume": 35, "jump": "Space", "subtitles": "ru"}, {"volume": 100}):
        body = {"data": {"attributes": {"settings_payload": payload}}}
        answer = anna.http.put(f"/settings/{game}", json=body)
        assert answer.is_success, answer.text
    [kept] = support.data("settings", "history", anna.id, game)["kept"]
    shown = page("settings-were-reset")
    shown.runs(f"libctl settings history {anna.id} {game}")
    shown.runs(f"libctl settings show {anna.id} {game} --revision {kept['revision']}")
    restore = f"libctl settings restore {anna.id} {game} {kept['revision']}"
    shown.runs(restore)
    shown.runs(f"{restore} --apply --reason 'a new installation has reset them' --ticket ZD-4715")
    shown.check()


def test_i_bought_it_and_it_is_not_there(page, new_player, new_game, support):
    game, hidden = new_game(16, "Quantum Dacha"), new_game(17, "Birch and Blade")
    anna, boris, clara = (new_player(number) for number in (21, 22, 23))
    boris.order("completed", "order-171", game, purchaseTimestamp=DAY.isoformat())
    clara.order("completed", "order-173", hidden, purchaseTimestamp=DAY.isoformat())
    anna.order("completed", "order-172", items="nothing")
    boris.owns(game)
    clara.owns(hidden)
    clara.patch(f"/items/{clara.sees(hidden)['id']}", is_hidden=True)
    wait_for(lambda: support.data("events", "dlq", "list", "--user", anna.id)["total"])
    shown = page("bought-and-not-there")
    shown.runs("libctl orders show order-173")
    shown.runs(f"libctl library list {clara.id} --product {hidden}")
    shown.runs("libctl orders show order-171")
    shown.runs("libctl orders show order-172", f"libctl orders show order-172 --user {anna.id}")
    shown.runs(f"libctl orders show order-174 --user {anna.id}")
    grant = f"libctl library grant {anna.id} {game}"
    shown.runs(grant, by="admin")
    shown.runs(f"{grant} --apply --reason 'order-172 is paid for, its event is malformed' --ticket ZD-4716", by="admin")
    shown.runs(f"libctl library list {anna.id} --product {game}")
    shown.check()


def test_my_device_does_not_update(page, new_player, new_game, service, support):
    game = new_game(9, "Depths of Ladoga")
    anna, boris = new_player(13), new_player(14)
    for one, order in ((anna, "order-111"), (boris, "order-112")):
        one.order("completed", order, game, purchaseTimestamp=DAY.isoformat())
        one.owns(game)
        one.save(game, 40 * KIB, "chapter 3", "pc")
    anna.save(game, 41 * KIB, "chapter 3", "deck", base_version=1)
    token = {"Authorization": boris.http.headers["Authorization"]}
    with connect(service.ws, additional_headers=token, proxy=None) as socket:
        socket.recv()
        wait_for(lambda: support.data("devices", "list", boris.id)["connected_instances"])
        shown = page("device-does-not-update")
        shown.runs(f"libctl devices list {anna.id}")
        shown.runs(f"libctl saves versions {anna.id} {anna.slot('chapter 3')}")
        shown.runs(f"libctl devices list {boris.id}")
        shown.runs(f"libctl user timeline {boris.id} --limit 3")
        shown.check()


def test_my_save_is_gone(page, new_player, new_game):
    manor, forge, birch = new_game(10, "Manor"), new_game(11, "Ural Forge"), new_game(12, "Taiga")
    anna = new_player(15)
    anna.order("completed", "order-121", manor, forge, birch)
    anna.owns(manor, forge, birch)
    for size in (80, 84, 87):
        anna.save(manor, size * KIB, "Поместье", "anna-pc")
    anna.discard("Поместье")
    for number in range(1, 6):
        anna.save(forge, (98 + 9 * number) * KIB, "auto", "anna-pc", playtime_seconds=5400 * number)
    anna.save(forge, 4 * KIB, "auto", "anna-deck", base_version=5, playtime_seconds=120, comment="new game")
    anna.save(birch, 63 * KIB, "slot1", "anna-pc", playtime_seconds=7200, comment="chapter 1")
    anna.save(birch, 68 * KIB, "slot1", "anna-pc", playtime_seconds=14400, comment="chapter 2")
    on_the_train = {"playtime_seconds": 12600, "comment": "chapter 2, on the train"}
    anna.save(birch, 69 * KIB, "slot1", "anna-deck", base_version=1, **on_the_train)
    [conflict] = [one["id"] for one in anna.http.get("/savegames/conflicts").json()["data"]]
    auto, slot1 = anna.slot("auto"), anna.slot("slot1")
    [trashed] = [one["id"] for one in anna.http.get("/savegames?trashed=true").json()["data"]]
    shown = page("save-is-gone")
    shown.runs(f"libctl saves list {anna.id}")
    shown.runs(f"libctl saves list {anna.id} --trash")
    restore = f"libctl saves restore {anna.id} {trashed}"
    shown.runs(restore)
    shown.runs(f"{restore} --apply --reason 'deleted by mistake' --ticket ZD-4717")
    shown.runs(f"libctl saves versions {anna.id} {auto}")
    shown.runs(f"libctl saves download {anna.id} {auto} --version 5")
    restore = f"libctl saves restore {anna.id} {auto} --version 5"
    shown.runs(restore)
    shown.runs(f"{restore} --apply --reason 'overwritten by a new game' --ticket ZD-4718")
    shown.runs(f"libctl saves versions {anna.id} {auto}")
    shown.runs(f"libctl saves pin {anna.id} {auto} 7 --apply --reason 'the player asked for it' --ticket ZD-4718")
    shown.runs(f"libctl conflicts list --user {anna.id}")
    shown.runs(f"libctl conflicts show {anna.id} {conflict}")
    shown.runs(f"libctl conflicts show {anna.id} {conflict} --download local")
    resolve = f"libctl conflicts resolve {anna.id} {conflict} --keep local"
    shown.runs(resolve)
    shown.runs(f"{resolve} --apply --reason 'the player wants that of the Deck' --ticket ZD-4719")
    shown.runs(f"libctl saves versions {anna.id} {slot1}")
    shown.check()


def test_my_cloud_is_full(page, new_player, new_game, support):
    fleet, dacha = new_game(13, "Paper Fleet"), new_game(14, "Night Tram")
    boris = new_player(16)
    boris.order("completed", "order-131", fleet, dacha)
    boris.owns(fleet, dacha)
    # A tenth of what players have in production: it fills at once.
    support.applies("quota", "set", boris.id, "2000KiB")
    for game, slots in ((fleet, [f"city {number}" for number in range(1, 7)]), (dacha, ["night 1", "night 2"])):
        for number, slot in enumerate(slots):
            boris.save(game, 225 * KIB + number, slot, "boris-pc")
    for number in (1, 2, 3):
        boris.discard(f"city {number}")
    shown = page("cloud-is-full")
    shown.runs(f"libctl quota show {boris.id}")
    shown.runs(f"libctl saves list {boris.id} --trash")
    shown.runs(f"libctl saves list {boris.id}")
    shown.runs(f"libctl quota recalculate {boris.id}")
    more = f"libctl quota set {boris.id} 3000KiB"
    shown.runs(more)
    shown.runs(f"{more} --apply --reason 'a month until the trash is empty' --ticket ZD-4720")
    shown.runs(f"libctl quota show {boris.id}")
    shown.runs(f"libctl quota reset {boris.id} --apply --reason 'the trash is empty' --ticket ZD-4720")
    shown.check()


def test_i_cannot_play_my_brothers_game(page, new_player, new_game, admin):
    game = new_game(15, "Ice Harbour")
    anna, boris, stranger = (new_player(number) for number in (17, 18, 19))
    boris.order("completed", "order-141", game, purchaseTimestamp=DAY.isoformat())
    boris.owns(game)
    link = boris.shares_with(anna)
    boris.shares_with(stranger)
    anna.owns(game)
    stranger.owns(game)
    stranger.plays(game, "living-room")
    admin.applies("family", "revoke", boris.id, link, reason="Boris asked us to remove a stranger")
    shown = page("cannot-play-family-game")
    shown.runs(f"libctl access explain {anna.id} {game}")
    shown.runs(f"libctl audit list --user {boris.id} --command 'family revoke'")
    shown.runs(f"libctl family list {boris.id}")
    reopen = f"libctl family reopen {anna.id} {link}"
    shown.runs(reopen, by="admin")
    why = "--reason 'she is his sister, it was another one' --ticket ZD-4721"
    shown.runs(f"{reopen} --apply {why}", by="admin")
    anna.post(f"/family/links/{link}/accept")
    anna.owns(game)
    shown.runs(f"libctl access explain {anna.id} {game}")
    release = f"libctl family release-seat {boris.id} {game}"
    shown.runs(release)
    shown.runs(f"{release} --apply --reason 'left running in the living room' --ticket ZD-4721")
    shown.runs(f"libctl access explain {anna.id} {game}")
    shown.check()


def test_the_tour(page, new_player, new_game, support):
    games = [new_game(number, title) for number, title in ((20, "Hedgehog Tactics"), (21, "Baikal Drift"))]
    game, anna, boris = games[0], new_player(30), new_player(31)
    anna.order("completed", "order-161", *games, purchaseTimestamp=DAY.isoformat())
    boris.order("completed", "order-162", games[1], purchaseTimestamp=DAY.isoformat())
    anna.owns(*games)
    boris.owns(games[1])
    at = DAY + 19 * HOUR
    anna.played("deck", [("deck-1", game, at, at + 3 * HOUR)])
    for size in (12, 23):
        anna.save(game, size, "slot.sav", "deck")
    anna.post("/family/links", shared_with_user_id=str(boris.id))
    anna.order("completed", "order-163", items="nothing")
    letters = ("events", "dlq", "list", "--user", anna.id)
    wait_for(lambda: support.data(*letters)["total"])
    shown = page("tour")
    shown.runs("libctl find order-161")
    shown.runs(f"libctl user show {anna.id}", f"libctl library list {anna.id} --limit 1")
    shown.runs(f"libctl access explain {anna.id} {game}")
    shown.runs(f"libctl playtime show {anna.id} --limit 3", f"libctl saves list {anna.id}")
    save = anna.slot("slot.sav")
    restore = f"libctl saves restore {anna.id} {save} --version 1"
    shown.runs(f"libctl saves versions {anna.id} {save}", restore)
    shown.runs(f"libctl family list {anna.id}")
    shown.runs(f"libctl playtime correct {anna.id} {game} --take 1h --apply --reason 'a wrong clock' --ticket ZD-4730")
    quota = f"libctl quota set {anna.id} 2GiB"
    shown.runs(quota)
    shown.runs(f"{quota} --apply --reason 'she makes mods' --ticket ZD-4731", f"libctl quota show {anna.id}")
    [entry] = support.data("audit", "list", "--user", anna.id, "--command", "quota set")["entries"]
    shown.runs(
        f"libctl audit show {entry['audit_id']}",
        f"libctl audit undo {entry['audit_id']} --apply --reason 'it was somebody else' --ticket ZD-4731",
    )
    shown.runs(f"libctl library revoke {anna.id} {game}", f"libctl audit list --user {anna.id} --limit 5")
    shown.runs(f"libctl user timeline {anna.id} --limit 5")
    wrong = "; echo exit code $?"
    shown.runs(
        f"{quota} --apply{wrong}", f"libctl --json quota show nobody{wrong}", f"libctl --json quota show {anna.id}"
    )
    shown.runs(f"libctl events dlq list --user {anna.id}")
    replay = f"libctl events dlq replay --user {anna.id}"
    [[before]] = [[one["dead_letter_id"] for one in support.data(*letters)["dead_letters"]]]
    shown.runs(replay, f"{replay} --apply --reason 'INC-17 is fixed'", by="admin")
    wait_for(lambda: [1 for one in support.data(*letters)["dead_letters"] if one["dead_letter_id"] != before])
    export = f"libctl user export {anna.id} --to anna.zip"
    shown.runs(export, f"{export}{wrong}", by="admin")
    erase = f"libctl user erase {boris.id}"
    shown.runs(erase, f"{erase} --apply --reason 'he has asked for it'{wrong}", by="admin")
    shown.runs(f"{erase} --apply --reason 'he has asked for it' --confirm {boris.id}", by="admin")
    shown.runs(f"libctl user show {boris.id}")
    shown.check()

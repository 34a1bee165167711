"""The complaints of players, each from its first command to the answer that the player gets."""

import time
from datetime import UTC, datetime, timedelta

from gameshelf.devstack.pytest_plugin import wait_for

DAY = datetime(2026, 11, 20, tzinfo=UTC)
"""A day in the past, that of the pages."""


def test_nobody_wrote_to_me_about_the_sale(page, new_player, new_game, say, support):
    game = new_game(1, "Far Horizon")
    anna, boris, clara = (new_player(number) for number in (1, 2, 3))
    anna.post("/wishlist/items", product_id=str(game), target_price_minor=40000, target_currency="RUB")
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
    started = anna.post("/playtime/sessions/start", product_id=str(game), device_id="anna-deck", platform="linux")
    # It was started three hours ago, and the Deck is still in the player's bag with the game open.
    earlier = "UPDATE playtime.playtime_sessions SET start_time = start_time - interval '3 h' WHERE id = '{}'"
    execute(platform.dsn, earlier.format(started["id"]))
    shown = page("session-is-stuck")
    shown.runs(f"libctl sessions list {anna.id}")
    end = f"libctl sessions end {anna.id} {started['id']}"
    shown.runs(end)
    shown.runs(f"{end} --apply --reason 'the Deck was left running' --ticket ZD-4711")
    shown.runs(f"libctl sessions list {anna.id}")
    shown.check()


def test_the_refund_still_shows(page, new_player, new_game, support):
    game = new_game(3, "Winter Court")
    anna, boris = new_player(5), new_player(6)
    bought = (DAY - timedelta(days=9)).isoformat()
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
    anna.order("completed", "order-71", game, purchaseTimestamp=(DAY - timedelta(days=90)).isoformat())
    anna.owns(game)
    sessions = [
        {
            "client_session_id": f"pc-{number}",
            "product_id": str(game),
            "start_time": (DAY + timedelta(days=number, hours=19)).isoformat(),
            "end_time": (DAY + timedelta(days=number, hours=21)).isoformat(),
            "device_id": "anna-pc",
        }
        for number in range(3)
    ]
    anna.post("/playtime/sessions/import", sessions=sessions)
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

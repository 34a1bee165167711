"""``libctl family …`` and ``libctl access explain``: a family whose game can't be played, and what support does."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for

from ..shown_tables import tables_of
from .lossy_proxy import LossyProxy

TITLE, OTHER_TITLE = "Deep Blue", "Red Dust"


class Player:
    """Somebody at their devices."""

    def __init__(self, platform, service):
        self.id = uuid4()
        headers = {"Authorization": f"Bearer {platform.issuer.issue(str(self.id), ('user',), ttl=3600)}"}
        self.http = httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS)

    def post(self, path, **attributes):
        return self.http.post(path, json={"data": {"attributes": attributes}})

    def sees(self):
        return {one["attributes"]["title"] for one in self.http.get("/items").json()["data"]}

    def starts(self, product):
        """The session that began; without one the code of the refusal."""
        answer = self.post("/playtime/sessions/start", product_id=str(product))
        return answer.json()["data"]["id"] if answer.status_code == 201 else answer.json()["errors"][0]["code"]

    def beats(self, session):
        answer = self.post(f"/playtime/sessions/{session}/heartbeat")
        return "alive" if answer.status_code == 204 else answer.json()["errors"][0]["code"]


class Family:
    """A brother with two games, and a sister that he shares them with."""

    def __init__(self, platform, service, games):
        self.platform, self.games = platform, games
        self.brother, self.sister, self.rival = (Player(platform, service) for _ in range(3))
        items = [{"productId": str(game), "productType": "game", "quantity": 1} for game in games]
        self.say(
            "com.platform.payment.purchase.completed.v1", userId=str(self.brother.id), orderId=uuid4().hex, items=items
        )
        wait_for(lambda: self.brother.sees() == {TITLE, OTHER_TITLE})
        self.link = self.share(self.sister)

    def say(self, kind, **data):
        asyncio.run(publish(self.platform.kafka.address, [CloudEvent(kind, data)]))

    def share(self, member, **more):
        made = self.brother.post("/family/links", shared_with_user_id=str(member.id), **more)
        assert made.status_code == 201, made.text
        link = made.json()["data"]["id"]
        self.accept(member, link)
        return link

    def accept(self, member, link):
        accepted = member.post(f"/family/links/{link}/accept")
        assert accepted.status_code == 200, accepted.text
        wait_for(member.sees)  # a job brings the shared games


@pytest.fixture(scope="module")
def games(platform):
    found = [uuid4(), uuid4()]
    events = [
        CloudEvent("com.platform.catalog.product.updated.v1", {"productId": str(game), "newTitle": title})
        for game, title in zip(found, (TITLE, OTHER_TITLE), strict=True)
    ]
    asyncio.run(publish(platform.kafka.address, events))
    return found


@pytest.fixture
def family(platform, service, games):
    made = Family(platform, service, games)
    yield made
    for player in (made.brother, made.sister, made.rival):
        player.http.close()


async def forget_session(dsn, session):
    """Deletes a session while its seat remains: as after a disaster."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("DELETE FROM playtime.playtime_sessions WHERE id = $1", session)
    await connection.close()


async def running_on(dsn, owner):
    """The sessions that run on an owner's copies."""
    connection = await asyncpg.connect(dsn)
    found = await connection.fetch(
        "SELECT id FROM playtime.playtime_sessions WHERE copy_owner_user_id = $1 AND end_time IS NULL", owner
    )
    await connection.close()
    return [str(row["id"]) for row in found]


def test_links_are_listed_both_ways_and_shown_from_either_side(family, support):
    brother, sister = family.brother.id, family.sister.id
    [link] = support.data("family", "list", brother)["as_owner"]
    assert (link["link_id"], link["status"], link["shared_with_user_id"]) == (family.link, "active", str(sister))
    assert support.data("family", "list", sister)["as_member"] == [link]
    tree = support.shows("family", "list", sister)
    assert "shares with: nobody" in tree
    assert "is shared with by: 1" in tree
    assert f"{brother}  active" in tree
    assert family.link in tree
    family.sister.starts(family.games[0])
    for user in (brother, sister):
        shown = support.data("family", "show", user, family.link)
        assert shown["link"]["link_id"] == family.link
        assert [one["title"] for one in shown["seats"]] == [TITLE]
    drawn = support.shows("family", "show", brother, family.link)
    assert all(word in drawn for word in ("all games", str(sister), TITLE, "never"))
    assert support.refused("family", "show", uuid4(), family.link) == (3, "FAMILY_LINK_NOT_FOUND")


def test_a_scope_is_shown_with_its_titles(family, support):
    link = family.share(family.rival, mode="except", product_ids=[str(family.games[1])])
    drawn = support.shows("family", "show", family.rival.id, link)
    assert "all but 1 game" in drawn
    [(headings, rows)] = tables_of(drawn)
    assert headings == ["named product", "id"]
    assert rows[0] == [OTHER_TITLE, str(family.games[1])]


def test_a_revoked_link_ends_play_and_only_an_admin_reopens_it(family, support, admin):
    session = family.sister.starts(family.games[0])
    ran = admin.run("family", "revoke", family.sister.id, family.link)
    assert (ran.code, "revoked_by_admin" in ran.out, f"In use: {TITLE}" in ran.err) == (0, True, True)
    assert family.sister.beats(session) == "alive"
    words = ("family", "revoke", family.sister.id, family.link, "--apply", "--reason", "not a family")
    assert support.refused(*words) == (1, "PERMISSION_DENIED")
    done = admin.applies("family", "revoke", family.sister.id, family.link, reason="not a family")
    assert (done["before"]["status"], done["after"]["status"]) == ("active", "revoked_by_admin")
    wait_for(lambda: family.sister.beats(session) == "SESSION_ALREADY_ENDED")
    assert family.sister.sees() == set()
    assert support.data("family", "seats", family.brother.id)["seats"] == []
    invited = family.brother.post("/family/links", shared_with_user_id=str(family.sister.id))
    assert invited.json()["errors"][0]["code"] == "FAMILY_SHARING_LINK_INVALID_STATE"
    assert admin.refused(*words) == (4, "FAMILY_SHARING_LINK_INVALID_STATE")
    reopen = ("family", "reopen", family.brother.id, family.link)
    assert support.refused(*reopen, "--apply", "--reason", "for any reason") == (1, "PERMISSION_DENIED")
    assert "pending_approval" in admin.shows(*reopen)
    assert admin.applies(*reopen)["after"]["status"] == "pending_approval"
    family.accept(family.sister, family.link)
    assert family.sister.sees() == {TITLE, OTHER_TITLE}
    assert admin.refused(*reopen) == (4, "FAMILY_SHARING_LINK_INVALID_STATE")


def test_either_way_of_a_link_is_taken_back_unless_the_member_was_faster(family, admin):
    revoked = admin.applies("family", "revoke", family.brother.id, family.link)
    undone = admin.applies("audit", "undo", revoked["audit_id"], reason="the wrong link")
    assert undone["after"]["status"] == "pending_approval"
    family.accept(family.sister, family.link)
    admin.applies("family", "revoke", family.brother.id, family.link)
    reopened = admin.applies("family", "reopen", family.brother.id, family.link)
    again = admin.applies("audit", "undo", reopened["audit_id"])
    assert again["after"]["status"] == "revoked_by_admin"
    late = admin.applies("family", "reopen", family.brother.id, family.link)
    family.accept(family.sister, family.link)
    ran = admin.run("audit", "undo", late["audit_id"], "--apply", "--reason", "it is too late")
    assert (ran.code, '"current":"active"' in ran.err) == (4, True)


def test_an_overtaken_revision_is_not_applied(family, admin):
    seen = admin.data("family", "revoke", family.brother.id, family.link)["revision"]
    family.brother.http.patch(f"/family/links/{family.link}", json={"data": {"attributes": {"mode": "except"}}})
    words = ("family", "revoke", family.brother.id, family.link, "--apply", "--reason", "as seen in the dry run")
    assert admin.refused(*words, "--revision", seen) == (4, "PRECONDITION_FAILED")
    assert family.sister.sees() == {TITLE, OTHER_TITLE}


def test_nothing_that_is_remembered_names_the_other_party(family, admin):
    admin.applies("family", "revoke", family.sister.id, family.link)
    entries = admin.data("audit", "list", "--user", family.brother.id)["entries"]
    assert [one["command"] for one in entries] == ["family revoke"]
    assert str(family.sister.id) not in str(entries)


def test_a_seat_is_released_its_session_ends_and_somebody_else_sits_down(family, support):
    game = family.games[0]
    family.share(family.rival)
    session = family.rival.starts(game)
    assert family.sister.starts(game) == "FAMILY_SEAT_BUSY"
    for user, words in ((family.brother.id, ("the user's own",)), (family.rival.id, ("the user", str(game)))):
        drawn = support.shows("family", "seats", user)
        assert all(word in drawn for word in (TITLE, *words))
    [seat] = support.data("family", "seats", family.brother.id)["seats"]
    assert (seat["held_by_user_id"], seat["session_id"], seat["session_runs"]) == (str(family.rival.id), session, True)
    release = ("family", "release-seat", family.brother.id, game)
    ran = support.run(*release)
    assert (ran.code, f"{TITLE}: {family.rival.id} holds its seat" in ran.err) == (0, True)
    assert family.rival.beats(session) == "alive"
    done = support.applies(*release, reason="he fell asleep")
    assert (done["before"]["session_id"], done["after"]["session_id"], done["can_undo"]) == (session, None, False)
    wait_for(lambda: family.rival.beats(session) == "FAMILY_SEAT_LOST")
    assert support.data("family", "seats", family.brother.id)["seats"] == []
    assert support.refused(*release) == (3, "NOT_FOUND")
    assert len(family.sister.starts(game)) == len(session)
    [entry] = support.data("audit", "list", "--user", family.rival.id, "--kind", "change")["entries"]
    assert (entry["command"], entry["target"]["session_id"]) == ("family release-seat", session)
    assert support.refused("audit", "undo", entry["audit_id"]) == (4, "PRECONDITION_FAILED")


def test_a_release_whose_answer_was_lost_is_reported_when_it_is_repeated(family, support, service):
    game = family.games[0]
    session = family.sister.starts(game)
    release = ("family", "release-seat", family.brother.id, game)
    seen = support.data(*release)["revision"]
    words = ("--json", *release, "--apply", "--reason", "he fell asleep", "--revision", seen)
    proxy = LossyProxy(service.grpc)
    lost = support.run(*words, LIBCTL_ENDPOINT=proxy.address)
    proxy.close()
    assert (lost.code, lost.out, proxy.lost) == (5, "", 1)
    assert "it is not known whether the change was made" in lost.error["message"]
    assert f"--apply --reason 'he fell asleep' --revision {seen}" in lost.error["try"]
    wait_for(lambda: family.sister.beats(session) == "FAMILY_SEAT_LOST")
    again = support.run(*words)
    assert (again.code, again.data["applied"], again.data["before"]["session_id"]) == (0, True, session), again.err
    [entry] = support.data("audit", "list", "--user", family.sister.id, "--kind", "change")["entries"]
    assert again.data["audit_id"] == entry["audit_id"]
    # Somebody sits there again by now, which the release is not about.
    family.sister.starts(game)
    assert support.run(*words).data["audit_id"] == entry["audit_id"]
    for others in (("--reason", "for another reason"), ("--revision", "0" * 16)):
        assert support.run(*words, *others).code in (3, 4)


def test_a_batch_of_releases_makes_each_once_even_if_its_journal_forgets(family, support, tmp_path, monkeypatch):
    monkeypatch.setenv("LIBCTL_BATCHES", str(tmp_path))
    game = family.games[0]
    session = family.sister.starts(game)
    (tmp_path / "owners.txt").write_text(f"{family.brother.id}\n")
    release = ("family", "release-seat", game)
    batch = support.data(*release, "--users-file", tmp_path / "owners.txt")["batch_id"]
    apply = (*release, "--batch", batch, "--apply", "--reason", "an outage of the studio")
    assert support.data(*apply)["applied"] == 1
    with sqlite3.connect(tmp_path / f"{batch}.sqlite") as journal:
        journal.execute("UPDATE items SET state = 'planned', audit_id = ''")
    journal.close()
    again = support.data(*apply)
    assert (again["applied"], again["failed"], again["exceptions"]) == (1, 0, [])
    assert len(support.data("audit", "list", "--batch", batch)["entries"]) == 1
    assert family.sister.beats(session) == "FAMILY_SEAT_LOST"


def test_a_seat_that_somebody_else_took_meanwhile_is_not_released(family, support):
    game = family.games[0]
    family.share(family.rival)
    session = family.rival.starts(game)
    release = ("family", "release-seat", family.brother.id, game)
    seen = support.data(*release)["revision"]
    family.rival.post(f"/playtime/sessions/{session}/end")
    sisters = family.sister.starts(game)
    words = (*release, "--apply", "--reason", "as seen in the dry run", "--revision", seen)
    assert support.refused(*words) == (4, "PRECONDITION_FAILED")
    assert family.sister.beats(sisters) == "alive"


def test_a_seat_whose_session_is_nowhere_is_freed_too(family, support, platform):
    game = family.games[0]
    session = family.sister.starts(game)
    asyncio.run(forget_session(platform.dsn, session))
    assert "no longer runs" in " ".join(support.shows("family", "seats", family.brother.id).split())
    support.applies("family", "release-seat", family.brother.id, game)
    assert support.data("family", "seats", family.brother.id)["seats"] == []
    assert len(family.sister.starts(game)) == len(session)


def test_a_contested_seat_has_one_session_or_none(family, support, platform):
    game = family.games[0]
    family.share(family.rival)
    for _ in range(5):
        session = family.rival.starts(game)
        with ThreadPoolExecutor(3) as pool:
            pool.submit(family.rival.post, f"/playtime/sessions/{session}/end")
            for _ in range(2):
                pool.submit(family.sister.starts, game)
            ran = support.run(
                "family", "release-seat", family.brother.id, game, "--apply", "--reason", "at the same moment"
            )
        assert ran.code in (0, 3, 4), ran.err  # done; free already; somebody else sits there by now
        seats = support.data("family", "seats", family.brother.id)["seats"]
        sessions = asyncio.run(running_on(platform.dsn, family.brother.id))
        assert [one["session_id"] for one in seats] == sessions
        for left in sessions:
            family.sister.post(f"/playtime/sessions/{left}/end")


def test_a_player_may_nothing_of_this(family, staff):
    somebody = staff("user", user_id=family.brother.id)
    for words in (
        ("family", "list", family.brother.id),
        ("family", "release-seat", family.brother.id, family.games[0], "--apply", "--reason", "it is mine now"),
        ("access", "explain", family.brother.id, family.games[0]),
        ("library", "grant", family.brother.id, family.games[0], "--apply", "--reason", "it is mine now"),
    ):
        assert somebody.refused(*words) == (1, "PERMISSION_DENIED")


def test_the_explanation_names_the_seat_holder_and_a_starts_outcome(family, support):
    game = family.games[0]
    family.share(family.rival)
    session = family.rival.starts(game)
    explained = support.data("access", "explain", family.sister.id, game)
    assert (explained["has_access"], explained["reason"], explained["start"]) == (True, "shared", "seat_busy")
    [link] = explained["links"]
    assert (link["link_id"], link["verdict"], link["is_busy"]) == (family.link, "shared", True)
    assert explained["deciding_link_id"] == explained["starting_link_id"] == family.link
    assert (link["seat"]["session_id"], link["seat"]["session_runs"]) == (session, True)
    drawn = support.shows("access", "explain", family.sister.id, game)
    for words in (
        TITLE,
        "may play: a family link shares it",
        "starting now is refused: the seat is busy",
        "grants: none",
        "← decides",
        "the copy is taken, since",
        f"by {family.rival.id}",
    ):
        assert words in drawn
    explained = support.data("access", "explain", family.brother.id, game)
    assert (explained["reason"], explained["start"], explained["own_seat"]["session_id"]) == (
        "owned",
        "own_copy",
        session,
    )
    assert "by this user" in support.shows("access", "explain", family.rival.id, game)


def test_another_game_of_the_same_owner_keeps_a_member_from_a_second_one(family, support):
    game, other = family.games
    family.sister.starts(other)
    [link] = support.data("access", "explain", family.sister.id, game)["links"]
    assert (link["is_busy"], link["seat"], link["other_seat"]["title"]) == (True, None, OTHER_TITLE)
    drawn = support.shows("access", "explain", family.sister.id, game)
    assert f"the user holds the seat of {OTHER_TITLE} of this owner" in drawn


def test_an_owner_who_plays_is_shown(family, support):
    game = family.games[0]
    family.brother.starts(game)
    [link] = support.data("access", "explain", family.sister.id, game)["links"]
    assert (link["is_busy"], link["seat"]) == (True, None)
    assert "the owner plays since" in support.shows("access", "explain", family.sister.id, game)


def test_the_chain_says_why_nothing_is_shared(family, support):
    game, other = family.games
    family.brother.http.patch(
        f"/family/links/{family.link}",
        json={"data": {"attributes": {"mode": "only", "product_ids": [str(other)]}}},
    )
    explained = support.data("access", "explain", family.sister.id, game)
    assert (explained["has_access"], explained["reason"], explained["start"]) == (False, "out_of_scope", "refused")
    drawn = support.shows("access", "explain", family.sister.id, game)
    assert "may not play: the link doesn't share this game" in drawn
    assert "only some games: this game is not included" in drawn
    ends = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    family.brother.http.patch(
        f"/family/links/{family.link}", json={"data": {"attributes": {"mode": "all", "expires_at": ends}}}
    )

    def has_ended():  # not only lost access: the sister has none either until the wider scope has arrived
        return support.data("access", "explain", family.sister.id, game)["reason"] in ("link_expired", "link_ended")

    wait_for(has_ended)
    explained = support.data("access", "explain", family.sister.id, game)
    assert not explained["has_access"]
    assert explained["links"][0]["status"] == "revoked_by_owner"
    nobody = support.data("access", "explain", uuid4(), uuid4())
    assert (nobody["is_known"], nobody["links"], nobody["is_free_to_play"]) == (False, [], None)


@pytest.mark.parametrize("columns", [80, 120])
def test_trees_and_tables_keep_to_the_width(family, support, columns, monkeypatch):
    game = family.games[0]
    family.sister.starts(game)
    monkeypatch.setattr(support, "columns", columns)
    for words in (
        ("family", "list", family.brother.id),
        ("family", "show", family.brother.id, family.link),
        ("family", "seats", family.brother.id),
        ("access", "explain", family.sister.id, game),
    ):
        assert max(map(len, support.shows(*words).splitlines())) <= columns

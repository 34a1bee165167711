"""Calls of the service: repeated while it is away, never applied twice, and errors that a program can handle."""

import json
from datetime import UTC, datetime

import httpx
import pytest
from gameshelf.client import LibraryClient
from gameshelf.client.saves.uploads import CommitPending
from gameshelf.savesync.api import SaveApi
from gameshelf.savesync.errors import PolicyRefused, ServiceAway, ServiceRefusal, UnexpectedAnswer
from gameshelf.savesync.files import LocalFile
from gameshelf.savesync.wire import (
    CommittedVersion,
    NewVersion,
    SlotOnDevice,
    to_ns,
    to_rfc3339,
)
from hypothesis import given
from hypothesis import strategies as st


class Answers:
    """A service that gives the answers of a test, in their order, and remembers the requests."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    async def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bodies(self):
        return [json.loads(request.content)["data"]["attributes"] for request in self.requests if request.content]

    @property
    def keys(self):
        return [request.headers.get("idempotency-key") for request in self.requests]


def answer(attributes=None, meta=None, status=200, **headers):
    body = {"data": {"id": "i1", "type": "t", "attributes": attributes or {}}, "meta": meta or {}}
    return httpx.Response(status, json=body, headers=headers)


def error(status, code="REFUSED", meta=None, **headers):
    body = {"errors": [{"status": str(status), "code": code, "detail": "no", "meta": meta or {}}]}
    return httpx.Response(status, json=body, headers=headers)


@pytest.fixture
def calls(pause):
    """Makes a client of answers."""

    def make(*answers, token="token"):
        service = Answers(*answers)
        http = httpx.AsyncClient(transport=httpx.MockTransport(service))
        return service, SaveApi(LibraryClient("http://service/api/v1/library/", token, http=http, pause=pause))

    return make


COMMITTED = answer({"version": 4, "content_identity": "aa"}, {"result": "head", "regresses_to": 2})


class TestRetries:
    @pytest.mark.parametrize("failure", [httpx.ConnectError("away"), httpx.ReadTimeout("slow"), error(503), error(500)])
    async def test_a_moment_without_the_service(self, calls, pauses, failure):
        service, api = calls(failure, failure, COMMITTED)
        assert (await api.commit("u1")).version == 4
        assert len(pauses) == 2
        assert len(set(service.keys)) == 1, "one call has one key, so that it is applied once"

    async def test_the_service_says_how_long(self, calls, pauses):
        _, api = calls(error(429, **{"Retry-After": "30"}), COMMITTED)
        await api.commit("u1")
        assert 30 <= pauses[0] <= 31

    @pytest.mark.parametrize(
        ("headers", "least"),
        [
            ({"Retry-After": "Fri, 27 Nov 2026 08:00:40 GMT", "Date": "Fri, 27 Nov 2026 08:00:00 GMT"}, 40),
            ({"Retry-After": "Fri, 27 Nov 2026 07:00:00 GMT", "Date": "Fri, 27 Nov 2026 08:00:00 GMT"}, 0),
            ({"Retry-After": "soon"}, 0),
            ({"Retry-After": "Fri, 99 Nov 2026 08:00:40 GMT"}, 0),
        ],
    )
    async def test_the_service_says_until_when(self, calls, pauses, headers, least):
        """Also by its own clock (vdirsyncer#733, chroncal#105)."""
        _, api = calls(error(429, **headers), COMMITTED)
        await api.commit("u1")
        assert least <= pauses[0] <= least + 1

    async def test_nobody_waits_until_tomorrow(self, calls, pauses):
        _, api = calls(error(503, **{"Retry-After": "Tue, 01 Jan 2199 00:00:00 GMT"}))
        with pytest.raises(ServiceAway):
            await api.commit("u1")
        assert pauses == []

    async def test_nobody_waits_an_hour(self, calls, pauses):
        _, api = calls(error(429, "RATE_LIMIT_EXCEEDED", **{"Retry-After": "3600"}))
        with pytest.raises(ServiceAway, match="RATE_LIMIT_EXCEEDED"):
            await api.commit("u1")
        assert pauses == []

    async def test_a_service_that_stays_away(self, calls, pauses):
        _, api = calls(*[httpx.ReadError("reset")] * 6)
        with pytest.raises(ServiceAway, match="reset"):
            await api.files("s1", 1)
        assert len(pauses) == 5

    async def test_a_machine_without_a_network_does_not_wait_long(self, calls, pauses):
        _, api = calls(*[httpx.ConnectError("no route to host")] * 3)
        with pytest.raises(ServiceAway, match="no route to host"):
            await api.files("s1", 1)
        assert sum(pauses) <= 3

    async def test_an_answer_that_cannot_be_unpacked_is_asked_for_again(self, calls):
        _, api = calls(httpx.DecodingError("incorrect header check"), COMMITTED)
        assert (await api.commit("u1")).version

    @pytest.mark.parametrize(
        ("code", "meta", "text"),
        [
            (
                "SAVEGAME_FILE_TOO_LARGE",
                {"limit": "file", "path": "saves/big.sav", "size_bytes": 62914560, "max_bytes": 52428800},
                "saves/big.sav has 60.0 MiB, and 50.0 MiB are allowed",
            ),
            ("SAVEGAME_FILE_TOO_LARGE", {"size_bytes": 2048, "max_bytes": 1024}, "the save has 2.0 KiB, and 1.0 KiB"),
            (
                "SAVEGAME_FILE_TOO_LARGE",
                {"file_count": 11, "max_files": 10},
                "the save has 11 files, and 10 are allowed",
            ),
            (
                "USER_QUOTA_EXCEEDED",
                {"limit": "user", "required_bytes": 3, "used_bytes": 1023, "limit_bytes": 1024},
                "3 B more are needed; 1023 B of 1.0 KiB for saves are used",
            ),
            ("USER_QUOTA_EXCEEDED", {"limit": "slots", "max": 1000}, "as the service says it"),
            ("SAVEGAME_FILE_TOO_LARGE", {}, "as the service says it"),
        ],
    )
    async def test_a_limit_is_named(self, calls, code, meta, text):
        _, api = calls(
            httpx.Response(413, json={"errors": [{"code": code, "detail": "as the service says it", "meta": meta}]})
        )
        with pytest.raises(ServiceRefusal, match=f"{code}: {text}"):
            await api.commit("u1")

    async def test_each_call_has_a_key_of_its_own(self, calls):
        service, api = calls(httpx.Response(204), httpx.Response(204))
        await api.synced("s1", 3, "d")
        await api.synced("s1", 3, "d")
        assert len(set(service.keys)) == 2
        assert {request.headers["authorization"] for request in service.requests} == {"Bearer token"}


class TestRefusals:
    async def test_a_refusal_has_its_code_and_values(self, calls):
        _, api = calls(error(409, "SAVEGAME_SHRINKS", {"removed": 36}))
        with pytest.raises(ServiceRefusal) as refused:
            await api.commit("u1")
        assert (refused.value.status, refused.value.code, refused.value.meta) == (
            409,
            "SAVEGAME_SHRINKS",
            {"removed": 36},
        )

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"errors": []}', b'{"errors": 1}', b""])
    async def test_a_refusal_of_a_proxy(self, calls, body):
        _, api = calls(httpx.Response(413, content=body))
        with pytest.raises(ServiceRefusal, match="HTTP_413"):
            await api.commit("u1")

    @pytest.mark.parametrize(
        "response",
        [
            httpx.Response(200, content=b"no JSON"),
            httpx.Response(200, json=[]),
            httpx.Response(200, json={"data": None}),
            answer({"version": 1}),
        ],
    )
    async def test_an_answer_of_something_else(self, calls, response):
        _, api = calls(response)
        with pytest.raises(UnexpectedAnswer):
            await api.commit("u1")

    @pytest.mark.parametrize(
        "response",
        [
            httpx.Response(200, html="<html>Log in to this network</html>"),
            httpx.Response(302, headers={"Location": "http://hotspot.example/login"}),
            httpx.Response(511, html="<html>Log in to this network</html>"),
        ],
    )
    async def test_a_hotspot_is_no_service(self, calls, pauses, response):
        """The game can be played, and the work waits (sakia#447, virtaal#3508)."""
        service, api = calls(response)
        with pytest.raises(ServiceAway, match="service is not reached: this network answers instead of it"):
            await api.commit("u1")
        assert (len(service.requests), pauses) == (1, [])

    async def test_a_token_that_expired_on_the_way_is_renewed(self, calls):
        """grive2#19, onedrive#3355, acd_cli#519."""
        tokens = iter(["old", "new"])
        service, api = calls(error(503), error(401), error(503), COMMITTED, token=lambda: next(tokens))
        assert (await api.commit("u1")).version == 4
        sent = [one.headers["authorization"].removeprefix("Bearer ") for one in service.requests]
        assert (sent, len(set(service.keys))) == (["old", "old", "new", "new"], 1)

    @pytest.mark.parametrize("token", ["old", lambda: "old"])
    async def test_a_token_that_is_not_renewed_is_refused(self, calls, token):
        service, api = calls(error(401, "UNAUTHENTICATED"), token=token)
        with pytest.raises(ServiceRefusal, match="UNAUTHENTICATED"):
            await api.commit("u1")
        assert len(service.requests) == 1

    async def test_a_proxy_does_not_know_what_is_missing(self, calls):
        _, api = calls(httpx.Response(404, content=b"not here"), error(404, "SAVEGAME_VERSION_NOT_FOUND"))
        for is_missing in (False, True):
            with pytest.raises(ServiceRefusal) as refused:
                await api.synced("s1", 1, "d1")
            assert refused.value.is_missing is is_missing

    @pytest.mark.parametrize(
        "change",
        [
            {"size_bytes": -1},
            {"size_bytes": "1"},
            {"size_bytes": True},
            {"sha256": "../../etc/passwd"},
            {"sha256": "A" * 64},
            {"sha256": None},
            {"path": None},
            {"path": "../a"},
            {"modified_at": "yesterday"},
            {"raw_size_bytes": -1},
        ],
    )
    async def test_a_list_that_makes_no_sense(self, calls, change):
        entry = {"path": "saves/a", "size_bytes": 1, "sha256": "a" * 64} | change
        _, api = calls(httpx.Response(200, json={"data": [{"id": "1", "attributes": entry}], "links": {}}))
        with pytest.raises(UnexpectedAnswer, match="files"):
            await api.files("s1", 1)

    @pytest.mark.parametrize(
        "change",
        [
            {"missing_count": "1"},
            {"missing_bytes": -1},
            {"uploads": [{"sha256": "a" * 64}]},
            {"uploads": [{"sha256": "a" * 64, "part_size_bytes": 8, "parts": [{"number": 0}]}]},
            {"uploads": None},
        ],
    )
    async def test_an_upload_that_makes_no_sense(self, calls, change):
        _, api = calls(answer({"status": "open", "missing_bytes": 1, "missing_count": 1, "uploads": []} | change))
        with pytest.raises(UnexpectedAnswer, match="upload"):
            await api.upload("u1")

    async def test_an_upload_that_has_ended_is_cancelled(self, calls):
        _, api = calls(error(404), error(403))
        await api.cancel("u1")
        with pytest.raises(ServiceRefusal):
            await api.cancel("u1")


class TestCalls:
    async def test_a_plan(self, calls):
        slots = [
            {"slot_name": "main", "action": "download", "reason": "behind", "head_version": 9, "of_later": 1},
            {"slot_name": "b", "action": "none", "reason": "identical", "written_by_newer_version": "1.1"},
        ]
        others = [{"device_id": "d2", "state": "upload_pending", "unsynced_playtime_seconds": 7_800, "since": "…"}]
        said = {"slots": slots, "others": others, "proceed": "ask", "policy_revision": 3, "policy": None}
        service, api = calls(answer(said, {"auto_sync": False}))
        units = {f"w{n}": "aa" for n in range(2)}
        asked = [SlotOnDevice("main", "cc", "s1", 3, units), SlotOnDevice("b", None, base_version=0)]
        advice = await api.plan("p", "d1", "launch", asked, {"device_name": "deck", "game_version_id": None})
        assert [(slot.action, slot.head_version) for slot in advice.slots] == [("download", 9), ("none", None)]
        assert advice.slots[1].written_by_newer_version == "1.1"
        assert advice.others[0].unsynced_playtime_seconds == 7_800
        assert (advice.proceed, advice.policy_revision, advice.auto_sync) == ("ask", 3, False)
        main = {"slot_name": "main", "content_hash": "cc", "savegame_id": "s1", "base_version": 3}
        main["units"] = [{"name": "w0", "sha256": "aa"}, {"name": "w1", "sha256": "aa"}]
        empty = {"slot_name": "b", "content_hash": None, "base_version": 0}
        assert service.bodies == [
            {"product_id": "p", "device_id": "d1", "intent": "launch", "device_name": "deck", "slots": [main, empty]}
        ]

    def test_more_units_than_a_plan_takes_are_left_out(self):
        assert "units" not in SlotOnDevice("a", "cc", units={str(n): "aa" for n in range(201)}).attributes()

    async def test_a_commit_that_takes_longer(self, calls):
        progress = {"verified_count": 3, "total_count": 9}
        _, api = calls(answer({}, progress, 202, **{"Retry-After": "4"}), answer({}, progress, 202), COMMITTED)
        assert await api.commit("u1") == CommitPending(3, 9, 4.0)
        assert (await api.commit("u1")).retry_after == 2.0
        done = await api.commit("u1")
        assert done == CommittedVersion("i1", 4, "aa", "head", {"result": "head", "regresses_to": 2})

    async def test_a_single_file_that_is_still_compared_is_asked_for_again(self, calls, pauses):
        pending = answer(status=202, **{"Retry-After": "4"})
        service, api = calls(pending, answer(status=202), COMMITTED)
        assert (await api.confirm_file("u1")).version == 4
        assert pauses == [4.0, 2.0]
        assert len(set(service.keys)) == 3, "with the key of before it would be the answer of before"

    async def test_a_single_file_is_not_asked_for_without_end(self, calls, pauses):
        _, api = calls(*[answer(status=202) for _ in range(100)])
        with pytest.raises(ServiceAway, match="has verified 0 of 0"):
            await api.confirm_file("u1")
        assert len(pauses) == 30

    async def test_pages_are_read_to_their_end(self, calls):
        def page(paths, links):
            entries = [{"path": path, "size_bytes": 1, "sha256": "a" * 64} for path in paths]
            return httpx.Response(
                200, json={"data": [{"id": one["path"], "attributes": one} for one in entries], "links": links}
            )

        service, api = calls(page(["a", "b"], {"next": "…"}), page(["c"], {}))
        assert list(await api.files("s1", 7)) == ["a", "b", "c"]
        assert [request.url.params["page"] for request in service.requests] == ["1", "2"]
        assert {request.url.params["limit"] for request in service.requests} == {"1000"}

    async def test_a_policy(self, calls):
        said = {"revision": 7, "source": "catalog", "mode": "backup", "roots": {"saves": {"where": []}}}
        _, api = calls(answer(said), answer({"mode": "unknown"}))
        assert (await api.policy("p")).mode == "backup"
        with pytest.raises(PolicyRefused, match="mode: unknown"):
            await api.policy("p")

    async def test_saves_and_their_history(self, calls):
        save = {"slot_name": "main", "version": 4, "content_identity": "aa", "file_size_bytes": 9, "file_count": 2}

        def listed(**more):
            return httpx.Response(200, json={"data": [{"id": "s1", "attributes": save | more}], "links": {}})

        service, api = calls(listed(), listed(status="pruned", comment="Босс", is_pinned=True))
        [head] = await api.saves("p")
        [version] = [one async for one in api.versions("s1")]
        assert (head.id, head.file_count, head.status, head.is_pinned) == ("s1", 2, None, False)
        assert (version.status, version.comment, version.is_pinned) == ("pruned", "Босс", True)
        assert service.requests[0].url.params["product_id"] == "p"

    async def test_conflicts_and_restores(self, calls):
        difference = {"id": "1", "attributes": {"path": "a", "unit": "/", "kind": "both_changed"}}
        service, api = calls(
            answer({"differences_count": 1}),
            httpx.Response(200, json={"data": [difference], "links": {}}),
            answer({"version": 5, "content_identity": "bb"}, {"resolution": "merge"}),
            COMMITTED,
        )
        assert await api.conflict("c1") == {"id": "i1", "differences_count": 1}
        assert [one["kind"] async for one in api.differences("c1")] == ["both_changed"]
        merged = await api.resolve("c1", "merge", {"units": {"w1": "head"}, "copy_slot_name": None})
        assert (merged.version, merged.meta) == (5, {"resolution": "merge"})
        await api.restore("s1", 2, "d", ["w1"])
        assert service.bodies == [
            {"resolution": "merge", "units": {"w1": "head"}},
            {"version": 2, "device_id": "d", "units": ["w1"]},
        ]

    async def test_the_switch_of_a_player(self, calls):
        service, api = calls(answer({"auto_sync": False}), answer({"auto_sync": True}), answer(), answer())
        assert await api.auto_sync() is False
        assert await api.auto_sync("p") is True
        await api.set_auto_sync(False)
        await api.set_auto_sync(True, "p")
        paths = [request.url.path.removeprefix("/api/v1/library/savegames/") for request in service.requests]
        assert paths == ["preferences", "policy/p/me", "preferences", "policy/p/me"]
        assert service.bodies == [{"auto_sync": False}, {"auto_sync": True}]


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000_000))
def test_times_survive_to_the_microsecond(ns):
    assert to_ns(to_rfc3339(ns)) == ns - ns % 1_000


def test_times_are_written_as_the_service_reads_them():
    assert datetime.fromisoformat(to_rfc3339(1_700_000_000_000_001_000)) == datetime(
        2023, 11, 14, 22, 13, 20, 1, tzinfo=UTC
    )
    assert to_rfc3339(-1) is None
    assert to_rfc3339(2**64) is None


def test_equal_saves_make_equal_requests():
    files = {path: LocalFile(1, 1, "a" * 64, path) for path in ("saves/b", "saves/a")}
    one, other = (NewVersion("p", "main", "d", dict(order)) for order in (files.items(), reversed(files.items())))
    assert json.dumps(one.attributes()) == json.dumps(other.attributes())

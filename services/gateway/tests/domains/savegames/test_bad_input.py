"""Invalid requests about saves: each error names the field, in both languages, and nothing changes."""

import unicodedata
from uuid import uuid4

import pytest

HASH = "ab" * 32
NOBODYS = "5f0c0000-0000-4000-8000-000000000000"
"""An id that nothing has."""
RIGHT = {
    "product_id": str(uuid4()),
    "save_slot_name": "slot",
    "file_size_bytes": 1,
    "file_hash_sha256": HASH,
}
UPLOAD = {
    "a way up": ("save_slot_name", "../slot", "The name may not have '..' as a folder."),
    "nothing but dots": ("save_slot_name", "...", "At least one visible character is needed."),
    "a line break": ("save_slot_name", "a\nb", "Control and bidi-override characters are not allowed."),
    "an escape": ("save_slot_name", "a\x1b[2J", "Control and bidi-override characters are not allowed."),
    "an override": ("save_slot_name", "a\u202eb", "Control and bidi-override characters are not allowed."),
    "a NUL": ("save_slot_name", "a\x00b", "NUL and lone surrogates are not allowed."),
    "nothing to see": ("save_slot_name", " \u200b", "At least one visible character is needed."),
    "no name": ("save_slot_name", "", "At least 1 characters."),
    "256 code points": ("save_slot_name", "\U0001f600" * 256, "At most 255 characters."),
    "a number as name": ("save_slot_name", 5, "A string is expected."),
    "null as name": ("save_slot_name", None, "A string is expected."),
    "a hash that is not hexadecimal": ("file_hash_sha256", "g" * 64, "A value like ^[0-9a-fA-F]{64}$ is expected."),
    "a short hash": ("file_hash_sha256", "ab", "A value like ^[0-9a-fA-F]{64}$ is expected."),
    "a hash and a line break": ("file_hash_sha256", HASH + "\n", "At most 64 characters."),
    "less than nothing": ("file_size_bytes", -1, "At least 0."),
    "a size as text": ("file_size_bytes", "1", "A whole number is expected."),
    "half a byte": ("file_size_bytes", 0.5, "A whole number is expected."),
    "true as size": ("file_size_bytes", True, "A whole number is expected."),
    "more than any file": ("file_size_bytes", 2**53 + 1, "At most 9007199254740992."),
    "more than any number": ("file_size_bytes", 10**30, "At most 9007199254740992."),
    "no product": ("product_id", "slot", "A UUID is expected."),
    "a base below nothing": ("base_version", -1, "At least 0."),
    "a long device": ("device_id", "d" * 101, "At most 100 characters."),
    "a long comment": ("comment", "c" * 501, "At most 500 characters."),
    "a time without a zone": ("client_modified_at", "2026-05-20T12:00:00", "Give the offset from UTC, such as Z."),
    "no time at all": ("client_modified_at", "yesterday", "A time in RFC 3339 is expected."),
    "a clock that was never set": (
        "client_modified_at",
        "0001-01-01T00:00:00+14:00",
        "A time from 1970 to 2199 is expected.",
    ),
    "the end of time": (
        "client_modified_at",
        "9999-12-31T23:59:59.999999-14:00",
        "A time from 1970 to 2199 is expected.",
    ),
    "negative playtime": ("playtime_seconds", -5, "At least 0."),
    "an unknown policy": ("conflict_policy", "mine", "Allowed values: manual, most_recent, longest_playtime."),
    "encryption as text": ("encryption", "aes", "An object is expected."),
    "a field that nobody knows": ("s3_key", "mine.sav", "Unknown field; remove it."),
}


@pytest.mark.parametrize("name", UPLOAD)
async def test_a_wrong_field_is_named_in_both_languages(player, name):
    field, value, text = UPLOAD[name]
    path = "/savegames/upload-url"
    english = await player.post(path, {**RIGHT, field: value}, **{"Accept-Language": "en"})
    [error] = english.json()["errors"]
    assert (english.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["source"] == {"pointer": f"/data/attributes/{field}"}
    assert error["detail"] == text
    [russian] = (await player.post(path, {**RIGHT, field: value})).json()["errors"]
    assert russian["source"] == error["source"]
    assert any("а" <= letter <= "я" for letter in russian["detail"].lower())


async def test_everything_that_is_wrong_is_reported_at_once(player):
    wrong = {**RIGHT, "file_size_bytes": -1, "encryption": {"scheme": "age", "key": "secret"}, "save_slot_name": ".."}
    answer = await player.post("/savegames/upload-url", wrong)
    assert {error["source"]["pointer"].removeprefix("/data/attributes/") for error in answer.json()["errors"]} == {
        "file_size_bytes",
        "encryption/key",
        "encryption/key_id",
        "save_slot_name",
    }
    nothing = await player.post("/savegames/upload-url")
    assert {error["source"]["pointer"] for error in nothing.json()["errors"]} == {
        f"/data/attributes/{name}" for name in RIGHT
    }


OTHERS = [
    ("POST", "/savegames/confirm-upload", {"internal_save_id": "x"}, "internal_save_id"),
    ("POST", "/savegames/confirm-upload", {}, "internal_save_id"),
    ("POST", "/savegames/confirm-upload", {"internal_save_id": NOBODYS, "s3_path": "k" * 2049}, "s3_path"),
    ("POST", f"/savegames/{NOBODYS}/restore", {"version": 0}, "version"),
    ("POST", f"/savegames/{NOBODYS}/restore", {"version": "1"}, "version"),
    ("POST", f"/savegames/{NOBODYS}/restore", {}, "version"),
    ("PATCH", f"/savegames/{NOBODYS}/versions/1", {"is_pinned": "yes"}, "is_pinned"),
    ("PATCH", f"/savegames/{NOBODYS}/versions/1", {"comment": 5}, "comment"),
    ("PATCH", f"/savegames/{NOBODYS}/versions/1", {"version": 2}, "version"),
    ("POST", f"/savegames/conflicts/{NOBODYS}/resolve", {}, "resolution"),
    ("POST", f"/savegames/conflicts/{NOBODYS}/resolve", {"resolution": "mine"}, "resolution"),
    (
        "POST",
        f"/savegames/conflicts/{NOBODYS}/resolve",
        {"resolution": "keep_both", "copy_slot_name": ".."},
        "copy_slot_name",
    ),
]


@pytest.mark.parametrize(("method", "path", "attributes", "field"), OTHERS)
async def test_the_other_calls_name_the_field_too(player, method, path, attributes, field):
    answer = await player.http.request(method, path, json={"data": {"attributes": attributes}})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["source"] == {"pointer": f"/data/attributes/{field}"}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("/savegames?page=0", "page"),
        ("/savegames?limit=101", "limit"),
        ("/savegames?limit=0", "limit"),
        ("/savegames?page=99999999999999999999", "page"),
        ("/savegames?product_id=x", "product_id"),
        ("/savegames?trashed=perhaps", "trashed"),
        ("/savegames?sort=size", "sort"),
        ("/savegames/conflicts?limit=101", "limit"),
        (f"/savegames/{NOBODYS}/versions?limit=101", "limit"),
        (f"/savegames/{NOBODYS}/download-url?version=0", "version"),
        (f"/savegames/{NOBODYS}/download-url?device_id=%00", "device_id"),
    ],
)
async def test_a_wrong_parameter_is_named(player, query, parameter):
    answer = await player.http.get(query)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["source"] == {"parameter": parameter}


async def test_pages_are_bounded_and_do_not_overlap(player, device, data_of):
    for number in range(5):
        data_of(await device.save(b"%d" % number, f"slot {number}"))
    walked = []
    for page in (1, 2, 3, 4):
        found = await player.get("/savegames", page=page, limit=2)
        assert found["meta"] == {"total_items": 5, "current_page": page, "per_page": 2}
        walked += [one["attributes"]["slot_name"] for one in found["data"]]
    assert walked == [f"slot {number}" for number in (4, 3, 2, 1, 0)]
    for number in range(4):
        savegame_id, _ = data_of(await device.save(b"again %d" % number))
    found = await player.get(f"/savegames/{savegame_id}/versions", page=2, limit=3)
    assert [one["attributes"]["version"] for one in found["data"]] == [1]
    assert found["meta"]["total_items"] == 4


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z"])
async def test_a_clients_clock_may_say_much(player, device, data_of, moment):
    savegame_id, made = data_of(await device.save(b"old", client_modified_at=moment))
    assert made["client_modified_at"] == moment
    assert (await player.get(f"/savegames/{savegame_id}"))["data"]["attributes"] == made


NAMES = [
    "Глава 1. Начало",
    "a/b",
    "con.sav",
    "Chapter 1...2",
    "~",
    "%2e%2e%2f",
    "e\u0301",
    "x" * 255,
    "\U0001f600" * 255,
    "漢" * 255,
    "a b",
    "<script>",
    '"; rm',
]


@pytest.mark.parametrize("name", NAMES)
async def test_a_strange_name_is_kept_as_it_is_and_leads_nowhere_else(player, device, data_of, jobs, name):
    savegame_id, made = data_of(await device.save(name.encode(), name))
    assert made["slot_name"] == unicodedata.normalize("NFC", name)
    assert await device.load(savegame_id) == name.encode()
    key = await jobs.pool.fetchval(
        "SELECT s3_object_key FROM savegames.savegame_contents WHERE user_id = $1", player.id
    )
    assert (key.count("/"), key.isascii()) == (4, True)
    assert key in await jobs.keys(player)


async def test_a_key_guards_every_post(player, device, data_of, refused):
    savegame_id, _ = data_of(await device.save(b"1"))
    data_of(await device.save(b"2"))
    conflict = (await device.save(b"3", base_version=1)).json()["errors"][0]["meta"]["conflict_id"]
    key = {"Idempotency-Key": "k"}
    for path, body, other in (
        (f"/savegames/{savegame_id}/restore", {"version": 1}, {"version": 2}),
        (f"/savegames/conflicts/{conflict}/resolve", {"resolution": "keep_both"}, {"resolution": "keep_local"}),
        (f"/savegames/{savegame_id}/undelete", {}, {"x": 1}),
    ):
        # The head has moved since the conflict was returned; that refusal is an answer too.
        first = await player.post(path, body, **key)
        again = await player.post(path, body, **key)
        assert (again.text, again.headers["Idempotency-Replayed"]) == (first.text, "true")
        assert refused(await player.post(path, other, **key)) == (409, "IDEMPOTENCY_KEY_REUSED")
    found = (await player.get(f"/savegames/{savegame_id}/versions"))["data"]
    assert [one["attributes"]["version"] for one in found] == [4, 3, 2, 1]
    path = "/savegames/upload-url"
    attributes = {**RIGHT, "product_id": str(device.product)}
    assert (await player.post(path, attributes, **key)).status_code == 200
    assert refused(await player.post(path, {**attributes, "comment": "x"}, **key)) == (409, "IDEMPOTENCY_KEY_REUSED")

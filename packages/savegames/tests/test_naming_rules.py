"""Names of slots and keys of objects, on plain values."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

import pytest
from gameshelf.savegames import (
    NewUpload,
    Resolve,
    incoming_key,
    incoming_prefix,
    is_version_key,
    object_key,
    part_key,
    part_metadata,
    staging_key,
    user_prefix,
)
from gameshelf.savegames._naming import (
    Marks,
    ObjectMetadata,
    conflict_name,
    free_name,
    metadata_of,
    object_metadata,
    upload_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

USER = UUID("a11a0000-0000-4000-8000-000000000001")
GAME = UUID("e13a6af9-8f7f-5141-8c4c-ea7f9c90bc8b")
UNIQUE = UUID("0123456789abcdef0123456789abcdef")
NOW = datetime(2026, 5, 20, 12, 30, 5, tzinfo=UTC)
METADATA_BYTES = 2048
"""The largest metadata of an object that S3 accepts; the names count with their prefix."""

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=255)


def key(slot_name, now=NOW, version=7):
    return object_key(USER, GAME, slot_name, version, UNIQUE, now)


def test_a_key_has_the_form_of_the_contract():
    prefix = sha256(str(USER).encode()).hexdigest()[:4]
    assert key("slot1") == f"{prefix}/{USER}/{GAME}/slot1/20260520T123005Z_v7_0123456789ab.sav"
    assert key("slot1").startswith(user_prefix(USER))
    assert staging_key(UNIQUE) == f"staging/{UNIQUE}"


def test_keys_of_sets_have_the_form_of_the_contract():
    content = sha256(b"a").digest()
    assert incoming_key(UNIQUE, content) == f"incoming/{UNIQUE}/{content.hex()}"
    assert incoming_key(UNIQUE, content).startswith(incoming_prefix(UNIQUE))
    assert part_key(USER, GAME, "slot1", UNIQUE) == f"{user_prefix(USER)}{GAME}/slot1/~parts/0123456789abcdef.bin"
    assert part_metadata(USER, GAME, content, 1) == {
        "user-id": str(USER),
        "product-id": str(GAME),
        "part": "1",
        "sha256": content.hex(),
        "size": "1",
    }


@settings(derandomize=True)
@given(names)
def test_a_content_of_a_set_is_never_taken_for_a_version(name):
    found = part_key(USER, GAME, name, UNIQUE)
    assert is_version_key(found)
    assert found.rpartition("/~parts/")[0] == key(name).rpartition("/")[0]
    assert metadata_of(found, part_metadata(USER, GAME, bytes(32), 1)) is None
    assert metadata_of(found, object_metadata(USER, GAME, name, 7, 6, bytes(32))) is None


def test_the_upload_of_a_received_object_is_known_by_its_key():
    assert upload_of(staging_key(UNIQUE)) == upload_of(incoming_key(UNIQUE, bytes(32))) == UNIQUE
    name = bytes(32).hex()
    for other in (f"incoming/{UNIQUE}", f"incoming/{UNIQUE}/x", f"incoming/x/{name}", f"incoming/{UNIQUE}/{name}/x"):
        assert upload_of(other) is None
    assert upload_of(f"staging/{UNIQUE}/x") is upload_of(key("slot")) is None


def test_the_time_in_a_key_is_in_utc():
    assert key("slot", NOW.astimezone(timezone(timedelta(hours=5)))) == key("slot")


@pytest.mark.parametrize("name", ["slot1", "Auto_save-3.sav", "...", ".hidden", "a" * 100])
def test_a_safe_name_is_a_part_of_the_key(name):
    assert f"/{name}/" in key(name)


@pytest.mark.parametrize(
    "name", [".", "..", "a/b", "слот", "a b", "a" * 101, "slot\n", "~", "%2e%2e", "a\\b", "é", "\u202e", "a?b#c"]
)
def test_any_other_name_becomes_its_hash(name):
    assert f"/~{sha256(name.encode()).hexdigest()[:32]}/" in key(name)


@settings(derandomize=True)
@given(names, names)
def test_keys_are_plain_and_differ_between_slots(one, other):
    assert re.fullmatch(
        r"[0-9a-f]{4}/[0-9a-f-]{36}/[0-9a-f-]{36}/[A-Za-z0-9._~-]{1,100}/[0-9TZ_v]+_\w{12}\.sav", key(one)
    )
    assert (key(one) == key(other)) is (one == other)


@settings(derandomize=True)
@given(names)
def test_metadata_is_ascii_and_small_enough_for_a_store(name):
    written = object_metadata(USER, GAME, name, 2**53, 2**53 - 1, b"\xff" * 32)
    assert "".join(written.values()).isascii()
    assert sum(len("x-amz-meta-") + len(header) + len(value) for header, value in written.items()) <= METADATA_BYTES


@pytest.mark.parametrize("name", ["\u3042" * 255, "\U0001f600" * 255, "я" * 255, "a" * 255])
def test_the_longest_names_fit_into_metadata_too(name):
    written = object_metadata(USER, GAME, name, 2**53, 2**53 - 1, b"\xff" * 32)
    assert sum(len("x-amz-meta-") + len(header) + len(value) for header, value in written.items()) <= METADATA_BYTES


def test_metadata_describes_an_object():
    assert object_metadata(USER, GAME, "слот (2)", 7, 5, b"\x01" * 32) == {
        "user-id": str(USER),
        "product-id": str(GAME),
        "slot-name": "%D1%81%D0%BB%D0%BE%D1%82 (2)",
        "version": "7",
        "parent-version": "5",
        "sha256": "01" * 32,
    }


MARKS = Marks("zstd", '{"scheme": "AES-256-GCM", "key_id": "ключ 7"}')


def test_metadata_contains_the_marks_that_reading_needs():
    written = object_metadata(USER, GAME, "slot", 7, 5, b"\x01" * 32, MARKS)
    assert "".join(written.values()).isascii()
    assert metadata_of(key("slot"), written).marks == MARKS
    del written["marks"]
    assert metadata_of(key("slot"), written).marks == Marks()


@settings(derandomize=True)
@given(names, st.text(max_size=50), st.text(max_size=150))
def test_marks_never_make_metadata_too_large(name, encoding, key_id):
    marks = Marks(encoding or None, json.dumps({"scheme": "s", "key_id": key_id}))
    written = object_metadata(USER, GAME, name, 2**53, 2**53 - 1, b"\xff" * 32, marks)
    assert sum(len("x-amz-meta-") + len(header) + len(value) for header, value in written.items()) <= METADATA_BYTES


@pytest.mark.parametrize("marks", ["", "%", "e30=", "WzFd", "WyJhIiwgInt9IiwgMV0=", "WyJhIiwgIltdIl0="])
def test_invalid_marks_make_metadata_invalid(marks):
    written = object_metadata(USER, GAME, "slot", 7, 5, b"\x01" * 32) | {"marks": marks}
    assert metadata_of(key("slot"), written) is None


@pytest.mark.parametrize(
    ("wanted", "taken", "free"),
    [
        ("slot", [], "slot"),
        ("slot", ["other"], "slot"),
        ("slot", ["slot"], "slot (2)"),
        ("slot", ["slot", "slot (2)", "slot (4)"], "slot (3)"),
        ("slot (2)", ["slot (2)"], "slot (2) (2)"),
        ("я" * 255, ["я" * 255], "я" * 251 + " (2)"),
    ],
)
def test_a_taken_name_gets_a_number(wanted, taken, free):
    assert free_name(wanted, taken) == free


@settings(derandomize=True)
@given(names, st.integers(0, 12))
def test_a_free_name_is_free_and_fits(wanted, others):
    taken = set()
    for _ in range(others):
        name = free_name(wanted, taken)
        assert name not in taken
        assert 1 <= len(name) <= 255
        taken.add(name)
    assert len(taken) == others


def test_the_slot_of_a_branch_is_named_after_its_save():
    assert conflict_name("slot", 12) == "slot (conflict v12)"
    assert conflict_name("a" * 255, 2**53) == "a" * (255 - 29) + " (conflict v9007199254740992)"


def upload(name):
    return NewUpload(product_id=GAME, save_slot_name=name, file_size_bytes=0, file_hash_sha256="0" * 64)


@pytest.mark.parametrize(
    "name", ["a", "a" * 255, "Слот №1", "a/b", "Chapter 1...2", "a..b/c", "a.b.c", "e\u0301" * 255]
)
def test_a_slot_may_be_called(name):
    assert 1 <= len(upload(name).save_slot_name) <= 255
    assert Resolve(resolution="keep_both", copy_slot_name=name)


@pytest.mark.parametrize("name", ["", "a" * 256, "..", "a/../b", "a\n", "a\0", "\u200b", "  ", "\ud800", "a\u202eb"])
def test_a_slot_may_not_be_called(name):
    with pytest.raises(ValidationError):
        upload(name)
    with pytest.raises(ValidationError):
        Resolve(resolution="keep_both", copy_slot_name=name)


def test_a_hash_is_accepted_in_either_case():
    lower, upper = (
        NewUpload(product_id=GAME, save_slot_name="a", file_size_bytes=0, file_hash_sha256=text)
        for text in ("ab" * 32, "AB" * 32)
    )
    assert lower.content == upper.content


@settings(derandomize=True)
@given(names, st.integers(1, 2**53))
def test_metadata_is_read_as_it_was_written(name, version):
    written = object_metadata(USER, GAME, name, version, version - 1, b"\x01" * 32)
    assert metadata_of(key(name, version=version), written) == ObjectMetadata(
        USER, GAME, name, version, version - 1, b"\x01" * 32
    )


@pytest.mark.parametrize(
    "more",
    [
        {"user-id": str(UNIQUE)},
        {"user-id": "nobody"},
        {"product-id": str(UNIQUE)},
        {"slot-name": "other"},
        {"slot-name": "%ff"},
        {"slot-name": "base64:?"},
        {"version": "8"},
        {"version": "many"},
        {"parent-version": "7"},
        {"parent-version": "-1"},
        {"sha256": "01"},
        {"sha256": "no hash"},
        {"sha256": None},
    ],
)
def test_contradictory_metadata_is_invalid(more):
    written = object_metadata(USER, GAME, "slot", 7, 5, b"\x01" * 32) | more
    metadata = {name: value for name, value in written.items() if value is not None}
    assert metadata_of(key("slot"), metadata) is None


@pytest.mark.parametrize("other", ["", "x", key("slot") + "x", "x/" + key("slot"), key("slot", version=8)])
def test_metadata_under_another_key_is_invalid(other):
    assert metadata_of(other, object_metadata(USER, GAME, "slot", 7, 5, b"\x01" * 32)) is None

"""The stored forms of a list of files, on plain values."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.kernel.clock import EARLIEST
from gameshelf.savegames._files import SaveFile, hash_of, ordered
from gameshelf.savegames._limits import MAX_SET_FILES
from gameshelf.savegames._lists import ListHeader, SetDetails, decode, encode, fits, from_object, to_object
from gameshelf.savegames._paths import fold
from hypothesis import given, settings
from hypothesis import strategies as st
from zstandard import ZstdCompressor, ZstdDecompressor

NOW = datetime(2026, 5, 20, 12, 30, 5, 123456, tzinfo=UTC)
HEADER = ListHeader(
    user_id=UUID("a11a0000-0000-4000-8000-000000000001"),
    product_id=UUID("e13a6af9-8f7f-5141-8c4c-ea7f9c90bc8b"),
    slot_name="слот 1",
    version=7,
    parent_version=5,
    merged_version=6,
    made=SetDetails(client_modified_at=NOW, device_id="deck", comment="до босса", playtime_seconds=3600),
)

hashes = st.binary(min_size=32, max_size=32)
files = st.builds(
    SaveFile,
    st.sampled_from(["saves/a", "saves/Мир/б", "saves/\U0001f600", "saves/a b", "config/x"]),
    st.integers(0, 2**50),
    hashes,
    st.none() | st.binary(min_size=16, max_size=64),
    st.none() | hashes,
    st.none() | st.integers(0, 2**53),
    st.none() | st.integers(0, 7_258_118_399_999_999).map(lambda past: EARLIEST + timedelta(microseconds=past)),
    st.sampled_from([None, "zstd"]),
    st.sampled_from([None, '{"scheme": "AES", "key_id": "ключ"}']),
)
lists = st.lists(files, min_size=1, unique_by=lambda file: fold(file.path)).map(ordered)


def keys_of(listed):
    return {file.sha256: f"0a1b/{file.sha256.hex()[:12]}.bin" for file in listed}


def packed(document):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ZstdCompressor().compress(data)


def unpacked(data):
    return json.loads(ZstdDecompressor().decompress(data))


@settings(max_examples=sized(10, 50), derandomize=True)
@given(lists)
def test_a_list_comes_back_as_it_was(listed):
    assert decode(encode(listed)) == listed


@settings(max_examples=sized(10, 50), derandomize=True)
@given(lists)
def test_an_object_has_all_of_its_version(listed):
    found = from_object(to_object(HEADER, listed, keys_of(listed)))
    assert (found.header, found.files, found.keys) == (HEADER, listed, keys_of(listed))


def test_the_form_of_the_database():
    listed = (SaveFile("saves/я", 3, b"\x01" * 32, b"\x02" * 16, modified_at=NOW),)
    assert unpacked(encode(listed)) == {
        "f": 1,
        "files": [["saves/я", 3, "01" * 32, "02" * 16, None, None, 1779280205123456, None, None]],
    }


def test_the_form_of_the_bucket():
    listed = (SaveFile("saves/я", 3, b"\x01" * 32),)
    found = unpacked(to_object(HEADER, listed, {b"\x01" * 32: "key"}))
    assert found == {
        "format": 1,
        "user_id": str(HEADER.user_id),
        "product_id": str(HEADER.product_id),
        "slot_name": "слот 1",
        "version": 7,
        "parent_version": 5,
        "merged_version": 6,
        "made": {
            "client_modified_at": "2026-05-20T12:30:05.123456Z",
            "device_id": "deck",
            "comment": "до босса",
            "playtime_seconds": 3600,
            "game_version_id": None,
        },
        "sha256": hash_of(listed).hex(),
        "identity": hash_of(listed).hex(),
        "files": [["saves/я", 3, "01" * 32, None, None, None, None, None, None]],
        "contents": {"01" * 32: "key"},
    }


def test_an_offset_of_a_time_is_gone_and_its_microseconds_are_kept():
    listed = (SaveFile("a", 1, b"\x01" * 32, modified_at=NOW.astimezone(tz=None) + timedelta(microseconds=1)),)
    (found,) = decode(encode(listed))
    assert found.modified_at == NOW + timedelta(microseconds=1)
    assert found.modified_at.tzinfo is UTC


LISTED = ordered(SaveFile(f"saves/{name}", 1, sha256(name.encode()).digest()) for name in "abc")
BODY = encode(LISTED)
OBJECT = to_object(HEADER, LISTED, keys_of(LISTED))


@pytest.mark.parametrize("parse", [decode, from_object])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not packed",
        BODY[:-1],
        BODY + b"x",
        packed(b""),
        packed(b"[" * 100_000),
        packed(b"{}"),
        packed({"f": 2, "files": [["a", 1, "01" * 32, *[None] * 6]]}),
        packed({"f": 1, "files": []}),
        packed({"f": 1, "files": [["a", -1, "01" * 32, *[None] * 6]]}),
        packed({"f": 1, "files": [["a", 1, "01" * 31, *[None] * 6]]}),
        packed({"f": 1, "files": [["a", 1, "01" * 32, *[None] * 7]]}),
        packed({"f": 1, "files": [["a", "1", "01" * 32, *[None] * 6]]}),
        packed({"f": 1, "files": [["a", 1, "01" * 32, *[None] * 5, "[]"]]}),
        packed({"f": 1, "files": [["a", 1, "01" * 32, *[None] * 5, "{"]]}),
        packed({"f": 1, "files": [["a", 1, "01" * 32, None, None, None, 2**60, None, None]]}),
        packed({"f": 1, "files": [["a", 1, "01" * 32, *[None] * 6]] * (MAX_SET_FILES + 1)}),
    ],
)
def test_other_bytes_are_refused(parse, data):
    with pytest.raises(ValueError, match=r"."):
        parse(data)


def test_a_list_that_unpacks_to_more_than_allowed_is_not_unpacked():
    bomb = packed(b" " * 10_000_000)
    assert len(bomb) < 10_000
    for parse in (decode, from_object):
        with pytest.raises(ValueError, match="too large"):
            parse(bomb, 1_000_000)
    unknown = ZstdCompressor(write_content_size=False).compress(b" " * 100)
    with pytest.raises(ValueError, match="unknown size"):
        decode(unknown)


def changed(**fields):
    return packed(unpacked(OBJECT) | fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"version": 5}, "parents"),
        ({"version": 6}, "parents"),
        ({"sha256": "00" * 32}, "hashes"),
        ({"identity": "00" * 32}, "hashes"),
        ({"files": unpacked(OBJECT)["files"][:2]}, "hashes"),
        ({"files": unpacked(OBJECT)["files"][::-1]}, "paths"),
        ({"files": [["../a", *unpacked(OBJECT)["files"][0][1:]]]}, "paths"),
        ({"files": unpacked(OBJECT)["files"] * 2}, "paths"),
        ({"contents": {}}, "contents"),
        ({"contents": unpacked(OBJECT)["contents"] | {"00" * 32: "key"}}, "contents"),
        ({"slot_name": "a\x00"}, "slot_name"),
        ({"made": {"comment": "x" * 501}}, "comment"),
        ({"made": {"device_id": "\x00"}}, "device_id"),
        ({"made": {"playtime_seconds": -1}}, "playtime_seconds"),
        ({"format": 2}, "format"),
        ({"more": 1}, "more"),
    ],
)
def test_an_object_that_contradicts_itself_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        from_object(changed(**fields))


def test_an_object_of_a_set_that_is_too_large_is_refused():
    """The sum would not fit into a column."""
    huge = ordered(SaveFile(f"saves/{name}", 2**53, b"\x01" * 32) for name in "ab")
    with pytest.raises(ValueError, match="larger"):
        from_object(to_object(HEADER, huge, {b"\x01" * 32: "key"}))


@settings(max_examples=sized(16, 80), derandomize=True)
@given(st.integers(0, len(OBJECT) - 1), st.integers(1, 255))
def test_a_damaged_object_is_refused_or_the_same(at, flip):
    damaged = bytearray(OBJECT)
    damaged[at] ^= flip
    try:
        found = from_object(bytes(damaged))
    except ValueError:
        return
    assert found.files == LISTED


def test_a_list_fits_as_long_as_it_can_be_read_again():
    long = ordered(SaveFile(f"{number}" + "\U00020000" * 1_000, 1, b"\x01" * 32) for number in range(4_100))
    assert not fits(long)
    with pytest.raises(ValueError, match="too large"):
        decode(encode(long))
    assert fits(long[:4_000])
    assert decode(encode(long[:4_000])) == long[:4_000]

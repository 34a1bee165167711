"""Contents of saves: sizes, hashes and parts are those that the service computes."""

from hashlib import sha256
from io import BytesIO

import pytest
from gameshelf.client import ContentChanged, ForeignAnswer
from gameshelf.client.saves.contents import PART_BYTES, PartHashes, blocks_of, entry_of, part_size_of
from gameshelf.client.saves.tickets import ticket_of, ticket_of_file
from hypothesis import given, settings
from hypothesis import strategies as st

LARGE = bytes(range(256)) * 4096 * 20
"""20 MiB: three parts."""


def test_the_size_of_parts():
    assert part_size_of(8 * 1024**2 + 1) == 8 * 1024**2
    assert part_size_of(5 * 1024**3) == 8 * 1024**2
    assert part_size_of(10_000 * 1024**2) == 10 * 1024**2
    assert part_size_of(8 * 1024**2 * 1_000 + 1) == 8 * 1024**2 + 1


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, len(LARGE)])
def test_a_file_and_its_bytes_have_one_entry(tmp_path, size):
    content, file = LARGE[:size], tmp_path / "a"
    file.write_bytes(content)
    parts = [sha256(content[at : at + PART_BYTES]).hexdigest() for at in range(0, size, PART_BYTES)]
    expected = {"path": "a", "size_bytes": size, "sha256": sha256(content).hexdigest()}
    expected |= {"part_sha256": parts} if len(parts) > 1 else {}
    for one in (content, file, lambda: BytesIO(content)):
        assert entry_of("a", one) == expected


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(1, 30))
def test_parts_do_not_depend_on_the_blocks(blocks, part_size):
    parts, content = PartHashes(part_size), b"".join(blocks)
    for block in blocks:
        parts.update(block)
    expected = [sha256(content[at : at + part_size]).hexdigest() for at in range(0, len(content), part_size)]
    assert parts.hashes == (expected if len(expected) > 1 else [])
    assert parts.size == len(content)


async def test_a_file_that_has_become_shorter_is_not_sent(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"short")
    counted = []
    with pytest.raises(ContentChanged):
        _ = [block async for block in blocks_of(file, 0, 6, counted.append)]
    assert counted == [5]
    assert [block async for block in blocks_of(file, 2, 3, counted.append)] == [b"ort"]


@pytest.mark.parametrize(
    "change",
    [
        {"missing_count": "1"},
        {"missing_bytes": -1},
        {"missing_bytes": True},
        {"uploads": [{"sha256": "a" * 64}]},
        {"uploads": [{"sha256": "a" * 64, "part_size_bytes": 8, "parts": [{"number": 0}]}]},
        {"uploads": None},
        {"status": None},
    ],
)
def test_an_upload_that_makes_no_sense_is_not_the_services(change):
    said = {"status": "open", "missing_bytes": 1, "missing_count": 1, "uploads": [], "skipped": []}
    assert ticket_of({"id": "u", "attributes": said}).missing_count == 1
    with pytest.raises(ForeignAnswer, match="upload"):
        ticket_of({"id": "u", "attributes": {**said, **change}})


def test_bytes_that_the_cloud_has_need_no_request():
    said = {"internal_save_id": "u", "upload_required": False, "upload_url": None, "method": None, "headers": {}}
    assert ticket_of_file({"attributes": said}, "a" * 64, 3).requests == ()
    with pytest.raises(ForeignAnswer):
        ticket_of_file({"attributes": {**said, "upload_required": True}}, "a" * 64, 3)

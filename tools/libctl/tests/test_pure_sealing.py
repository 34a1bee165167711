"""Encrypted objects: what was cut, continued, reordered, moved or encrypted by another key does not decrypt."""

from base64 import b64encode

import pytest
from gameshelf.libctl.backup.keys import Keys, parse
from gameshelf.libctl.backup.sealing import FRAME, TAG, may_hold, opened, sealed, sealed_size
from gameshelf.libctl.errors import Refused, Usage
from hypothesis import given, settings
from hypothesis import strategies as st

KEYS = Keys("2026-11", {"2026-11": b"k" * 32})
HEADER = 9 + 1 + len("2026-11") + 16
SEALED_FRAME = FRAME + TAG
CONTENT = bytes(range(256)) * (3 * FRAME // 256) + b"the end"


def seal(content, keys=KEYS, place="id/a"):
    return b"".join(sealed([content], keys, place))


def unseal(content, keys=KEYS, place="id/a"):
    return b"".join(opened([content], keys, place))


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME + 7])
def test_content_of_every_length_comes_back(size):
    content = CONTENT[:size]
    made = seal(content)
    assert len(made) == sealed_size(size, KEYS)
    assert may_hold(len(made), size)
    assert unseal(made) == content
    assert size < 32 or content[:32] not in made


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, FRAME), max_size=8), st.integers(1, 2 * FRAME))
def test_the_pieces_in_which_it_arrives_do_not_matter(pieces, step):
    content = CONTENT[: sum(pieces) % len(CONTENT)]
    made = b"".join(sealed((content[at : at + step] for at in range(0, len(content), step)), KEYS, "p"))
    arriving = [made[at : at + step + 1] for at in range(0, len(made), step + 1)]
    assert b"".join(opened(arriving, KEYS, "p")) == content


def test_two_objects_of_one_content_have_nothing_in_common():
    first, second = seal(CONTENT), seal(CONTENT)
    assert first[HEADER : HEADER + 64] != second[HEADER : HEADER + 64]


@pytest.mark.parametrize("length", [0, 5, HEADER - 1, HEADER, HEADER + SEALED_FRAME, HEADER + 2 * SEALED_FRAME, -1])
def test_a_cut_object_is_refused_even_between_two_frames(length):
    with pytest.raises(Refused) as refused:
        unseal(seal(CONTENT)[:length])
    assert refused.value.reason == "BACKUP_DAMAGED"


def test_reordered_repeated_and_dropped_frames_are_refused():
    made = seal(CONTENT)
    start = made[:HEADER]
    frames = [made[at : at + SEALED_FRAME] for at in range(HEADER, len(made), SEALED_FRAME)]
    for order in ([1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [0, 1, 2, 3, 3], [3]):
        with pytest.raises(Refused):
            unseal(start + b"".join(frames[number] for number in order))
    assert unseal(start + b"".join(frames)) == CONTENT


def test_each_changed_byte_of_header_content_and_end_is_found():
    made = seal(b"some content")
    for at in range(len(made)):
        changed = bytearray(made)
        changed[at] ^= 1
        with pytest.raises(Refused):
            unseal(bytes(changed))
    with pytest.raises(Refused):
        unseal(made + b"x")


def test_an_object_cannot_stand_for_another_one():
    with pytest.raises(Refused):
        unseal(seal(b"toc of monday", place="monday/toc.dat"), place="tuesday/toc.dat")


def test_a_key_is_rotated_and_the_old_one_still_reads():
    both = Keys("2026-12", {"2026-12": b"n" * 32, "2026-11": b"k" * 32})
    assert unseal(seal(b"old"), both) == b"old"
    with pytest.raises(Refused) as refused:
        unseal(seal(b"new", both))
    assert refused.value.reason == "BACKUP_KEY_MISSING"
    assert "2026-12" in refused.value.message
    with pytest.raises(Refused):
        unseal(seal(b"old"), Keys("2026-11", {"2026-11": b"w" * 32}))


def test_keys_are_read_line_by_line_and_never_quoted():
    first, second = b64encode(b"a" * 32).decode(), b64encode(b"b" * 32).decode()
    keys = parse(f"# ours\n\n2026-12:{first}\n2026-11:{second}\n")
    assert (keys.current, keys.named("2026-11")) == ("2026-12", b"b" * 32)
    assert "aaa" not in repr(keys)
    short = b64encode(b"a" * 31).decode()
    for text in ("", "# none", first, f"x:{short}", f"a b:{first}", f"x:{first}\nx:{second}", "x:%%%"):
        with pytest.raises(Usage) as refused:
            parse(text)
        assert first[:12] not in refused.value.message

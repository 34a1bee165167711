"""Lists of files, their hashes and deltas, on plain values."""

from hashlib import sha256

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames._files import SaveFile, apply_delta, hash_of, identity_of, lineage_key, ordered
from gameshelf.savegames._naming import MAX_IDENTITY
from gameshelf.savegames._paths import fold
from hypothesis import given, settings
from hypothesis import strategies as st

PATHS = [
    "saves/a",
    "saves/b",
    "saves/B.sav",
    "saves/Мир/уровень",
    "saves/\uffee",
    "saves/\U0001f600",
    "saves/a b",
    "saves/a.b",
]


def file(path, content=b"", identity=None):
    return SaveFile(path, len(content), sha256(content).digest(), identity)


def lists():
    """Lists with distinct keys; a path may be in capitals."""
    chosen = st.dictionaries(st.sampled_from(PATHS), st.tuples(st.sampled_from([b"", b"a", b"b"]), st.booleans()))
    return chosen.map(
        lambda found: ordered(
            file(path.upper() if is_upper else path, content) for path, (content, is_upper) in found.items()
        )
    )


@settings(max_examples=sized(10, 50), derandomize=True)
@given(lists(), st.randoms(use_true_random=False))
def test_hashes_do_not_depend_on_the_order(files, random):
    mixed = random.sample(files, len(files))
    assert ordered(mixed) == files
    assert hash_of(mixed) == hash_of(files)


@settings(max_examples=sized(10, 50), derandomize=True)
@given(lists())
def test_the_hash_is_that_of_the_documented_lines(files):
    lines = sorted((one.path.encode(), one.sha256.hex().encode()) for one in files)
    assert hash_of(files) == sha256(b"".join(content + b" " + path + b"\n" for path, content in lines)).digest()


@settings(max_examples=sized(10, 50), derandomize=True)
@given(lists(), lists())
def test_equal_hashes_have_equal_paths_and_contents(one, other):
    assert (hash_of(one) == hash_of(other)) == (one == other)


def test_times_sizes_and_marks_are_in_no_hash():
    plain = SaveFile("saves/a", 1, b"\x01" * 32)
    marked = SaveFile("saves/a", 2, b"\x01" * 32, raw_size=3, content_encoding="zstd", encryption="{}")
    assert hash_of([plain]) == hash_of([marked])
    assert identity_of([plain]) == identity_of([marked])


def test_the_identity_is_over_what_lineage_compares():
    packed = file("saves/a", b"packed", identity=sha256(b"raw").digest())
    assert identity_of([packed]) == identity_of([file("saves/a", b"raw")])
    assert hash_of([packed]) != hash_of([file("saves/a", b"raw")])
    assert (packed.same_as, file("saves/a", b"raw").same_as) == (sha256(b"raw").digest(),) * 2


@settings(max_examples=sized(10, 50), derandomize=True)
@given(lists(), st.binary(min_size=16, max_size=MAX_IDENTITY))
def test_a_set_and_a_single_file_never_compare_identical(files, identity):
    """Not even where the file is the text that the hash of the set is over."""
    key = lineage_key(identity_of(files), is_set=True)
    assert key != lineage_key(identity, is_set=False)
    assert key != lineage_key(key[-len(identity) :], is_set=False)
    assert lineage_key(identity, is_set=False) == identity


@settings(max_examples=sized(10, 50), derandomize=True)
@given(lists(), lists())
def test_a_delta_between_two_lists_gives_the_second(base, result):
    wanted = {fold(one.path) for one in result}
    put = [one for one in result if one not in base]
    remove = [one.path for one in base if fold(one.path) not in wanted]
    assert apply_delta(base, put, remove) == result


@settings(max_examples=sized(10, 50), derandomize=True)
@given(lists(), lists())
def test_a_put_file_takes_the_place_of_any_spelling(base, put):
    found = {fold(one.path): one for one in apply_delta(base, put, [])}
    assert found == {fold(one.path): one for one in base} | {fold(one.path): one for one in put}


@pytest.mark.parametrize(
    ("put", "remove", "found"),
    [
        ([], ["saves/b"], [("not_in_base", "remove/0")]),
        ([], ["saves/A", "SAVES/a"], [("said_twice", "remove/1")]),
        (["saves/A"], ["saves/a"], [("said_twice", "put/0/path")]),
        (["saves/b"], ["saves/b"], [("not_in_base", "remove/0"), ("said_twice", "put/0/path")]),
        (["saves/b", "saves/B"], [], [("said_twice", "put/1/path")]),
    ],
)
def test_a_path_that_a_delta_names_wrongly(put, remove, found):
    with pytest.raises(InvalidInput) as caught:
        apply_delta((file("saves/a"),), [file(path) for path in put], remove)
    assert [(one.rule, one.pointer) for one in caught.value.problems] == found


def test_a_delta_has_at_most_so_many_problems():
    with pytest.raises(InvalidInput) as caught:
        apply_delta((), [], [f"saves/{index}" for index in range(1000)])
    assert len(caught.value.problems) == 100

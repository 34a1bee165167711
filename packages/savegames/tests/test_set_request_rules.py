"""Refusals of requests for sets, on values."""

from dataclasses import replace
from uuid import uuid4

import pytest
from gameshelf.kernel.errors import InvalidInput
from gameshelf.savegames import (
    Limits,
    NewSet,
    SavegameBaseNotSynced,
    SavegameFileTooLarge,
    SavegameHashMismatch,
    SavegamePolicyChanged,
    SavegameShrinks,
    SavegameVersionNotFound,
)
from gameshelf.savegames._files import SaveFile, hash_of, lineage_key, ordered
from gameshelf.savegames._limits import MAX_LIST_BYTES
from gameshelf.savegames._policies import SavePolicy
from gameshelf.savegames._set_requests import RequestedSet, SetRequest, require_shape
from gameshelf.savegames._store.set_contexts import KnownContent, SetContext

MIB = 1024**2
A, B, C = ("a" * 64, "b" * 64, "c" * 64)
LIST = uuid4()


def entry(path="a", sha256=A, size_bytes=1, **more):
    return {"path": path, "sha256": sha256, "size_bytes": size_bytes, **more}


def new(files=None, **more):
    about = {"product_id": uuid4(), "save_slot_name": "slot", "device_id": "pc"}
    return NewSet(**about | ({} if files is None else {"files": files}) | more)


def context(**more):
    known = {
        "slot_id": None,
        "slot_name": None,
        "head_version": None,
        "last_version": None,
        "head_identity": None,
        "device_version": None,
        "has_base": False,
        "highest_version": 0,
        "has_trash": False,
        "lacks_keys": False,
        "slot_count": 0,
        "open_uploads": 0,
        "used_bytes": 0,
        "limit_bytes": None,
        "has_expired": False,
        "signed_bytes": 0,
        "reserved_bytes": 0,
        "head_device_id": None,
        "head_manifest_id": None,
        "base_manifest_id": None,
        "policy": None,
        "policy_revision": 0,
        "same": {},
    }
    return SetContext(**known | more)


def with_head(**more):
    known = {
        "slot_id": uuid4(),
        "head_version": 3,
        "last_version": 3,
        "head_identity": lineage_key(b"h" * 32, is_set=True),
        "device_version": 3,
        "head_device_id": "deck",
        "head_manifest_id": LIST,
        "base_manifest_id": LIST,
    }
    return context(**known | more)


def request(asked, found=None, base=0, **policy):
    found = found or context()
    if policy:
        found = replace(found, policy=SavePolicy.model_validate(policy).model_dump_json(), policy_revision=7)
    return SetRequest(asked, found, base, Limits())


def limited(limits):
    return context(policy=SavePolicy.model_validate({"limits": limits}).model_dump_json(), policy_revision=1)


def files(**sizes):
    return ordered(SaveFile(name, size, name[0].encode() * 32) for name, size in sizes.items())


def rules(error):
    return [(one.rule, one.pointer) for one in error.value.problems]


WRONG = {
    "nothing": (new(), [("missing", "files")]),
    "no file": (new([]), [("set_is_empty", "files")]),
    "no device": (new([entry()], device_id=None), [("missing", "device_id")]),
    "a delta beside files": (
        new([entry()], put=[entry("b")], set_sha256=A),
        [("delta_beside_files", "put"), ("delta_beside_files", "set_sha256")],
    ),
    "a delta without its result": (
        new(put=[entry()]),
        [("missing", "set_sha256"), ("missing", "base_version")],
    ),
    "a single file beside others": (new([entry(None), entry("b")]), [("missing", "files/0/path")]),
    "one path twice": (new([entry("a"), entry("A")]), [("path_taken", "files/1/path")]),
    "a reserved name": (new([entry("x/nul.txt")]), [("path_reserved", "files/0/path")]),
    "a hash of what cannot be unpacked": (
        new([entry("b", B), entry(raw_sha256=B, content_encoding="rar")]),
        [("raw_needs_encoding", "files/1/content_encoding")],
    ),
    "the same bytes with another size": (
        new([entry("a"), entry("b", A.upper(), size_bytes=2)]),
        [("said_differently", "files/1/sha256")],
    ),
    "the same bytes packed otherwise": (
        new([entry("a"), entry("b", content_encoding="gzip")]),
        [("said_differently", "files/1/sha256")],
    ),
    "parts of a small file": (
        new([entry(part_sha256=[A], size_bytes=8 * MIB)]),
        [("part_count", "files/0/part_sha256")],
    ),
    "too few parts": (
        new([entry(part_sha256=[A, B], size_bytes=16 * MIB + 1)]),
        [("part_count", "files/0/part_sha256")],
    ),
}


@pytest.mark.parametrize(("asked", "expected"), WRONG.values(), ids=WRONG)
def test_a_request_that_is_wrong_by_itself_names_the_field(asked, expected):
    with pytest.raises(InvalidInput) as error:
        require_shape(asked)
    assert rules(error) == expected


def test_a_file_in_parts_has_one_hash_for_each():
    require_shape(new([entry(part_sha256=[A, B, C], size_bytes=16 * MIB + 1)]))


def test_another_revision_of_the_policy_is_refused_with_the_current_one():
    request(new([entry()], policy_revision=7), mode="backup").require_policy()
    request(new([entry()]), mode="backup").require_policy()
    with pytest.raises(SavegamePolicyChanged) as error:
        request(new([entry()], policy_revision=6), mode="backup").require_policy()
    assert (error.value.meta["policy_revision"], error.value.meta["policy"]["mode"]) == (7, "backup")


def test_paths_beyond_the_policy_are_refused_by_name():
    roots = {"save": {"include": ["*.sav"]}}
    with pytest.raises(InvalidInput) as error:
        request(new([entry("save/a.sav"), entry("save/b.log", B)]), roots=roots).resulting_set(None)
    assert rules(error) == [("path_against_policy", "files/1/path")]


@pytest.mark.parametrize(
    ("limits", "pointer", "expected"),
    [
        ({"max_files": 1}, "files", {"limit": "files", "max_files": 1, "file_count": 2}),
        ({"max_bytes": 5}, "files", {"limit": "set", "max_bytes": 5, "size_bytes": 6}),
        ({"max_file_bytes": 4}, "files/1/size_bytes", {"limit": "file", "max_bytes": 4, "size_bytes": 5, "path": "b"}),
    ],
)
def test_a_set_beyond_a_limit_is_refused_with_it(limits, pointer, expected):
    asked = new([entry("a"), entry("b", B, size_bytes=5)])
    with pytest.raises(SavegameFileTooLarge) as error:
        SetRequest(asked, limited(limits), 0, Limits()).resulting_set(None)
    assert (error.value.pointer, error.value.meta) == (pointer, expected)


def test_a_policy_may_allow_more_than_the_service():
    asked = new([entry(size_bytes=60 * MIB)])
    with pytest.raises(SavegameFileTooLarge):
        request(asked).resulting_set(None)
    found = SetRequest(asked, limited({"max_file_bytes": 60 * MIB}), 0, Limits()).resulting_set(None)
    assert found.total_bytes == 60 * MIB


def test_a_file_that_is_too_large_may_be_left_out():
    asked = new([entry("a"), entry("b", B, size_bytes=5)])
    found = SetRequest(asked, limited({"max_file_bytes": 4, "oversize": "skip"}), 0, Limits()).resulting_set(None)
    assert [file.path for file in found.files] == ["a"]
    assert [(one.path, one.size, one.max_bytes) for one in found.skipped] == [("b", 5, 4)]
    only = new([entry("b", B, size_bytes=5)])
    with pytest.raises(InvalidInput) as error:
        SetRequest(only, limited({"max_file_bytes": 4, "oversize": "skip"}), 0, Limits()).resulting_set(None)
    assert rules(error) == [("set_is_empty", "files")]


def delta(base=3, **more):
    return new(base_version=base, **{"put": [entry("b", B)], "set_sha256": A} | more)


def test_a_delta_needs_a_base_whose_list_is_there():
    assert request(delta(), with_head(), 3).base_list_id == LIST
    for found, base in ((with_head(base_manifest_id=None), 3), (with_head(), 0), (with_head(), 2)):
        with pytest.raises(SavegameVersionNotFound) as error:
            _ = request(delta(), found, base).base_list_id
        assert error.value.meta["reason"] == "no_list"


def test_a_delta_changes_its_base_and_is_compared_with_the_result():
    base = files(a=1, c=3)
    expected = ordered([*files(c=3), SaveFile("b", 1, bytes.fromhex(B))])
    asked = delta(remove=["A"], set_sha256=hash_of(expected).hex().upper())
    assert request(asked, with_head(), 3).resulting_set(base).files == expected
    with pytest.raises(SavegameHashMismatch) as error:
        request(delta(), with_head(), 3).resulting_set(base)
    assert error.value.meta["reason"] == "set"


def test_a_delta_leaves_out_what_the_policy_covers_no_more():
    base = files(**{"save/a": 1, "logs/a": 1})
    expected = ordered([*files(**{"save/a": 1}), SaveFile("save/b", 1, bytes.fromhex(B))])
    asked = delta(put=[entry("save/b", B)], set_sha256=hash_of(expected).hex())
    assert request(asked, with_head(), 3, roots={"save": {}}).resulting_set(base).files == expected


def test_a_delta_names_what_its_base_lacks_and_what_cannot_be_beside_it():
    with pytest.raises(InvalidInput) as error:
        request(delta(remove=["x"]), with_head(), 3).resulting_set(files(a=1))
    assert rules(error) == [("not_in_base", "remove/0")]
    with pytest.raises(InvalidInput) as error:
        request(delta(put=[entry("a/b", B)]), with_head(), 3).resulting_set(files(a=1))
    assert rules(error) == [("path_is_folder", "put")]


def test_a_file_left_out_of_a_delta_takes_its_former_bytes_along():
    found = replace(with_head(), policy=limited({"max_file_bytes": 4, "oversize": "skip"}).policy)
    expected = files(c=3)
    asked = delta(put=[entry("a", B, size_bytes=5)], set_sha256=hash_of(expected).hex())
    assert request(asked, found, 3).resulting_set(files(a=1, c=3)).files == expected


HEAD = files(a=1, b=1, c=1)


@pytest.mark.parametrize(
    ("found", "passes"),
    [
        (with_head(device_version=3), True),
        (with_head(device_version=2), False),
        (with_head(device_version=None), False),
        (with_head(device_version=None, head_device_id="pc"), True),
        (with_head(device_version=2, head_version=4), True),
        (context(), True),
    ],
)
def test_the_device_must_have_had_the_head_that_it_replaces(found, passes):
    asked = request(new([entry("a"), entry("b"), entry("c")]), found, 3)
    result = asked.resulting_set(None)
    if passes:
        asked.require_guards(result, HEAD)
    else:
        with pytest.raises(SavegameBaseNotSynced) as error:
            asked.require_guards(result, HEAD)
        assert error.value.meta == {"head_version": 3, "device_version": found.device_version}


def test_what_is_the_head_already_is_not_guarded():
    asked = request(new([entry("a")]), with_head(device_version=None), 3)
    result = asked.resulting_set(None)
    same = request(new([entry("a")]), with_head(device_version=None, head_identity=result.key), 3)
    assert not same.needs_head(result)
    same.require_guards(result, None)


@pytest.mark.parametrize(("confirmed", "passes"), [(None, False), (2, True), (1, False), (3, False)])
def test_a_save_shrinks_only_by_the_confirmed_number_of_files(confirmed, passes):
    asked = request(new([entry("a")], confirm_removals=confirmed), with_head(), 3)
    result = asked.resulting_set(None)
    assert asked.needs_head(result)
    if passes:
        asked.require_guards(result, HEAD)
    else:
        with pytest.raises(SavegameShrinks) as error:
            asked.require_guards(result, HEAD)
        assert error.value.meta == {"removed": 2, "bytes": 2, "units": [], "head_version": 3}


def test_what_the_policy_does_not_cover_does_not_shrink():
    asked = request(new([entry("save/a")]), with_head(), 3, roots={"save": {}})
    asked.require_guards(asked.resulting_set(None), files(**{"save/a": 1, "x": 1, "y": 1, "z": 1}))


def known(sha256, content_id=None, size=1, **more):
    about = {"is_missing": False, "raw_sha256": None, "raw_encoding": None, "raw_size": None, "counted_bytes": 0}
    return KnownContent(bytes.fromhex(sha256), content_id, content_id and size, **about | more)


def test_contents_that_are_there_are_held_and_others_are_wanted():
    there, lost = uuid4(), uuid4()
    entries = [
        entry("a", A),
        entry("b", B, 1),
        entry("c", C, 5),
        entry("d", C, 5),
        entry("e", "d" * 64, 7),
        entry("f", "e" * 64, 9),
    ]
    asked = request(new(entries))
    contents = [
        known(A, there),
        known(B, lost, is_missing=True),
        known(C),
        known("d" * 64, counted_bytes=7),
        known("e" * 64, counted_bytes=1),
    ]
    needed = asked.needed_contents(asked.resulting_set(None), {one.sha256: one for one in contents})
    assert needed.held == (there,)
    assert [(one.sha256.hex()[0], one.size, one.content_id) for one in needed.wanted] == [
        ("b", 1, None),
        ("c", 5, None),
        ("d", 7, None),
        ("e", 9, None),
    ]
    # A content counts once: not again if the user has it, even if it is missing, and not if another upload awaits it,
    # but for what that one did not announce.
    assert (needed.new_bytes, needed.sent_bytes, needed.is_required) == (13, 14, True)


def test_unpacked_bytes_that_are_not_known_are_verified_in_place():
    there = uuid4()
    asked = request(new([entry("a", A, raw_sha256=B, content_encoding="gzip")]))
    result = asked.resulting_set(None)
    unknown = asked.needed_contents(result, {bytes.fromhex(A): known(A, there)})
    assert [(one.content_id, one.raw_sha256) for one in unknown.wanted] == [(there, bytes.fromhex(B))]
    assert (unknown.held, unknown.is_required) == ((there,), False)
    verified = known(A, there, raw_sha256=bytes.fromhex(B), raw_encoding="gzip", raw_size=7)
    assert asked.needed_contents(result, {bytes.fromhex(A): verified}).wanted == ()


@pytest.mark.parametrize(("size", "is_known"), [(None, True), (7, True), (8, False)])
def test_a_size_of_unpacked_bytes_that_is_not_known_is_verified(size, is_known):
    asked = request(new([entry("a", A, raw_sha256=B, content_encoding="gzip", raw_size_bytes=size)]))
    one = known(A, uuid4(), raw_sha256=bytes.fromhex(B), raw_encoding="gzip", raw_size=7)
    needed = asked.needed_contents(asked.resulting_set(None), {bytes.fromhex(A): one})
    assert [wanted.raw_size for wanted in needed.wanted] == ([] if is_known else [size])


def test_a_known_content_has_the_size_that_it_has():
    asked = request(new([entry("a", A), entry("b", B, size_bytes=2)]))
    contents = [known(A, uuid4()), known(B, uuid4(), size=1)]
    with pytest.raises(InvalidInput) as error:
        asked.needed_contents(asked.resulting_set(None), {one.sha256: one for one in contents})
    assert rules(error) == [("size_of_known_content", "files/1/size_bytes")]


def test_the_conflict_policy_is_the_requests_else_the_products():
    assert request(new([entry()])).conflict_policy == "manual"
    assert request(new([entry()]), conflict_policy="most_recent").conflict_policy == "most_recent"
    asked = new([entry()], conflict_policy="manual")
    assert request(asked, conflict_policy="most_recent").conflict_policy == "manual"


def test_the_save_changed_when_its_newest_file_did():
    entries = [entry("a", modified_at="2026-05-01T00:00:00Z"), entry("b", B, modified_at="2026-05-02T00:00:00Z")]
    asked = new(entries)
    found = request(asked).resulting_set(None)
    assert found.modified_at(asked).day == 2
    said = new(entries, client_modified_at="2026-05-03T00:00:00Z")
    assert found.modified_at(said).day == 3


def test_a_list_that_could_not_be_read_again_is_refused():
    """Deltas may make a list that is larger than any request."""
    path = "/".join(["\U00020000" * 250] * 4)
    base = tuple(SaveFile(f"{path}{number}", 1, b"h" * 32) for number in range(4_300))
    asked = new(put=[entry()], base_version=3)
    with pytest.raises(SavegameFileTooLarge) as refused:
        request(asked, with_head(), 3)._require_limits(RequestedSet(base))
    assert (refused.value.meta["limit"], refused.value.meta["max_bytes"]) == ("list", MAX_LIST_BYTES)
    assert refused.value.pointer == "put"
    request(asked, with_head(), 3)._require_limits(RequestedSet(base[:4_000]))

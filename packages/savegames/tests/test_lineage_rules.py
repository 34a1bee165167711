"""The relation of an upload to the head, on plain values, compared with an oracle that searches for a path back."""

from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames import ConflictPolicy, Node, Relation, Resolution, Side, ancestors, relation, resolved_by
from gameshelf.savegames._store.versions import StoredVersion
from gameshelf.savegames._timeline import StoredContent
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
CONTENTS = [b"a", b"b", b"c"]


@st.composite
def trees(draw):
    """Versions 1 to n. Each grew from an earlier one, some from two, and some are pruned."""
    tree = {}
    for version in range(1, draw(st.integers(1, 9)) + 1):
        parent = draw(st.integers(0, version - 1))
        merged = draw(st.none() | st.integers(1, version - 1)) if version > 1 else None
        tree[version] = Node(parent, merged, draw(st.sampled_from(CONTENTS)), draw(st.booleans()))
    return tree


def expected(base, content, head, tree):
    """The rule of the contract, applied to one version after the other."""

    @cache
    def leads(version, back_to):
        if version == back_to or back_to == 0:
            return True
        if version < back_to:
            return False
        node = tree[version]
        return leads(node.parent, back_to) or (node.merged is not None and leads(node.merged, back_to))

    if tree[head].is_kept and tree[head].content == content:
        return Relation.IDENTICAL
    if base == head:
        return Relation.DESCENDANT
    for version, node in tree.items():
        if (
            node.content == content
            and (node.is_kept or version == base)
            and leads(head, version)
            and leads(version, base)
        ):
            return Relation.BEHIND
    return Relation.DIVERGED


def history(head, tree):
    """The head and its ancestors."""
    return {version: tree[version] for version in ancestors(head, tree) - {0}}


@settings(max_examples=sized(100, 500), derandomize=True)
@given(trees(), st.data())
def test_the_relation_is_that_of_the_oracle_in_any_tree(tree, data):
    head = data.draw(st.sampled_from(sorted(tree)))
    base = data.draw(st.integers(0, len(tree)))
    content = data.draw(st.sampled_from(CONTENTS))
    assert relation(base, content, head, history(head, tree)) is expected(base, content, head, tree)


@settings(max_examples=sized(30, 150), derandomize=True)
@given(trees(), st.data())
def test_versions_below_the_base_change_nothing(tree, data):
    head = data.draw(st.sampled_from(sorted(tree)))
    base = data.draw(st.integers(0, head))
    content = data.draw(st.sampled_from(CONTENTS))
    whole = history(head, tree)
    above = {version: node for version, node in whole.items() if version >= base or version == head}
    assert relation(base, content, head, above) is relation(base, content, head, whole)


@settings(max_examples=sized(30, 150), derandomize=True)
@given(trees(), st.data())
def test_a_cut_history_makes_content_diverged_at_worst(tree, data):
    head = data.draw(st.sampled_from(sorted(tree)))
    base = data.draw(st.integers(0, head))
    content = data.draw(st.sampled_from(CONTENTS))
    cut = data.draw(st.integers(0, head))
    whole = history(head, tree)
    below = {version: node for version, node in whole.items() if version <= cut or version == head}
    assert relation(base, content, head, below) in (Relation.DIVERGED, relation(base, content, head, whole))


@settings(max_examples=sized(30, 150), derandomize=True)
@given(trees(), st.data())
def test_without_a_base_only_versions_with_the_content_matter(tree, data):
    head = data.draw(st.sampled_from(sorted(tree)))
    content = data.draw(st.sampled_from(CONTENTS))
    whole = history(head, tree)
    holding = [version for version, node in whole.items() if node.holds(content) and version != head]
    few = {version: whole[version] for version in {head, *holding[:1]}}
    assert relation(0, content, head, few) is relation(0, content, head, whole)


@settings(derandomize=True)
@given(st.integers(0, 9), st.sampled_from(CONTENTS))
def test_without_a_head_any_content_becomes_the_first_version(base, content):
    assert relation(base, content, 0, {}) is Relation.DESCENDANT


LINE = {1: Node(0, None, b"a"), 2: Node(1, None, b"b"), 3: Node(2, None, b"c")}


@pytest.mark.parametrize(
    ("base", "content", "found"),
    [
        (3, b"d", Relation.DESCENDANT),
        (3, b"c", Relation.IDENTICAL),
        (0, b"c", Relation.IDENTICAL),
        (2, b"b", Relation.BEHIND),
        (1, b"b", Relation.BEHIND),
        (0, b"a", Relation.BEHIND),
        (2, b"a", Relation.DIVERGED),  # restored on purpose
        (2, b"d", Relation.DIVERGED),
        (3, b"a", Relation.DESCENDANT),
    ],
)
def test_a_relation_in_a_history_without_branches(base, content, found):
    assert relation(base, content, 3, LINE) is found


def test_pruned_content_is_not_behind_since_it_would_be_lost():
    tree = LINE | {2: Node(1, None, b"b", is_kept=False)}
    assert relation(1, b"b", 3, tree) is Relation.DIVERGED


def test_the_content_of_a_pruned_base_has_not_changed():
    tree = LINE | {2: Node(1, None, b"b", is_kept=False)}
    assert relation(2, b"b", 3, tree) is Relation.BEHIND


def test_the_content_of_a_lost_head_is_uploaded_again():
    tree = LINE | {3: Node(2, None, b"c", is_kept=False)}
    assert relation(3, b"c", 3, tree) is Relation.DESCENDANT


def test_both_sides_of_a_merge_are_behind_it():
    tree = {1: Node(0, None, b"a"), 2: Node(1, None, b"b"), 3: Node(1, None, b"c"), 4: Node(2, 3, b"b")}
    assert relation(3, b"c", 4, tree) is Relation.BEHIND
    assert relation(1, b"c", 4, tree) is Relation.BEHIND
    assert relation(2, b"c", 4, tree) is Relation.DIVERGED  # from the head's side the branch is a change


@settings(max_examples=sized(30, 150), derandomize=True)
@given(trees(), st.data())
def test_ancestors_are_closed(tree, data):
    tip = data.draw(st.sampled_from(sorted(tree)))
    found = ancestors(tip, tree)
    assert {tip, 0} <= found <= {0, *tree}
    for version in found - {0}:
        assert {tree[version].parent} | ({tree[version].merged} - {None}) <= found


def side(minutes=0, played=None):
    return Side(NOW + timedelta(minutes=minutes), played)


@pytest.mark.parametrize(
    ("policy", "local", "cloud", "resolution"),
    [
        ("manual", side(5, 9), side(0, 1), None),
        ("most_recent", side(1, 0), side(0, 9), "keep_local"),
        ("most_recent", side(0, 9), side(1, 0), "keep_cloud"),
        ("most_recent", side(), side(), "keep_cloud"),
        ("longest_playtime", side(0, 2), side(9, 1), "keep_local"),
        ("longest_playtime", side(9, 1), side(0, 2), "keep_cloud"),
        ("longest_playtime", side(9, 2), side(0, 2), "keep_cloud"),
        ("longest_playtime", side(9), side(0, 1), "keep_cloud"),
        ("longest_playtime", side(0, 1), side(9), "keep_local"),
        ("longest_playtime", side(9), side(), "keep_cloud"),
    ],
)
def test_a_policy_chooses_a_side_and_the_head_in_a_tie(policy, local, cloud, resolution):
    found = resolved_by(ConflictPolicy(policy), local, cloud)
    assert found == (Resolution(resolution) if resolution else None)


@settings(derandomize=True)
@given(st.builds(side, st.integers(0, 3), st.none() | st.integers(0, 3)), st.data())
def test_a_policy_never_chooses_both_sides(local, data):
    cloud = data.draw(st.builds(side, st.integers(0, 3), st.none() | st.integers(0, 3)))
    for policy in (ConflictPolicy.MOST_RECENT, ConflictPolicy.LONGEST_PLAYTIME):
        answers = [resolved_by(policy, local, cloud), resolved_by(policy, cloud, local)]
        assert answers.count(Resolution.KEEP_LOCAL) <= 1


def stored(client_modified_at):
    return StoredVersion(
        version=1,
        in_head=True,
        content_id=uuid4(),
        size=1,
        content=b"a",
        client_modified_at=client_modified_at,
        server_uploaded_at=NOW,
        device_id=None,
        comment=None,
        is_pinned=False,
        playtime_seconds=None,
        content_encoding=None,
        encryption=None,
        identity=b"a",
        kept_identity=None,
        manifest_id=None,
        file_count=None,
        game_version_id=None,
    )


@pytest.mark.parametrize(
    ("client_modified_at", "counts"),
    [(None, None), (NOW - timedelta(hours=1), NOW - timedelta(hours=1)), (NOW, NOW), (NOW + timedelta(hours=1), NOW)],
)
def test_a_time_after_the_upload_becomes_the_time_of_the_upload(client_modified_at, counts):
    """After a restore a day later, a time in the future would lie in the past and win over newer versions."""
    held = StoredContent.of_version(stored(client_modified_at), uuid4())
    assert held.client_modified_at == counts

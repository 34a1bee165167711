"""The relation of an upload to the head, by ancestry and never by clocks (contract, section 3.6). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gameshelf.savegames._models import ConflictPolicy, Resolution

NOTHING = 0
"""The base of content that grew from nothing."""


@dataclass(frozen=True, slots=True)
class Node:
    """A version in the tree. A parent's number is always the lower one."""

    parent: int
    merged: int | None
    content: bytes | None
    """The identity of its content; None: it equals none."""
    is_kept: bool = True
    """Whether its bytes are stored; False once they are pruned."""

    def holds(self, content: bytes) -> bool:
        """Whether the bytes of this content are stored with the version."""
        return self.is_kept and self.content == content


Tree = Mapping[int, Node]
"""Versions of a slot by number."""


class Relation(StrEnum):
    """The relation of a client's content to the head."""

    DESCENDANT = "descendant"
    """The content grew from the head, and becomes the new head."""
    IDENTICAL = "identical"
    """The head holds the same content; there is nothing to do."""
    BEHIND = "behind"
    """The head grew from this content, which has not changed; the client should download."""
    DIVERGED = "diverged"
    """Both have changed; the content becomes a branch."""


def relation(base: int, content: bytes, head: int, history: Tree) -> Relation:
    """Returns the relation of content that grew from ``base`` to ``head`` (0: there is no head yet).

    ``history`` contains the head, and the versions from the base on that the head grew from; for a base of 0 those
    that hold the content suffice. It may be cut at its newer end: content that only versions beyond the cut hold counts
    as diverged, which loses nothing.

    Content that is the base's own has not changed, and is behind, whether the base was pruned or not. Other content
    counts as behind only where the head's history still holds it, from the base on: a version that is older than the
    base was restored on purpose, and a pruned one would be lost.
    """
    if head == NOTHING:
        return Relation.DESCENDANT
    if history[head].holds(content):
        return Relation.IDENTICAL
    if base == head:
        return Relation.DESCENDANT
    if base in history and history[base].content == content:
        return Relation.BEHIND
    if any(
        node.holds(content) and (base == NOTHING or base in ancestors(version, history))
        for version, node in history.items()
        if version >= base and (base == NOTHING or base in history)
    ):
        return Relation.BEHIND
    return Relation.DIVERGED


def ancestors(version: int, tree: Tree) -> set[int]:
    """Returns a version and all versions that it grew from, as far as the tree is known; 0 is one of them."""
    found = {version}
    waiting = [version]
    while waiting:
        node = tree.get(waiting.pop())
        if node is None:
            continue
        for parent in (node.parent, node.merged):
            if parent is not None and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


@dataclass(frozen=True, slots=True)
class Side:
    """The properties of a side of a conflict that a policy compares."""

    modified_at: datetime
    playtime_seconds: int | None

    @classmethod
    def of(cls, client_modified_at: datetime | None, uploaded_at: datetime, playtime_seconds: int | None) -> "Side":
        """The side of a version. The time of the upload replaces a client's time that is absent or in the future."""
        is_known = client_modified_at is not None and client_modified_at <= uploaded_at
        return cls(client_modified_at if is_known and client_modified_at else uploaded_at, playtime_seconds)


def resolved_by(policy: ConflictPolicy, local: Side, cloud: Side) -> Resolution | None:
    """Resolves a branch (``local``) beside the head (``cloud``) by a policy; None: the user has to decide.

    If both sides are equal, the head stays.
    """
    if policy is ConflictPolicy.MOST_RECENT:
        wins = local.modified_at > cloud.modified_at
    elif policy is ConflictPolicy.LONGEST_PLAYTIME:
        wins = (local.playtime_seconds or 0) > (cloud.playtime_seconds or 0)
    else:
        return None
    return Resolution.KEEP_LOCAL if wins else Resolution.KEEP_CLOUD

"""How an upload relates to what is there: by ancestry, never by clocks (contract, section 3.6). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gameshelf.savegames.models import ConflictPolicy, Resolution

NOTHING = 0
"""The base of what grew from nothing."""


@dataclass(frozen=True, slots=True)
class Node:
    """A version in the tree. A parent's number is always the lower one."""

    parent: int
    merged: int | None
    content: bytes | None
    """The identity of what it holds; None once its bytes are pruned."""


Tree = Mapping[int, Node]
"""Versions of a slot by number."""


class Relation(StrEnum):
    """How what a client has stands to the head."""

    DESCENDANT = "descendant"
    """It grew from the head: it becomes the new one."""
    IDENTICAL = "identical"
    """It is what the head holds: nothing to do."""
    BEHIND = "behind"
    """It is what the head grew from, without a change: the client is to download."""
    DIVERGED = "diverged"
    """Both have changed: it is kept as a branch."""


def relation(base: int, content: bytes, head: int, history: Tree) -> Relation:
    """How content that a client grew from ``base`` stands to ``head`` (0: there is none yet).

    ``history`` has the head, and of the versions that the head grew from those from the base on; for a base of 0 those
    that hold the content suffice. It may be cut above: content that only versions beyond the cut hold has diverged,
    which loses nothing.

    Content counts as behind only where the head's history still keeps it, from the base on: what is older than the base
    was brought back on purpose, and what is pruned would be lost.
    """
    if head == NOTHING:
        return Relation.DESCENDANT
    if history[head].content == content:
        return Relation.IDENTICAL
    if base == head:
        return Relation.DESCENDANT
    if any(
        node.content == content and (base == NOTHING or base in ancestors(version, history))
        for version, node in history.items()
        if version >= base and (base == NOTHING or base in history)
    ):
        return Relation.BEHIND
    return Relation.DIVERGED


def ancestors(version: int, tree: Tree) -> set[int]:
    """A version and all that it grew from, as far as the tree is known; 0 is one of them."""
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
    """What a policy looks at."""

    modified_at: datetime
    playtime_seconds: int | None

    @classmethod
    def of(cls, client_modified_at: datetime | None, uploaded_at: datetime, playtime_seconds: int | None) -> "Side":
        """A version. Where its client gave no time, or one ahead of the server's, that of the upload counts."""
        is_known = client_modified_at is not None and client_modified_at <= uploaded_at
        return cls(client_modified_at if is_known and client_modified_at else uploaded_at, playtime_seconds)


def resolved_by(policy: ConflictPolicy, local: Side, cloud: Side) -> Resolution | None:
    """What a policy says of a branch (``local``) beside the head (``cloud``); None: the player is to be asked.

    Of two equal sides the head stays.
    """
    if policy is ConflictPolicy.MOST_RECENT:
        wins = local.modified_at > cloud.modified_at
    elif policy is ConflictPolicy.LONGEST_PLAYTIME:
        wins = (local.playtime_seconds or 0) > (cloud.playtime_seconds or 0)
    else:
        return None
    return Resolution.KEEP_LOCAL if wins else Resolution.KEEP_CLOUD

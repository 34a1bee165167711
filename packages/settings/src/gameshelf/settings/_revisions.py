"""Revisions of layers, and the preconditions of writes. No I/O.

A layer's revision is the game's counter at the layer's last change, so no revision is used twice.
"""

import re
from dataclasses import dataclass

from gameshelf.settings._models import LayerKind

_TAG = re.compile(r"(?:a(\d{1,19}))?\.?(?:p(\d{1,19}))?\.?(?:d(\d{1,19}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Revisions:
    """The revision of each layer; 0 for a layer that does not exist, None for one that was not requested."""

    account: int | None = None
    platform: int | None = None
    device: int | None = None

    def of_layer(self, kind: LayerKind | None) -> int | None:
        """Returns the revision of an overlay, or with None that of the account's layer."""
        if kind is None:
            return self.account
        return self.platform if kind is LayerKind.PLATFORM else self.device

    @property
    def highest(self) -> int:
        """The highest revision of the requested layers; 0 where none of them exists."""
        return max(filter(None, (self.account, self.platform, self.device)), default=0)

    @property
    def tag(self) -> str:
        """``a<n>.p<n>.d<n>``, without the layers that were not requested."""
        parts = (("a", self.account), ("p", self.platform), ("d", self.device))
        return ".".join(f"{letter}{revision}" for letter, revision in parts if revision is not None)


def parse_tag(tag: str) -> Revisions | None:
    """Returns the revisions in a tag, or None where it is not a tag of settings, such as a plain number."""
    found = _TAG.fullmatch(tag)
    revisions = Revisions(*(None if digits is None else int(digits) for digits in found.groups())) if found else None
    return revisions if revisions and revisions.tag == tag and tag else None


@dataclass(frozen=True, slots=True)
class LayerPrecondition:
    """The state of a layer that a write expects (RFC 9110, section 13)."""

    tags: frozenset[Revisions] | None = None
    """The tags of If-Match; None accepts any existing layer."""
    is_absent: bool = False
    """If-None-Match: * — the layer must not exist."""

    def holds(self, kind: LayerKind | None, revision: int) -> bool:
        """Returns whether it holds for a layer with this current revision, 0 where it does not exist."""
        if self.is_absent:
            return revision == 0
        if self.tags is None:
            return revision > 0
        return any(tag.of_layer(kind) == revision for tag in self.tags)

    def holds_for_all(self, account: int, overlays: frozenset[tuple[LayerKind, int]]) -> bool:
        """Returns whether all revisions of one of the tags are current: of the account, and of any overlay per kind."""
        if self.is_absent:
            return not account and not overlays
        if self.tags is None:
            return bool(account or overlays)
        return any(_is_current(tag, account, overlays) for tag in self.tags)


def _is_current(tag: Revisions, account: int, overlays: frozenset[tuple[LayerKind, int]]) -> bool:
    # A tag contains the kind of an overlay but not its name. A revision of 0 is of a layer that did not exist.
    named = {(kind, revision) for kind in LayerKind if (revision := tag.of_layer(kind))}
    return named <= overlays and tag.account in (None, account)

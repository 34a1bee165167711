"""Revisions of layers, and what a writer believes of them. No I/O.

A layer's revision is the game's counter at the layer's last change, so that none is ever used twice.
"""

import re
from dataclasses import dataclass

from gameshelf.settings.models import LayerKind

_TAG = re.compile(r"(?:a(\d{1,19}))?\.?(?:p(\d{1,19}))?\.?(?:d(\d{1,19}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Revisions:
    """The revision of each layer; 0 for one that is not there, None for one that is not meant."""

    account: int | None = None
    platform: int | None = None
    device: int | None = None

    def of(self, kind: LayerKind | None) -> int | None:
        """That of an overlay, or with None of the account's layer."""
        if kind is None:
            return self.account
        return self.platform if kind is LayerKind.PLATFORM else self.device

    @property
    def highest(self) -> int:
        """Of all that are meant; 0 where none of them is there."""
        return max(filter(None, (self.account, self.platform, self.device)), default=0)

    @property
    def tag(self) -> str:
        """``a<n>.p<n>.d<n>``, without what is not meant."""
        parts = (("a", self.account), ("p", self.platform), ("d", self.device))
        return ".".join(f"{letter}{revision}" for letter, revision in parts if revision is not None)


def parse_tag(tag: str) -> Revisions | None:
    """The revisions in a tag; None of what is no tag of settings, such as a plain number."""
    found = _TAG.fullmatch(tag)
    revisions = Revisions(*(None if digits is None else int(digits) for digits in found.groups())) if found else None
    return revisions if revisions and revisions.tag == tag and tag else None


@dataclass(frozen=True, slots=True)
class Precondition:
    """What the writer believes of the layer that is written (RFC 9110, section 13)."""

    tags: frozenset[Revisions] | None = None
    """Those of If-Match; None: whatever is there."""
    is_absent: bool = False
    """If-None-Match: * — there must be no such layer."""

    def holds(self, kind: LayerKind | None, revision: int) -> bool:
        """``revision`` is the layer's current one, 0 where there is none."""
        if self.is_absent:
            return revision == 0
        if self.tags is None:
            return revision > 0
        return any(tag.of(kind) == revision for tag in self.tags)

    def holds_for_all(self, account: int, overlays: frozenset[tuple[LayerKind, int]]) -> bool:
        """Whether every part that one of the tags names is current: of the account, and of any overlay of that kind."""
        if self.is_absent:
            return not account and not overlays
        if self.tags is None:
            return bool(account or overlays)
        return any(_is_current(tag, account, overlays) for tag in self.tags)


def _is_current(tag: Revisions, account: int, overlays: frozenset[tuple[LayerKind, int]]) -> bool:
    # Which overlay a part is about isn't said. A part of 0 is about one that was not there: it names nothing.
    named = {(kind, revision) for kind in LayerKind if (revision := tag.of(kind))}
    return named <= overlays and tag.account in (None, account)

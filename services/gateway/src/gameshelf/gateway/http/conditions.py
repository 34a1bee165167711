"""Conditional requests (RFC 9110, section 13)."""

from gameshelf.settings import Precondition
from werkzeug.http import parse_etags

_MAX_TAGS = 4096
"""How many characters of a list of tags are read: room for a hundred of ours."""
_MOST_DIGITS = 19
"""Of a revision, which is a bigint. A longer number is none of ours, and Python refuses to read one of thousands."""


def is_match(if_none_match: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names this ETag, a quoted one; ``*`` names any."""
    if if_none_match == etag:  # what a client sends that simply repeats the one it got
        return True
    return len(if_none_match) <= _MAX_TAGS and parse_etags(if_none_match).contains_weak(etag.strip('"'))


def precondition(if_match: str | None, if_none_match: str | None) -> Precondition | None:
    """What ``If-Match`` and ``If-None-Match: *`` ask of a revision; None when they ask nothing.

    A tag is compared strongly: a weak one, or what is no revision of ours, matches nothing.
    """
    if if_match is not None:
        tags = parse_etags(if_match[:_MAX_TAGS])
        if tags.star_tag:
            return Precondition()
        return Precondition(frozenset(int(tag) for tag in tags.as_set() if _is_revision(tag)))
    if if_none_match is not None and parse_etags(if_none_match[:_MAX_TAGS]).star_tag:
        return Precondition(is_absent=True)
    return None


def _is_revision(tag: str | None) -> bool:
    # An empty tag is None to werkzeug.
    return tag is not None and tag.isascii() and tag.isdigit() and len(tag) <= _MOST_DIGITS

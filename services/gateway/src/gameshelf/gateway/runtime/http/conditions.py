"""Conditional requests (RFC 9110, section 13)."""

from werkzeug.http import parse_etags

MAX_TAGS = 4096
"""How many characters of a list of tags are read: room for a hundred of ours."""


def is_match(if_none_match: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names this ETag, a quoted one; ``*`` names any."""
    if if_none_match == etag:  # what a client sends that simply repeats the one it got
        return True
    return len(if_none_match) <= MAX_TAGS and parse_etags(if_none_match).contains_weak(etag.strip('"'))


def states_of(if_match: str | None) -> frozenset[str] | None:
    """The states of an item that ``If-Match`` names, ``<state>`` of ``"<state>.<rest>"``; None when it names any.

    A weak tag, or what is no tag of ours, matches nothing.
    """
    if if_match is None:
        return None
    tags = parse_etags(if_match[:MAX_TAGS])
    return None if tags.star_tag else frozenset(tag.partition(".")[0] for tag in tags.as_set() if tag and "." in tag)

"""Conditional requests (RFC 9110, section 13)."""

from werkzeug.http import parse_etags

MAX_TAGS = 4096
"""How many characters of a list of tags are read: enough for a hundred tags of the service."""


def is_match(if_none_match: str, etag: str) -> bool:
    """Returns whether ``If-None-Match`` contains this (quoted) ETag; ``*`` matches any."""
    if if_none_match == etag:  # the usual case: the client repeats the tag of an earlier response
        return True
    return len(if_none_match) <= MAX_TAGS and parse_etags(if_none_match).contains_weak(etag.strip('"'))


def states_of(if_match: str | None) -> frozenset[str] | None:
    """Returns the states that ``If-Match`` names, ``<state>`` of ``"<state>.<rest>"``; None if any state matches.

    Weak tags, and tags that the service did not make, match nothing.
    """
    if if_match is None:
        return None
    tags = parse_etags(if_match[:MAX_TAGS])
    return None if tags.star_tag else frozenset(tag.partition(".")[0] for tag in tags.as_set() if tag and "." in tag)

"""Conditional requests (RFC 9110, section 13)."""

from werkzeug.http import parse_etags


def is_match(if_none_match: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names this ETag, a quoted one; ``*`` names any."""
    if if_none_match == etag:  # what a client sends that simply repeats the one it got
        return True
    return parse_etags(if_none_match).contains_weak(etag.strip('"'))

"""Conditional requests for the layers of a game's settings."""

from gameshelf.gateway.runtime.http.conditions import MAX_TAGS
from gameshelf.settings import LayerPrecondition, parse_tag
from werkzeug.http import parse_etags


def precondition(if_match: str | None, if_none_match: str | None) -> LayerPrecondition | None:
    """Parses ``If-Match`` and ``If-None-Match: *`` to a precondition; returns None if there is none.

    Tags are compared strongly: weak tags, and tags that the service did not make, match nothing.
    """
    if if_match is not None:
        tags = parse_etags(if_match[:MAX_TAGS])
        if tags.star_tag:
            return LayerPrecondition()
        # An empty tag is None to werkzeug.
        return LayerPrecondition(frozenset(filter(None, (parse_tag(tag) for tag in tags.as_set() if tag))))
    if if_none_match is not None and parse_etags(if_none_match[:MAX_TAGS]).star_tag:
        return LayerPrecondition(is_absent=True)
    return None

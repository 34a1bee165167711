"""What conditional requests ask of the layers of a game's settings."""

from gameshelf.gateway.runtime.http.conditions import MAX_TAGS
from gameshelf.settings import LayerPrecondition, parse_tag
from werkzeug.http import parse_etags


def precondition(if_match: str | None, if_none_match: str | None) -> LayerPrecondition | None:
    """What ``If-Match`` and ``If-None-Match: *`` ask of the layers of settings; None when they ask nothing.

    A tag is compared strongly: a weak one, or what is no tag of ours, matches nothing.
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

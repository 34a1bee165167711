"""Reports of achievements that were refused, in words: by which rule, and of what."""

_CODES = {
    "ACHIEVEMENT_NOT_FOUND": "there was no such achievement",
    "PERMISSION_DENIED": "the player could not play the product, or only servers may unlock it",
    "FAMILY_ACCESS_RESTRICTED": "the family share did not allow it",
}
_REASONS = {
    "server_authoritative": "only servers of the game may unlock it",
    "not_owned": "the player did not own the product",
    "refunded": "the product was refunded or taken back",
    "claimable": "the product is free, and the player has not claimed it",
}


def rule_in_words(rule: str) -> str:
    """Returns the rule in words; the code itself if it has none."""
    code, _, reason = rule.partition(" ")
    return _REASONS.get(reason) or _CODES.get(code) or rule


def reported_name(subject: str) -> str:
    """Returns what a game has reported: the name of an achievement without the product before it, or its id."""
    return subject.partition("/")[2] or subject

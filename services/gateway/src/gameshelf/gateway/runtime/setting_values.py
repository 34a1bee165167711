"""Cleans values of variables, which may have a trailing line break from a file, or blanks from copying."""


def without_blanks(value: str, *, is_secret: bool, is_list: bool) -> str:
    """Returns the value without surrounding blanks.

    Raises ValueError for a secret that has surrounding blanks, since they may be a part of it, and for invisible
    characters inside of the value. A list may have several lines.
    """
    trimmed = value.strip()
    if is_secret and trimmed != value:
        raise ValueError("it begins or ends with a blank or a line break")
    if not (is_list or trimmed.isprintable()):
        raise ValueError("it contains a line break or another invisible character")
    return trimmed

"""Values of variables as people and machines write them: with the line break of a file, or the blank of a paste."""


def without_blanks(value: str, *, is_secret: bool, is_list: bool) -> str:
    """The value without the blanks around it, which nobody has meant.

    Raises ValueError for a secret that has any, since they may be a part of it, and for a character within that can't
    be seen; a list may be written in several lines.
    """
    trimmed = value.strip()
    if is_secret and trimmed != value:
        raise ValueError("a blank or a line break stands before or behind it")
    if not (is_list or trimmed.isprintable()):
        raise ValueError("a line break or another character that can't be seen stands in it")
    return trimmed

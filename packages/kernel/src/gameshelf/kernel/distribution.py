"""By which column a table is distributed, where the tables of users are spread over several machines."""

from collections.abc import Sequence

USER_COLUMNS = ("user_id", "owner_user_id", "subject_id", "user_hash")
"""The columns that name the user of a row. The primary key of a table of users begins with one of them."""


def user_column(primary_key: Sequence[str]) -> str | None:
    """Returns the column of the users of a table with this primary key, or None for a table of nobody.

    A hash alone is nobody's: it is all that is left of an erased user, and every instance asks for any of them.

    >>> user_column(["user_id", "product_id"])
    'user_id'
    >>> user_column(["product_id"]) is None
    True
    """
    if not primary_key or primary_key[0] not in USER_COLUMNS or list(primary_key) == ["user_hash"]:
        return None
    return primary_key[0]

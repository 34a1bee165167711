"""The daily allowance of signed bytes, as parts of other statements."""

from gameshelf.kernel.sql import user
from gameshelf.savegames._models import SavegameAllowance
from sqlalchemy import BigInteger, Date, bindparam, case, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

_SIGNED = bindparam("signed", type_=BigInteger)
_A = SavegameAllowance
_day = bindparam("day", type_=Date)
_today = insert(SavegameAllowance).from_select(
    ["user_id", "day", "signed_bytes"],
    select(user(), _day, _SIGNED).where(literal_column("0") < _SIGNED),
    include_defaults=False,
)
# An instance whose clock is behind counts for the day that another instance has begun.
TODAY_COUNTED = _today.on_conflict_do_update(
    index_elements=["user_id"],
    set_={
        "day": func.greatest(col(_A.day), _today.excluded.day),
        "signed_bytes": case((col(_A.day) >= _today.excluded.day, col(_A.signed_bytes)), else_=literal_column("0"))
        + _today.excluded.signed_bytes,
    },
)
SIGNED = TODAY_COUNTED.cte("signed")

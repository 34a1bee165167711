"""Reads of refused attempts."""

from collections.abc import Sequence
from uuid import UUID

from gameshelf.achievements._attempts.attempts import RefusedAttempts
from gameshelf.achievements._attempts.store import MAX_REFUSED
from gameshelf.achievements._models import RefusedAttempt
from gameshelf.kernel.database import Connection, Statement
from gameshelf.kernel.row_reader import RowReader
from gameshelf.kernel.sql import array, user
from sqlalchemy import String, any_, select
from sqlmodel import col

_R = RefusedAttempt
_of_user = (
    select(col(_R.subject), col(_R.rule), col(_R.source), col(_R.attempts), col(_R.first_at), col(_R.last_at))
    .where(col(_R.user_id) == user())
    .order_by(col(_R.last_at).desc(), col(_R.subject), col(_R.rule), col(_R.source))
    .limit(MAX_REFUSED)
)
_ALL = Statement(_of_user)
_OF_SUBJECTS = Statement(_of_user.where(col(_R.subject) == any_(array("subjects", String))))
_ATTEMPTS = RowReader(RefusedAttempts, _ALL, _OF_SUBJECTS)


async def refused_attempts(
    connection: Connection, user_id: UUID, subjects: Sequence[str] | None = None
) -> list[RefusedAttempts]:
    """Returns the refused attempts at these subjects, or at all, the newest first. One round trip."""
    if subjects is None:
        return _ATTEMPTS.read_all(await _ALL.all(connection, user_id=user_id))
    return _ATTEMPTS.read_all(await _OF_SUBJECTS.all(connection, user_id=user_id, subjects=list(subjects)))

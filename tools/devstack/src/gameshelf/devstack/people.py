"""People as an Account service knows them."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Person:
    """An account."""

    user_id: UUID
    name: str
    email: str

    def is_meant_by(self, query: str) -> bool:
        """Returns whether this is a name, the beginning of one, or the e-mail address of this person."""
        asked = query.casefold()
        return self.email.casefold() == asked or self.name.casefold().startswith(asked)

"""The base of an upload: the version that it grew from (contract, section 3.6). Pure."""

from typing import Protocol
from uuid import UUID

from gameshelf.savegames._commands import NewUpload
from gameshelf.savegames._errors import SavegameVersionNotFound
from gameshelf.savegames._lineage import NOTHING
from gameshelf.savegames._set_commands import NewSet
from gameshelf.savegames._store.slots import Slot


class _Place(Protocol):
    """What is known of the save that an upload names."""

    @property
    def slot_id(self) -> UUID | None: ...

    @property
    def head_version(self) -> int | None: ...

    @property
    def last_version(self) -> int | None: ...

    @property
    def head_identity(self) -> bytes | None: ...

    @property
    def device_version(self) -> int | None: ...

    @property
    def has_base(self) -> bool: ...

    @property
    def highest_version(self) -> int: ...

    @property
    def has_trash(self) -> bool: ...


def base_of(new: NewUpload | NewSet, context: _Place, named: Slot | None) -> int:
    """Returns the version of the save that an upload grew from. ``named`` is the save that the upload names by its id.

    A version of another save with the same name is no version of this save; then the upload grew from nothing. Raises
    SavegameVersionNotFound for a number that was never assigned under the name.
    """
    is_other = named is not None and named.id != context.slot_id
    if new.base_version is None:
        if is_other:
            return NOTHING
        return (context.device_version if new.device_id else context.head_version) or NOTHING
    if new.base_version == NOTHING or (context.has_base and not is_other):
        return new.base_version
    given = max(context.highest_version, context.last_version or 0, named.last_version if named else 0)
    if new.base_version > given:
        raise SavegameVersionNotFound(pointer="base_version", base_version=new.base_version)
    return NOTHING


def may_be_deleted(new: NewUpload | NewSet, context: _Place, named: Slot | None, base: int, identity: bytes) -> bool:
    """Whether an upload may belong to a save in the trash, since it did not grow from the save outside of the trash."""
    if new.base_version == NOTHING or base != NOTHING or context.head_identity == identity:
        return False
    return named.deleted_at is not None if named else context.has_trash

"""What the calls of cloud saves have in common. ``rest.py`` and the modules beside it declare them."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.http.routing import Routes, Write
from gameshelf.savegames import SavegameQueries, SavegameSetQueries, SavegameVersionNotFound, SaveVersion

ACCESS = ("PERMISSION_DENIED", "FAMILY_ACCESS_RESTRICTED")
NO_SLOT = ("SAVEGAME_SLOT_NOT_FOUND",)
NO_VERSION = ("SAVEGAME_SLOT_NOT_FOUND", "SAVEGAME_VERSION_NOT_FOUND")
VERSION = "<int(min=1, max=9007199254740992):version_number>"
"""The number of a version in a path."""


def save_routes() -> Routes:
    """Returns an empty list of calls of cloud saves."""
    return Routes(
        "savegames",
        "Cloud saves: versions, uploads, conflicts and quota. The bytes go directly to the object store and back.",
        {
            "upload_id": ("Id of the upload.", "c9f0f895-fb98-4b91-99f5-1fd0297e236d"),
            "savegame_id": ("Id of the save.", "e4da3b7f-bbce-4234-9777-2b0674a318d5"),
            "version_number": ("Number of the version.", "7"),
            "conflict_id": ("Id of the conflict.", "d3d94468-02a4-4259-b55d-38e6d163e820"),
        },
    )


async def version_of(write: Write, slot_id: UUID, number: int) -> SaveVersion:
    """Returns a version as it is in the transaction. Raises SavegameVersionNotFound."""
    found = await SavegameQueries(write.transaction.connection).version(write.user_id, slot_id, number)
    if found is None:
        raise SavegameVersionNotFound
    return found


async def differences_of_sides(
    write: Write, conflict_id: UUID | None, head: SaveVersion, branch: SaveVersion
) -> dict[str, Any]:
    """Returns counts of what differs between two sets, as long as they are the sides of an open conflict."""
    if conflict_id is None or head.file_count is None or branch.file_count is None:
        return {}
    found = await SavegameSetQueries(write.transaction.connection).differences(write.user_id, conflict_id)
    if found is None or (found.conflict.head.version, found.conflict.branch.version) != (head.version, branch.version):
        return {}
    return {
        "base_version": found.conflict.base_version,
        "differences_count": found.file_count,
        "unnamed_count": found.unnamed_count,
    }

"""What the calls of cloud saves have in common. ``rest.py`` and the modules beside it declare them."""

from uuid import UUID

from gameshelf.gateway.runtime.http.routing import Routes, Write
from gameshelf.savegames import SavegameQueries, SavegameVersionNotFound, SaveVersion

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

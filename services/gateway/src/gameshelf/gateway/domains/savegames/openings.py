"""What changes of saves read first."""

from datetime import datetime
from uuid import UUID

from gameshelf.gateway.runtime.unit_of_work.opening import Opening
from gameshelf.library import AccessQueries
from gameshelf.savegames import NewUpload, SavegameUploads


def new_upload(user_id: UUID, new: NewUpload, now: datetime) -> Opening:
    """Opens the reservation of an upload, which gets the same ``now``.

    It is locked: the quota counts uploads and contents that jobs remove, and the statement that stores the upload gives
    it the next number of its save.
    """
    return Opening(
        [AccessQueries.lookup(user_id, [new.product_id]), SavegameUploads.lookup_of_request(user_id, new, now)],
        is_optimistic=False,
    )

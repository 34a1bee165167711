"""Domain values as protobuf messages."""

from datetime import datetime

from gameshelf.library import Access, ItemView
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A time; None stays absent."""
    if moment is None:
        return None
    converted = Timestamp()
    converted.FromDatetime(moment)
    return converted


def library_item(view: ItemView) -> messages.LibraryItemInternal:
    return messages.LibraryItemInternal(
        product_id=str(view.product_id),
        added_at=timestamp(view.added_at),
        installation_status=view.installation_status,
        total_playtime_seconds=view.total_playtime_seconds,
        library_item_id=str(view.id),
        acquisition_type=view.acquisition_type,
        shared_from_user_id=str(view.shared_from_user_id or ""),
        last_played_at=timestamp(view.last_played_at),
        is_hidden=view.is_hidden,
        installed_version_id=view.installed_version_id or "",
    )


def access(found: Access) -> messages.CheckGameAccessResponse:
    return messages.CheckGameAccessResponse(
        has_access=found.has_access,
        acquisition_date=timestamp(found.acquired_at),
        access_type=found.access_type or "",
        shared_from_user_id=str(found.shared_from_user_id or ""),
        reason=found.reason,
    )

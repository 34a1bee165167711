"""Published forms of the events of family sharing: CloudEvents for Kafka, and messages for the user's devices."""

from collections.abc import Mapping, Sequence

from gameshelf.gateway.runtime.outbox.forwarded import Forwarded
from gameshelf.gateway.runtime.outbox.messages import SILENT, EventForm, Published
from gameshelf.kernel.events import Event
from gameshelf.library import LinkUpdated, SeatReclaimed, SharedLibraryUpdated, ShareWithdrawn


def _link_updated(event: LinkUpdated) -> Published:
    # The devices of both parties get it, Kafka only once, with the owner's events.
    is_owner = event.user_id == event.owner_user_id
    return Published(
        "com.platform.library.family.link.updated.v1" if is_owner else None,
        {
            "userId": event.owner_user_id,
            "linkId": event.link_id,
            "sharedWithUserId": event.shared_with_user_id,
            "status": event.status,
            "mode": event.mode,
            "expiresAt": event.expires_at,
            "updatedAt": event.occurred_at,
        },
        "family.link.updated",
        {
            "link_id": event.link_id,
            "owner_user_id": event.owner_user_id,
            "shared_with_user_id": event.shared_with_user_id,
            "status": event.status,
            "mode": event.mode,
            "expires_at": event.expires_at,
        },
    )


def _seat_reclaimed(event: SeatReclaimed) -> Published:
    return Published(
        device_type="family.seat.reclaimed",
        device_payload={
            "owner_user_id": event.owner_user_id,
            "product_id": event.product_id,
            "session_id": event.session_id,
            "lost_at": event.lost_at,
            "grace_seconds": event.grace_seconds,
        },
    )


def _shared_library_updated(event: SharedLibraryUpdated) -> Published:
    return Published(
        device_type="family.library.updated",
        device_payload={
            "link_id": event.link_id,
            "owner_user_id": event.owner_user_id,
            "added": event.added,
            "removed": event.removed,
        },
    )


FORMS: Mapping[type[Event], EventForm] = {
    LinkUpdated: EventForm(_link_updated),
    SeatReclaimed: EventForm(_seat_reclaimed),
    SharedLibraryUpdated: EventForm(_shared_library_updated),
    # A withdrawn share ends sessions, whose events are published instead.
    ShareWithdrawn: SILENT,
}

# A withdrawn share has the owner's id, which its handler needs also after that account was erased.
FORWARDED: Sequence[Forwarded] = (
    Forwarded(LinkUpdated),
    Forwarded(SeatReclaimed),
    Forwarded(ShareWithdrawn, keeps_names=True),
)

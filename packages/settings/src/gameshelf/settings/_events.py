"""The events of settings."""

from dataclasses import dataclass
from uuid import UUID

from gameshelf.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsUpdated(Event):
    """A layer of a game's settings was written, or layers were deleted."""

    product_id: UUID
    revision: int
    layer: str | None
    """``account``, ``platform`` or ``device``; None when all layers were deleted."""
    platform: str | None = None
    device_id: str | None = None
    is_deleted: bool = False

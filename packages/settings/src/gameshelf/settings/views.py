"""Settings as their user sees them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.settings.models import LayerKind
from gameshelf.settings.rules import Json, Origins, merged
from gameshelf.settings.store import StoredSettings

ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Settings:
    """A game's settings: the layers that were asked for, merged. Times are aware and in UTC."""

    product_id: UUID
    payload: Json
    layers: Origins
    """For each key the layer that it came from; a dict where layers share an object."""
    revision: int
    """One for all layers."""
    last_updated_at: datetime
    last_synced_with_cloud_at: datetime | None


def view(product_id: UUID, stored: StoredSettings) -> Settings:
    """The stored layers as one."""
    layers = {ACCOUNT: stored.account or {}}
    layers |= {str(kind): stored.overlays[kind] for kind in LayerKind if kind in stored.overlays}
    payload, origins = merged(layers)
    return Settings(
        product_id, payload, origins, stored.revision, stored.last_updated_at, stored.last_synced_with_cloud_at
    )

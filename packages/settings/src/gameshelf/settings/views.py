"""Settings as their user sees them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.settings.commands import Address
from gameshelf.settings.models import LayerKind
from gameshelf.settings.revisions import Revisions
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
    revisions: Revisions
    """Those of the layers that were asked for; of a write that is the account's and the written one's."""
    revision: int
    """The highest of them; after a write that of the layer that was written."""
    last_updated_at: datetime
    last_synced_with_cloud_at: datetime | None


@dataclass(frozen=True, slots=True)
class LayerView:
    """A layer, without what is in it. Times are aware and in UTC."""

    layer: str
    """``account``, ``platform`` or ``device``."""
    name: str | None
    """The platform's or the device's; None of the account."""
    revision: int
    last_updated_at: datetime
    """Of the account's layer: when any layer changed last."""
    last_used_at: datetime | None
    """When an overlay was read or written last, within an hour."""


@dataclass(frozen=True, slots=True)
class GameView:
    """A game with settings. Times are aware and in UTC."""

    product_id: UUID
    revision: int
    """Grows with every change of any layer."""
    has_account_layer: bool
    overlay_count: int
    last_updated_at: datetime
    last_synced_with_cloud_at: datetime | None


def view(product_id: UUID, stored: StoredSettings, address: Address) -> Settings:
    """The stored layers as one."""
    layers = {ACCOUNT: stored.account or {}}
    layers |= {str(kind): stored.overlays[kind].payload for kind in LayerKind if kind in stored.overlays}
    payload, origins = merged(layers)
    named = {str(kind): stored.revision_of(kind) for kind, _ in address.overlays()}
    revisions = Revisions(stored.account_revision, **named)
    return Settings(
        product_id,
        payload,
        origins,
        revisions,
        revisions.highest,
        stored.last_updated_at,
        stored.last_synced_with_cloud_at,
    )

"""Settings as callers see them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gameshelf.settings._commands import Address
from gameshelf.settings._models import LayerKind
from gameshelf.settings._revisions import Revisions
from gameshelf.settings._rules import Json, Origins, merged
from gameshelf.settings._store import StoredSettings

ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class MergedSettings:
    """The settings of a game: the requested layers, merged. Times are aware and in UTC."""

    product_id: UUID
    payload: Json
    layers: Origins
    """For each key the layer that it comes from; a dict where layers share an object."""
    revisions: Revisions
    """The revisions of the requested layers; after a write those of the account's and the written layer."""
    revision: int
    """The highest of them; after a write that of the written layer."""
    last_updated_at: datetime
    last_synced_with_cloud_at: datetime | None


@dataclass(frozen=True, slots=True)
class LayerView:
    """A layer without its payload. Times are aware and in UTC."""

    layer: str
    """``account``, ``platform`` or ``device``."""
    name: str | None
    """The name of the platform or the device; None for the account's layer."""
    revision: int
    last_updated_at: datetime
    """For the account's layer: the last change of any layer."""
    last_used_at: datetime | None
    """The last read or write of an overlay, up to an hour old."""


@dataclass(frozen=True, slots=True)
class LayerPayload:
    """A layer with its payload."""

    payload: Json
    revision: int


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


def view(product_id: UUID, stored: StoredSettings, address: Address) -> MergedSettings:
    """Merges the stored layers."""
    layers = {ACCOUNT: stored.account or {}}
    layers |= {str(kind): stored.overlays[kind].payload for kind in LayerKind if kind in stored.overlays}
    payload, origins = merged(layers)
    named = {str(kind): stored.revision_of(kind) for kind, _ in address.overlays()}
    revisions = Revisions(stored.account_revision, **named)
    return MergedSettings(
        product_id,
        payload,
        origins,
        revisions,
        revisions.highest,
        stored.last_updated_at,
        stored.last_synced_with_cloud_at,
    )

"""The resources of game settings (contract, section 3.7)."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.http.components import enumeration
from gameshelf.gateway.runtime.http.named_products import COVER, TITLE
from gameshelf.gateway.runtime.http.resources import Field, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, FLAG, TEXT, TIME, nullable
from gameshelf.gateway.runtime.http.schemas import UUID as UUID_SCHEMA
from gameshelf.settings import GameView, LayerKind, LayerView, MergedSettings

_PRODUCT = "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"
_PRODUCT_ID = Field("product_id", UUID_SCHEMA, "Game that the settings are of.", _PRODUCT)
_LAST_SYNCED = Field(
    "last_synced_with_cloud_at",
    nullable(TIME),
    "When the settings were last written, or read (to the minute).",
    "2026-05-20T18:00:00Z",
)

GAME_SETTINGS = Resource(
    "gameSettings",
    MergedSettings,
    "The settings of a game: the layer of the account, with the overlays of a platform and of a device on top.",
    _PRODUCT_ID,
    Field(
        "settings_payload",
        {"type": "object"},
        "The merged settings, as the game defines them.",
        {"volume": 70, "keys": {"jump": "Space"}},
        "payload",
    ),
    Field(
        "settings_layers",
        {"type": "object"},
        "The layer that each value comes from (`account`, `platform` or `device`), in the shape of the payload.",
        {"volume": "device", "keys": "account"},
        "layers",
    ),
    Field("revision", COUNT, "Revision of the layer that was written, or the highest of those that were merged.", 7),
    Field("last_updated_at", TIME, "When one of these layers changed last.", "2026-05-20T18:00:00Z"),
    _LAST_SYNCED,
    identity=identity("Id of the product.", _PRODUCT, "product_id"),
)


def _layer_id(of: LayerView, product_id: UUID) -> str:
    return ":".join(filter(None, (str(product_id), of.layer, of.name)))


def _named(kind: LayerKind) -> Any:
    return lambda of, _: of.name if of.layer == kind else None


SETTINGS_LAYER = Resource(
    "gameSettingsLayer",
    LayerView,
    "One layer of the settings of a game, without its payload.",
    Field("product_id", UUID_SCHEMA, "Game that the settings are of.", _PRODUCT, lambda _, product_id: product_id),
    Field(
        "layer",
        enumeration(
            ("account", "platform", "device"),
            "SettingsLayerKind",
            "Kind of a layer: of the `account`, of one `platform` or of one `device`.",
        ),
        "Kind of the layer.",
        "device",
    ),
    Field(
        "platform",
        nullable(TEXT),
        "Platform of the overlay of a platform; else null.",
        None,
        _named(LayerKind.PLATFORM),
    ),
    Field(
        "device_id", nullable(TEXT), "Device of the overlay of a device; else null.", "deck-7", _named(LayerKind.DEVICE)
    ),
    Field("revision", COUNT, "Revision at the last change of this layer.", 7),
    Field("last_updated_at", TIME, "When the layer changed last.", "2026-05-20T18:00:00Z"),
    Field(
        "last_used_at",
        nullable(TIME),
        "When the overlay was last read or written (to the hour); null for the layer of the account.",
        "2026-05-20T18:00:00Z",
    ),
    identity=identity(
        "`<product_id>:<layer>`, followed by `:<platform or device>` for an overlay.",
        f"{_PRODUCT}:device:deck-7",
        _layer_id,
        TEXT,
    ),
)
"""The context of ``render`` is the id of the product."""

SETTINGS_OF_GAME = Resource(
    "gameSettingsSummary",
    GameView,
    "A game that the user has settings of.",
    _PRODUCT_ID,
    Field("revision", COUNT, "Grows with every change of any layer.", 7),
    Field("has_account_layer", FLAG, "Whether there is a layer of the account.", True),
    Field("overlay_count", COUNT, "Number of overlays of platforms and devices.", 2),
    Field("last_updated_at", TIME, "When any layer was last changed or deleted.", "2026-05-20T18:00:00Z"),
    _LAST_SYNCED,
    TITLE,
    COVER,
    identity=identity("Id of the product.", _PRODUCT, "product_id"),
)

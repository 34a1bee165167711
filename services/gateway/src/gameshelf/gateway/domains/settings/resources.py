"""The resources of game settings, as REST shows them."""

from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, UUID, nullable, one_of, value

GAME_SETTINGS = value(
    "gameSettings",
    {
        "product_id": UUID,
        "settings_payload": {"type": "object"},
        "settings_layers": {"type": "object"},
        "revision": COUNT,
        "last_updated_at": TIME,
        "last_synced_with_cloud_at": nullable(TIME),
    },
)


SETTINGS_LAYER = value(
    "gameSettingsLayer",
    {
        "product_id": UUID,
        "layer": one_of(("account", "platform", "device")),
        "platform": nullable(TEXT),
        "device_id": nullable(TEXT),
        "revision": COUNT,
        "last_updated_at": TIME,
        "last_used_at": nullable(TIME),
    },
    identity=TEXT,
)


SETTINGS_OF_GAME = value(
    "gameSettingsSummary",
    {
        "product_id": UUID,
        "revision": COUNT,
        "has_account_layer": {"type": "boolean"},
        "overlay_count": COUNT,
        "last_updated_at": TIME,
        "last_synced_with_cloud_at": nullable(TIME),
    },
)

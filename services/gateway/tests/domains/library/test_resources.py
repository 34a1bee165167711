"""The JSON of an item of the library, byte for byte."""

from datetime import UTC, datetime
from uuid import UUID

from gameshelf.gateway.domains.library.resources import LIBRARY_ITEM
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.library import ItemView

ITEM = ItemView(
    id=UUID("5d3f0c52-6f0b-8a1e-9c44-6e0d2f3b7a10"),
    product_id=UUID("0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"),
    product_type="game",
    title="Маяк",
    cover_image_url=None,
    added_at=datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC),
    acquisition_type="purchase",
    shared_from_user_id=None,
    installation_status="installed",
    installed_version_id="1.4.2",
    last_played_at=None,
    total_playtime_seconds=45296,
    is_hidden=False,
    user_rating=85.0,
    category_ids=[UUID("8f14e45f-ceea-467f-a9d4-0a6f8d7b2c31")],
    installations_json='[{"device_id":"deck-7"}]',
)
JSON = (
    '{"type":"libraryItem","id":"5d3f0c52-6f0b-8a1e-9c44-6e0d2f3b7a10","attributes":{'
    '"product_id":"0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3","product_type":"game","title":"Маяк","cover_image_url":null,'
    '"added_at":"2026-03-02T10:15:30Z","acquisition_type":"purchase","shared_from_user_id":null,'
    '"installation_status":"installed","installed_version_id":"1.4.2","installations":[{"device_id":"deck-7"}],'
    '"last_played_at":null,"total_playtime_seconds":45296,"is_hidden":false,"user_rating":85.0},'
    '"relationships":{"categories":{"data":[{"type":"userCategory","id":"8f14e45f-ceea-467f-a9d4-0a6f8d7b2c31"}]}},'
    '"links":{"self":"/api/v1/library/items/5d3f0c52-6f0b-8a1e-9c44-6e0d2f3b7a10"}}'
)


def test_an_item_is_rendered_byte_for_byte():
    assert encode(LIBRARY_ITEM.render(ITEM)).decode() == JSON

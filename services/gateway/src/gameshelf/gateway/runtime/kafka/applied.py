"""What each consumed event does: a few lines per event. The table of them is in ``consumed.py``.

An event of a user changes that user's data in the user's transaction. Facts of products are everybody's and have a
transaction of their own.
"""

from datetime import datetime
from typing import Any

from gameshelf.achievements import DefinitionFact
from gameshelf.gateway.runtime.kafka.incoming import AchievementDefinition, ProductChange
from gameshelf.library import ProductFact


def product_fact(data: ProductChange, at: datetime) -> ProductFact:
    """What the Catalog said; a field that is absent or null was not said."""
    said: dict[str, Any] = {
        "product_type": data.product_type,
        "title_ru": data.new_title.ru if data.new_title else None,
        "title_en": data.new_title.en if data.new_title else None,
        "cover_image_url": data.new_cover_image_url,
        "is_free_to_play": data.is_free_to_play,
        "family_sharing_allowed": data.family_sharing_allowed,
    }
    at = data.timestamp or at
    return ProductFact(data.product_id, at, {name: value for name, value in said.items() if value is not None})


def definition_facts(data: ProductChange, at: datetime) -> list[DefinitionFact]:
    """What the Catalog said of a product's achievements."""
    at = data.timestamp or at
    return [DefinitionFact(one.id, data.product_id, at, _said(one)) for one in data.achievements or ()]


def _said(of: AchievementDefinition) -> dict[str, Any]:
    said: dict[str, Any] = {
        "api_name": of.api_name,
        "name_ru": of.name.ru if of.name else None,
        "name_en": of.name.en if of.name else None,
        "description_ru": of.description.ru if of.description else None,
        "description_en": of.description.en if of.description else None,
        "icon_url_locked": of.icon_url_locked,
        "icon_url_unlocked": of.icon_url_unlocked,
        "is_hidden": of.is_hidden,
        "target_progress": of.target_progress,
        "server_authoritative": of.server_authoritative,
    }
    return {name: value for name, value in said.items() if value is not None}

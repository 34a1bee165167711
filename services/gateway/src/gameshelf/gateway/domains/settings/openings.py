"""What a change of settings reads first."""

from typing import Any
from uuid import UUID

from gameshelf.gateway.runtime.unit_of_work.opening import Opening
from gameshelf.library import AccessQueries
from gameshelf.settings import Address, SettingsService


def change_of_layer(user_id: UUID, product_id: UUID, query: Address, **_: Any) -> Opening:
    """Opens a change of the layer that ``query`` names."""
    return Opening([AccessQueries.lookup(user_id, [product_id]), SettingsService.lookup(user_id, product_id, query)])

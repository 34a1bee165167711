"""Pieces that statements are made of."""

from typing import Any

from gameshelf.library.models import InstallationStatus, Product
from sqlalchemy import Text, case, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.sql import ColumnElement
from sqlmodel import col


def has_title(product_id: Any) -> ColumnElement[bool]:
    """Whether the Catalog has told a product's title: until then it has to be asked for.

    A value looked up row by row: of an EXISTS the planner may make a hash of the whole catalog.
    """
    told = or_(col(Product.title_ru).is_not(None), col(Product.title_en).is_not(None))
    titled = select(true()).where(col(Product.product_id) == product_id, told)
    return titled.scalar_subquery().is_not(None)


def installations_of(item: Any) -> Any:
    """An item's installations as text; null where its columns alone count, as a version before this one wrote them."""
    return case((_is_known(item), cast(col(item.installations), Text)))


def status_on_device(item: Any, device_id: Any) -> Any:
    """Where an item stands on a device: by the device's own entry, else by what was said of the account."""
    path = "$[*] ? (@.device_id == {}).installation_status"
    own = _entry(item, path.format("$device"), device_id)
    account = _entry(item, path.format("null"), device_id)
    return case(
        (_is_known(item), func.coalesce(own, account, InstallationStatus.NOT_INSTALLED.value)),
        else_=col(item.installation_status),
    )


def _is_known(item: Any) -> ColumnElement[bool]:
    return col(item.installations_at) == col(item.installation_changed_at)


def _entry(item: Any, path: str, device_id: Any) -> Any:
    named = func.jsonb_build_object("device", cast(device_id, Text))
    found = func.jsonb_path_query_first(col(item.installations), cast(path, JSONPATH), named)
    return func.jsonb_extract_path_text(func.jsonb_build_array(found), "0")

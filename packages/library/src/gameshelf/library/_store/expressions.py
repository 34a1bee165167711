"""SQL expressions about items and products, which several statements use."""

import json
from collections.abc import Iterable
from typing import Any

from gameshelf.library._models import InstallationStatus, Product
from sqlalchemy import (
    ARRAY,
    String,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement
from sqlmodel import col

_FIRST_DEVICE: Any = literal_column("'{0,device_id}'")
_FIRST_STATUS: Any = literal_column("'{0,installation_status}'")


def has_title(product_id: Any) -> ColumnElement[bool]:
    """Whether the Catalog has published a title of a product: until then it has to be asked for.

    It is a value that is looked up row by row: with EXISTS the planner may hash the whole catalog.
    """
    is_titled = or_(col(Product.title_ru).is_not(None), col(Product.title_en).is_not(None))
    titled = select(true()).where(col(Product.product_id) == product_id, is_titled)
    return titled.scalar_subquery().is_not(None)


def installations_of(item: Any) -> Any:
    """An item's installations as text; null where an earlier version wrote its columns, which count alone then."""
    return case((_is_known(item), cast(col(item.installations), Text)))


def installations_json_of(item: Any) -> Any:
    """``installations_of`` as a page shows it: an empty list where nothing was ever installed."""
    nothing = (col(item.installation_changed_at).is_(None), literal_column("'[]'", Text))
    return case((_is_known(item), cast(col(item.installations), Text)), nothing)


def installed_before(item: Any) -> Any:
    """The time when a version before this one wrote an item's columns; null where its installations count. A page reads
    it in place of the time itself, which costs more to read than a null.
    """
    return case((_is_known(item), null()), else_=col(item.installation_changed_at))


def is_on_device(item: Any) -> ColumnElement[bool]:
    """Whether an item has one of some statuses on a device, by the entry of the device, else by that of the account.

    The entry of the account stands first. ``device_parameters`` returns the parameters.
    """
    entries = col(item.installations)
    of_account = entries.op("#>>")(_FIRST_DEVICE).is_(None)
    status_of_account = func.coalesce(
        case((of_account, entries.op("#>>")(_FIRST_STATUS))), InstallationStatus.NOT_INSTALLED.value
    )
    # Containment costs a third of what a JSON path does.
    on_device = or_(
        entries.op("@>")(any_(bindparam("device_entries", type_=ARRAY(JSONB)))),
        and_(~entries.op("@>")(bindparam("device_entry", type_=JSONB)), status_of_account == _any_status()),
    )
    return case((_is_known(item), on_device), else_=col(item.installation_status) == _any_status())


def device_parameters(device_id: str | None, statuses: Iterable[str]) -> dict[str, Any]:
    """Returns the parameters of ``is_on_device`` besides ``status``: the entries of a device to search for, as JSON."""
    entries = [{"device_id": device_id, "installation_status": status} for status in statuses]
    return {
        "device_entries": [json.dumps([entry]) for entry in entries],
        "device_entry": json.dumps([{"device_id": device_id}]),
    }


def _any_status() -> Any:
    return any_(bindparam("status", type_=ARRAY(String)))


def _is_known(item: Any) -> ColumnElement[bool]:
    return col(item.installations_at) == col(item.installation_changed_at)

"""Pieces that statements are made of."""

from typing import Any

from gameshelf.library.models import Product
from sqlalchemy import ARRAY, DateTime, Uuid, bindparam, column, func, or_, select, true
from sqlalchemy.sql import ColumnElement, TableValuedAlias
from sqlmodel import col

TIME = DateTime(timezone=True)


def user() -> Any:
    """The user whose rows a statement is about: the first part of every key."""
    return bindparam("user_id", type_=Uuid)


def array(name: str, kind: Any) -> Any:
    """A parameter that is a list."""
    return bindparam(name, type_=ARRAY(kind))


def rows(name: str, **columns: tuple[str, Any]) -> TableValuedAlias:
    """Lists side by side as a table: for each of its columns the name and the type of the list's parameter.

    Many rows are one statement with a text that is always the same, so that the server prepares it once.
    """
    lists = (array(parameter, kind) for parameter, kind in columns.values())
    names = (column(column_name, kind) for column_name, (_, kind) in columns.items())
    return func.unnest(*lists).table_valued(*names, name=name).render_derived()


def has_title(product_id: Any) -> ColumnElement[bool]:
    """Whether the Catalog has told a product's title: until then it has to be asked for.

    A value looked up row by row: of an EXISTS the planner may make a hash of the whole catalog.
    """
    told = or_(col(Product.title_ru).is_not(None), col(Product.title_en).is_not(None))
    titled = select(true()).where(col(Product.product_id) == product_id, told)
    return titled.scalar_subquery().is_not(None)

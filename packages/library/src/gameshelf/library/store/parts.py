"""Pieces that statements are made of."""

from typing import Any

from gameshelf.library.models import Product
from sqlalchemy import or_, select, true
from sqlalchemy.sql import ColumnElement
from sqlmodel import col


def has_title(product_id: Any) -> ColumnElement[bool]:
    """Whether the Catalog has told a product's title: until then it has to be asked for.

    A value looked up row by row: of an EXISTS the planner may make a hash of the whole catalog.
    """
    told = or_(col(Product.title_ru).is_not(None), col(Product.title_en).is_not(None))
    titled = select(true()).where(col(Product.product_id) == product_id, told)
    return titled.scalar_subquery().is_not(None)

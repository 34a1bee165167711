"""What all models of the schema ``savegames`` share."""

from typing import Any, ClassVar

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "savegames"


class SavegamesTable(SQLModel):
    """The base of all models."""

    metadata: ClassVar[MetaData] = MetaData(
        schema=SCHEMA,
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        },
    )


def time_column(**kwargs: Any) -> Any:
    """Returns a column of points in time."""
    return Field(sa_type=DateTime(timezone=True), **kwargs)


def json_column() -> Any:
    """Returns an optional column of JSON."""
    return Field(default=None, sa_type=JSONB(none_as_null=True))

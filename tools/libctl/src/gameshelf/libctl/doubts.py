"""Doubts about ids whose answer is empty: a mistyped id of a user has no games, no sessions and no wishes either."""

from typing import Any
from uuid import UUID

from gameshelf.libctl.client import connect
from gameshelf.libctl.errors import Refused
from gameshelf.libctl.output import Output
from gameshelf.protos.library.v1.admin_finding_pb2 import FindRequest

NO_DATA = "No data is stored for this user. Is the id correct?"
_UNKNOWN = {
    "user": NO_DATA,
    "product": "The Catalog has not announced this product. Is the id correct?",
}


def doubt(out: Output, user: UUID, product: UUID | None = None) -> None:
    """Says where an id is of nobody, or of something else: an empty answer about it would be taken for one about a
    player. Says nothing to a program, or where the service can't be asked.
    """
    if out.as_json or out.csv:
        return
    client = connect()
    try:
        for sought, kind in ((user, "user"), (product, "product")):
            if sought and (said := _doubt(client.call("Find", FindRequest(sought=str(sought))).objects, sought, kind)):
                out.warn(said)
    except Refused:
        return
    finally:
        client.close()


def _doubt(objects: Any, sought: UUID, kind: str) -> str:
    """Returns what speaks against an id; "" if it is one of this kind."""
    kinds = {one.kind: one for one in objects if one.id == str(sought)}
    if kind in kinds:
        return ""
    for other, one in kinds.items():
        named = f" ({one.title})" if one.title else ""
        return f"{sought} is not the id of a {kind}, but of a {other.replace('_', ' ')}{named}: libctl find {sought}"
    return _UNKNOWN[kind]

"""The feed over REST: the WebSocket's messages for a client that can't hold one open (contract, section 5)."""

from typing import Annotated

from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.reply import Reply, ok
from gameshelf.gateway.runtime.http.routing import Read, Routes
from gameshelf.gateway.runtime.outbox import feed
from gameshelf.kernel.clock import utc_now
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT
from pydantic import BaseModel, ConfigDict, Field

FEED = schemas.closed(
    {
        "data": {
            "type": "array",
            "items": schemas.closed(
                {
                    "type": {"const": "libraryEvent"},
                    "id": schemas.TEXT,
                    "attributes": schemas.closed(
                        {
                            "event_type": schemas.TEXT,
                            "timestamp": schemas.TIME,
                            "payload": {"type": "object"},
                            "origin": schemas.TEXT,
                        },
                        optional=("origin",),
                    ),
                }
            ),
        },
        "meta": schemas.closed({"cursor": schemas.TEXT, "has_more": {"type": "boolean"}}),
    }
)


routes = Routes("events")


class FeedQuery(BaseModel):
    """From where on, and how many. Without a cursor nothing is listed, and ``meta.cursor`` says where to start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: Annotated[str, Field(max_length=20)] | None = None
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


@routes.read("/events", query=FeedQuery, answers=FEED)
async def list_events(read: Read, query: FeedQuery) -> Reply:
    """What happened after a cursor, or resync.required where that can't be told."""
    if query.cursor is None:
        return ok({"data": [], "meta": {"cursor": str(read.state.last_sequence), "has_more": False}})
    cursor = feed.parse_cursor(query.cursor)
    if cursor is None:
        raise InvalidInput(Problem("not_a_cursor", parameter="cursor"))
    found = await feed.follow(read.connection, read.user_id, read.state, cursor, query.limit)
    if found.messages is None:
        resync = {"event_type": feed.RESYNC, "id": str(found.cursor), "timestamp": utc_now(), "payload": {}}
        told = [resync]
    else:
        told = [decode(message.message) for message in found.messages]
    data = [{"type": "libraryEvent", "id": one.pop("id"), "attributes": one} for one in told]
    return ok({"data": data, "meta": {"cursor": str(found.cursor), "has_more": found.has_more}})

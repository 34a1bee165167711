"""The feed over REST: the WebSocket's messages for a client that can't hold one open (contract, section 5)."""

from typing import Annotated

from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.http.reply import Reply, ok
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource
from gameshelf.gateway.runtime.http.routing import Read, Routes
from gameshelf.gateway.runtime.http.schemas import FLAG, TEXT, TIME, array, constant
from gameshelf.gateway.runtime.outbox import feed
from gameshelf.kernel.clock import utc_now
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, PageLimit
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Bounds

_PAYLOAD = {"item_id": "5d3f0c52-6f0b-8a1e-9c44-6e0d2f3b7a10"}
_EVENT: ObjectResource[object] = ObjectResource(
    "LibraryEvent",
    None,  # messages are stored as JSON
    "An event: a message of the WebSocket.",
    Field("type", constant("libraryEvent"), "Type of the resource: always `libraryEvent`.", "libraryEvent"),
    Field("id", TEXT, "Id of the event. It is a cursor: events after it follow.", "1042"),
    Field(
        "attributes",
        ObjectResource(
            "LibraryEventAttributes",
            None,
            "Attributes of the resource `libraryEvent`.",
            Field(
                "event_type",
                TEXT,
                "Type of the message, as the documentation of the WebSocket lists them.",
                "library.item.added",
            ),
            Field("timestamp", TIME, "When it happened.", "2026-05-20T18:00:00Z"),
            Field("payload", {"type": "object"}, "Fields of the message; they depend on its type.", _PAYLOAD),
            Field("origin", TEXT, "`X-Client-Id` of the request that caused it.", "deck-7", is_optional=True),
        ).schema,
        "The message.",
        {"event_type": "library.item.added", "timestamp": "2026-05-20T18:00:00Z", "payload": _PAYLOAD},
    ),
)
_FEED: ObjectResource[object] = ObjectResource(
    "LibraryEventFeed",
    None,
    "Events after a cursor, the oldest first.",
    Field("data", array(_EVENT.schema), "The events.", [_EVENT.schema.example]),
    Field(
        "meta",
        ObjectResource(
            "FeedMeta",
            None,
            "Position from which the feed continues.",
            Field("cursor", TEXT, "Cursor for the next request.", "1042"),
            Field("has_more", FLAG, "Whether more events follow at once.", False),
        ).schema,
        "Position from which the feed continues.",
        {"cursor": "1042", "has_more": False},
    ),
)

routes = Routes(
    "events",
    "The events of the WebSocket, for clients that cannot use one.",
)


class FeedQuery(BaseModel):
    """A cursor and a limit. Without a cursor nothing is listed, and ``meta.cursor`` is the cursor to start at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: Annotated[str, Bounds(max_length=20)] | None = None
    """Cursor: the id of the last event that the client has, or `meta.cursor` of an earlier response."""
    limit: PageLimit = DEFAULT_LIMIT


@routes.read("/events", query=FeedQuery, answers=_FEED.schema)
async def list_events(read: Read, query: FeedQuery) -> Reply:
    """Lists events.

    Returns the messages of the WebSocket after a cursor, for clients that cannot hold a connection. Without a cursor
    the list is empty, and `meta.cursor` is the cursor to start at. A single `resync.required` means that messages are
    missing: read the resources again.
    """
    if query.cursor is None:
        return ok({"data": [], "meta": {"cursor": str(read.state.last_sequence), "has_more": False}})
    cursor = feed.parse_cursor(query.cursor)
    if cursor is None:
        raise InvalidInput(Problem("not_a_cursor", parameter="cursor"))
    found = await feed.follow(read.connection, read.user_id, read.state, cursor, query.limit)
    if found.messages is None:
        resync = {"event_type": feed.RESYNC, "id": str(found.cursor), "timestamp": utc_now(), "payload": {}}
        listed = [resync]
    else:
        listed = [decode(message.message) for message in found.messages]
    data = [{"type": "libraryEvent", "id": event.pop("id"), "attributes": event} for event in listed]
    return ok({"data": data, "meta": {"cursor": str(found.cursor), "has_more": found.has_more}})

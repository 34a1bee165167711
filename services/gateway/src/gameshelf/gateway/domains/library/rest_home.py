"""REST of the first screen of a launcher."""

from uuid import UUID

from gameshelf.gateway.domains.library.home import FoundHome, read_home, read_unversioned
from gameshelf.gateway.domains.library.resources_home import HOME, HOME_DOCUMENT
from gameshelf.gateway.domains.library.versions import page_key, versions_of
from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.http.conditions import is_match
from gameshelf.gateway.runtime.http.reply import Reply
from gameshelf.gateway.runtime.http.routing import Read, Routes
from gameshelf.kernel.text import Name
from pydantic import BaseModel, ConfigDict

_ID_BYTES = 16
routes = Routes("home", "The first screen of a launcher, in one request.")


class HomeQuery(BaseModel):
    """The device that shows the screen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device_id: Name | None = None
    """Device that asks: its installations are shown, and how it stands to the saves. Left out, the best of all."""


@routes.read("/home", query=HomeQuery, answers=HOME_DOCUMENT, has_etag=True)
async def get_home(read: Read, query: HomeQuery) -> Reply:
    """Returns the first screen of a launcher.

    The games that were played last with achievements, recent playtime and the state of their saves, the latest
    additions, what is played now, open conflicts, wishes on sale and the storage of saves. Each list has up to 10
    entries. `meta.cursor` is the cursor of the feed from which to follow changes. With the `ETag` of an earlier
    response as `If-None-Match` the response is 304 while nothing has changed.
    """
    versions = versions_of(read, query)
    # The products that were played last follow from the versions. While they are known, nothing else has to be read
    # to find out whether the screen has changed.
    key = page_key(read, query)
    known = read.pages.get(f"{key} played", versions)
    if known is not None:
        etag = f'"{versions}-{await read_unversioned(read, _ids(known))}"'
        if read.if_none_match and is_match(read.if_none_match, etag):
            return Reply(304, headers={"ETag": etag})
        if (page := read.pages.get(key, etag)) is not None:
            return Reply(200, page, {"ETag": etag})
    found = await read_home(read, query.device_id)
    etag = f'"{versions}-{found.unversioned}"'
    read.pages.put(f"{key} played", versions, b"".join(one.bytes for one in found.played))
    if read.if_none_match and is_match(read.if_none_match, etag):
        return Reply(304, headers={"ETag": etag})
    page = _rendered(read, found)
    read.pages.put(key, etag, page)
    return Reply(200, page, {"ETag": etag})


def _ids(joined: bytes) -> list[UUID]:
    return [UUID(bytes=joined[at : at + _ID_BYTES]) for at in range(0, len(joined), _ID_BYTES)]


def _rendered(read: Read, found: FoundHome) -> bytes:
    return encode({"data": HOME.render(found.home), "meta": {"cursor": str(read.state.last_sequence)}})

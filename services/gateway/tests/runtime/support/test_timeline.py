"""A page of a user's timeline is one statement for each kind, whatever there is."""

from datetime import UTC, datetime
from uuid import uuid4

from gameshelf.gateway.runtime.support.timeline import UserTimeline
from gameshelf.kernel.happenings import place_before

BEGINNING, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


async def page(gateway, kinds):
    timeline = UserTimeline(gateway.streams, gateway.composition.timeline)
    async with gateway.acquire() as connection:
        return await timeline.page(connection, uuid4(), kinds, BEGINNING, place_before(END), 100)


async def test_each_kind_is_one_round_trip(measured):
    kinds = measured.gateway.composition.timeline.keys()
    await page(measured.gateway, kinds)  # types and statements are prepared once for a connection
    found, cost = await measured.count(page(measured.gateway, kinds))
    assert (found, cost) == ([], len(kinds))
    _, cost = await measured.count(page(measured.gateway, {"session", "support"}))
    assert cost == 2

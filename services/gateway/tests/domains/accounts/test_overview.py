"""The overview of a user: the domains together fill each field of the answer, no more and no less."""

from uuid import uuid4

import pytest
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.runtime.support.overview import OWN_OVERVIEW, Overview, UserOverview
from gameshelf.gateway.wiring import build
from gameshelf.protos.library.v1.admin_users_pb2 import ShowUserResponse

ABOUT_THE_ACCOUNT = {"user_id", "erased_at", "erasure", "version", "last_sequence"}


def counting(names, volatile=()):
    async def count(connection, user_id):
        return dict.fromkeys(names, 1)

    return Overview(count, frozenset(volatile))


async def test_domains_count_the_fields_of_the_answer(platform):
    gateway = await build(load_settings(platform.service(LIBRARY_SERVICE_ROLES="api").environment))
    try:
        parts = [one.overview for one in gateway.instances if one.overview]
        async with gateway.acquire() as connection:
            counts = await UserOverview([*parts, OWN_OVERVIEW]).count(connection, uuid4())
    finally:
        await gateway.close()
    assert counts.keys() == set(ShowUserResponse.DESCRIPTOR.fields_by_name) - ABOUT_THE_ACCOUNT
    ShowUserResponse(**{name: value for name, value in counts.items() if value is not None})


async def test_what_changes_by_itself_is_left_out():
    overview = UserOverview([counting(["saves", "reserved_bytes"], ["reserved_bytes"]), counting(["wishlist_items"])])
    counts = await overview.count(None, uuid4())
    assert overview.stable(counts) == {"saves": 1, "wishlist_items": 1}


async def test_two_domains_do_not_count_the_same_thing():
    with pytest.raises(ValueError, match="saves"):
        await UserOverview([counting(["saves"]), counting(["saves"])]).count(None, uuid4())

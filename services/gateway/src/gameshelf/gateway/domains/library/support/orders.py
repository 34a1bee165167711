"""``orders show``: what was received about an order, and what it did."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gameshelf.gateway.domains.library.support.library import grant
from gameshelf.gateway.runtime.grpc.calls import parse_optional_id
from gameshelf.gateway.runtime.grpc.convert import timestamp
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import read_command
from gameshelf.gateway.runtime.support.received import (
    AppliedEvent,
    NamingLetter,
    events_of_commits,
    letters_naming,
)
from gameshelf.gateway.runtime.support.rpc.context import SupportContext
from gameshelf.kernel.errors import InvalidInput, Problem, ResourceNotFound
from gameshelf.kernel.text import is_storable
from gameshelf.library import OrderedProduct, OrderQueries
from gameshelf.protos.library.v1 import admin_orders_pb2 as messages

COMMANDS = (read_command("orders show", "ShowOrder"),)
_MOST_OWNERS = 10
_LONGEST = 200


class Orders:
    """Serves orders."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def ShowOrder(self, request: messages.ShowOrderRequest, by: Identity) -> messages.ShowOrderResponse:
        order_id, user_id = _order_id(request.order_id), parse_optional_id(request.user_id, "user_id")
        owners = await self._owners(order_id)
        chosen = user_id or (owners[0] if owners else None)
        if chosen is None:
            raise ResourceNotFound(reason="unknown_order")
        async with self._context.reading(chosen) as connection:
            products = await OrderQueries(connection).products(chosen, order_id)
            letters = await letters_naming(connection, chosen, order_id)
            events = await events_of_commits(connection, chosen, _moments(products))
            titles = await self._context.titles(connection, [one.product_id for one in products])
        if not (products or letters):
            raise ResourceNotFound(reason="order_of_another_user" if owners else "unknown_order_of_user")
        return messages.ShowOrderResponse(
            order_id=order_id,
            user_id=str(chosen),
            other_user_ids=[str(one) for one in owners if one != chosen],
            products=[
                messages.AdminOrderedProduct(
                    product_id=str(one.product_id),
                    title=titles.get(one.product_id, ""),
                    grant=grant(one.grant),
                    heard_at=timestamp(one.grant.created_at),
                )
                for one in products
            ],
            events=[_event(one) for one in events],
            dead_letters=[_letter(one) for one in letters],
        )

    async def _owners(self, order_id: str) -> Sequence[UUID]:
        """Finds the users of an order, without those whose account is erased or being erased."""
        async with self._context.acquire() as connection:
            found = await OrderQueries(connection).owners(order_id, _MOST_OWNERS)
            erased = await self._context.streams.being_erased(connection, set(found)) if found else frozenset()
        return [one for one in found if one not in erased]


def _order_id(sent: str) -> str:
    """Checks the id of an order. Raises InvalidInput."""
    if not sent:
        raise InvalidInput(Problem("missing", pointer="order_id"))
    if len(sent) > _LONGEST:
        raise InvalidInput(Problem("string_too_long", pointer="order_id", params={"max_length": _LONGEST}))
    if not is_storable(sent):
        raise InvalidInput(Problem("text_forbidden_character", pointer="order_id"))
    return sent


def _moments(products: Sequence[OrderedProduct]) -> set[datetime]:
    """Returns when what is known of the order was received."""
    grants = [one.grant for one in products]
    return {one.created_at for one in grants} | {fact.created_at for one in grants for fact in one.facts}


def _event(of: AppliedEvent) -> messages.AppliedEvent:
    return messages.AppliedEvent(source=of.source, event_id=of.event_id, received_at=timestamp(of.received_at))


def _letter(of: NamingLetter) -> messages.OrderDeadLetter:
    return messages.OrderDeadLetter(
        dead_letter_id=str(of.id),
        topic=of.topic,
        reason=of.reason,
        detail=of.detail,
        created_at=timestamp(of.created_at),
    )

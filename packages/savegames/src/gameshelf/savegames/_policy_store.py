"""The policies of products: of the Catalog's events, or imported by an operator. The last writer wins, by its time.

A policy is replaced as a whole. Clients compare its revision alone, so a policy that differs from the one before has a
higher revision, whatever its source says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from gameshelf.kernel.clock import Clock, not_in_future, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.savegames._policies import DEFAULT_POLICY, PolicyDocument, SavePolicy
from gameshelf.savegames._store.policies import PolicyTable, StoredPolicy
from pydantic import ValidationError


class PolicySource(StrEnum):
    """Where the policy of a product comes from."""

    CATALOG = "catalog"
    """An event of the Catalog."""
    COMMUNITY = "community"
    """A file that an operator has imported."""
    DEFAULT = "default"
    """The product has none, or none any more."""


@dataclass(frozen=True, slots=True)
class PolicyFact:
    """The policy that a source stated for a product at one time (aware)."""

    product_id: UUID
    document: PolicyDocument
    said_at: datetime
    source: PolicySource = PolicySource.CATALOG


@dataclass(frozen=True, slots=True)
class ProductPolicy:
    """The policy of a product."""

    product_id: UUID
    revision: int
    """0: the product never had one, and this is the default one."""
    source: PolicySource
    policy: SavePolicy


def policy_of(product_id: UUID, revision: int | None, source: str | None, text: str | None) -> ProductPolicy:
    """Returns the policy in the columns of ``savegame_policies``; without a row the default one."""
    if revision is None or source is None or text is None:
        return ProductPolicy(product_id, 0, PolicySource.DEFAULT, DEFAULT_POLICY)
    return ProductPolicy(product_id, revision, PolicySource(source), parse_stored(text))


_UNREADABLE = SavePolicy(mode="backup")


@lru_cache(maxsize=64)
def parse_stored(text: str) -> SavePolicy:
    """Returns a stored policy.

    One that a later release has written, and that this one cannot read, counts as one without roots and units in the
    mode ``backup``: then nothing is lost, and no file of a device is replaced unless its user asks for it.
    """
    try:
        return SavePolicy.model_validate_json(text)
    except ValidationError:
        return _UNREADABLE


class PolicyStore:
    """The policies of products, over one connection."""

    def __init__(self, connection: Connection, clock: Clock = utc_now) -> None:
        self._table = PolicyTable(connection)
        self._clock = clock

    async def apply(self, facts: Sequence[PolicyFact]) -> None:
        """Applies facts in one statement. They may be late, repeated and in any order."""
        now = self._clock()
        newest = _newest(facts, now)
        if newest:
            await self._table.apply(newest, now)

    async def lock(self, product_id: UUID) -> ProductPolicy:
        """Returns the policy of a product, which only this transaction changes until it ends."""
        await self._table.lock(product_id)
        return _as_policy(product_id, await self._table.find_and_lock(product_id))

    async def remove(self, product_id: UUID) -> None:
        """Removes the policy of a product, which then has the default one under a revision of its own: no later policy
        has a revision again that a client has cached.
        """
        await self._table.remove(product_id, self._clock())

    async def policy(self, product_id: UUID) -> ProductPolicy:
        """Returns the policy of a product; the default one if the product has none or does not exist."""
        return _as_policy(product_id, await self._table.find(product_id))


def _as_policy(product_id: UUID, stored: StoredPolicy | None) -> ProductPolicy:
    if stored is None:
        return policy_of(product_id, None, None, None)
    return policy_of(product_id, stored.revision, stored.source, stored.policy)


def _newest(facts: Iterable[PolicyFact], now: datetime) -> list[StoredPolicy]:
    """Returns the newest fact of each product; of facts with equal times the later one in the sequence."""
    found: dict[UUID, StoredPolicy] = {}
    for fact in facts:
        said_at = not_in_future(fact.said_at, now)
        before = found.get(fact.product_id)
        if before is None or said_at >= before.said_at:
            text = fact.document.policy.model_dump_json(exclude_defaults=True)
            found[fact.product_id] = StoredPolicy(fact.product_id, fact.document.revision, fact.source, text, said_at)
    return list(found.values())

"""Refused reports of achievements: counted in memory, and stored every second, so that a refusal costs no round trip.

A game whose report is refused often repeats it; what is alike is one row. What a killed process has not stored is
lost, and a report that lost a race may be counted twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from gameshelf.achievements import (
    MAX_REFUSED,
    AchievementAlreadyUnlocked,
    AttemptKey,
    ImportedAchievement,
    NamedAchievement,
    OfflineAchievement,
    RefusedAttempts,
    RefusedAttemptStore,
    UnreadableAchievement,
    attempt_subject,
)
from gameshelf.gateway.domains.achievements.metrics import AchievementMetrics
from gameshelf.gateway.runtime.client_ids import current_client_id
from gameshelf.gateway.runtime.errors import ServiceUnavailable
from gameshelf.gateway.runtime.failures import as_domain_error
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.streams import UserErased
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.errors import DomainError, InvalidInput

EVERY_SECONDS = 1.0
MAX_WAITING = 10_000
"""How many kinds of attempts wait in memory at most, at most 100 of a user; others are only counted by the metric."""
_PLAYER = "player"


class RefusedReports:
    """Notes refused reports, and stores them."""

    def __init__(self, transactions: Transactions, metrics: Metrics, clock: Clock = utc_now) -> None:
        self._transactions = transactions
        self._dropped = metrics.of(AchievementMetrics).refusals_dropped
        self._clock = clock
        self._waiting: dict[UUID, dict[AttemptKey, RefusedAttempts]] = {}
        self._count = 0

    def note(self, user_id: UUID, of: UUID | NamedAchievement, refusal: DomainError, source: str | None = None) -> None:
        """Notes a refused report; without ``source`` it is one of the player."""
        if not isinstance(refusal, AchievementAlreadyUnlocked | InvalidInput):
            # The first is no riddle, and the second is about no rule of achievements.
            self._note(user_id, AttemptKey(attempt_subject(of), rule_of(refusal), source or player_source()))

    def note_import(
        self,
        user_id: UUID,
        elements: Sequence[OfflineAchievement | UnreadableAchievement],
        results: Sequence[ImportedAchievement],
        service: str | None = None,
    ) -> None:
        """Notes the elements of an import that were rejected, except those that could not be read."""
        for one, result in zip(elements, results, strict=True):
            if result.code and isinstance(one, OfflineAchievement):
                source = service or (f"{_PLAYER} {one.device_id}" if one.device_id else player_source())
                self._note(user_id, AttemptKey(attempt_subject(one.named), f"{result.code} imported", source))

    def _note(self, user_id: UUID, key: AttemptKey) -> None:
        now, alike = self._clock(), self._waiting.get(user_id, {})
        if key in alike:
            alike[key] = alike.pop(key).again(now)  # to the end: the first one has the oldest attempt
        else:
            self._add(user_id, key, RefusedAttempts(key.subject, key.rule, key.source, 1, now, now))

    def _add(self, user_id: UUID, key: AttemptKey, one: RefusedAttempts) -> None:
        """Adds a kind of attempts. The oldest one of a user makes room for it, since no more are kept of a user: a
        single player must not take the room of all.
        """
        alike = self._waiting.get(user_id, {})
        if len(alike) >= MAX_REFUSED:
            self._dropped.inc(alike.pop(next(iter(alike))).attempts)
            self._count -= 1
        if self._count >= MAX_WAITING:
            self._dropped.inc(one.attempts)
            return
        self._waiting.setdefault(user_id, {})[key] = one
        self._count += 1

    @contextmanager
    def noting(self, user_id: UUID, of: UUID | NamedAchievement, source: str | None = None) -> Iterator[None]:
        """Wraps a report: notes the error that refuses it, and raises it."""
        try:
            yield
        except DomainError as refusal:
            self.note(user_id, of, refusal, source)
            raise

    async def run(self) -> None:
        """Stores what was noted every second until it is cancelled, and then the rest."""
        try:
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                await self.store()
        finally:
            await self.store()

    async def store(self) -> None:
        """Stores what was noted, user by user. What could not be stored is noted again, as long as there is room; so is
        what was being stored when this is cancelled, which may be counted twice then.
        """
        for user_id in list(self._waiting):
            refused = self._waiting.pop(user_id)
            self._count -= len(refused)
            try:
                await self._transactions.run(user_id, _adding(user_id, refused))
            except UserErased:
                continue
            except asyncio.CancelledError:
                self._put_back(user_id, refused)
                raise
            except Exception as error:
                if isinstance(as_domain_error(error), ServiceUnavailable):
                    self._put_back(user_id, refused)
                else:  # a defect, which is logged: it would fail again
                    self._dropped.inc(sum(one.attempts for one in refused.values()))

    def _put_back(self, user_id: UUID, refused: dict[AttemptKey, RefusedAttempts]) -> None:
        """Notes attempts again, which are older than those that were noted meanwhile."""
        newer = self._waiting.pop(user_id, {})
        self._count -= len(newer)
        for key, one in (*refused.items(), *newer.items()):
            alike = self._waiting.get(user_id, {})
            if key in alike:
                earlier = alike.pop(key)
                attempts = earlier.attempts + one.attempts
                alike[key] = replace(earlier, attempts=attempts, last_at=one.last_at)
            else:
                self._add(user_id, key, one)


def player_source() -> str:
    """Returns the source of a report by a player: the device has named itself in the request, or not."""
    device = current_client_id()
    return f"{_PLAYER} {device}" if device else _PLAYER


def service_source(service_id: UUID) -> str:
    """Returns the source of a report by a service."""
    return f"service {service_id}"


def rule_of(refusal: DomainError) -> str:
    """Returns the rule of a refusal: its code, and its reason if it has one."""
    return f"{refusal.code} {refusal.meta['reason']}" if refusal.meta.get("reason") else refusal.code


def _adding(user_id: UUID, refused: dict[AttemptKey, RefusedAttempts]) -> Callable[[Transaction], Awaitable[None]]:
    async def add(transaction: Transaction) -> None:
        await RefusedAttemptStore(transaction.connection).add(user_id, list(refused.values()))
        transaction.discard()  # no client sees it

    return add

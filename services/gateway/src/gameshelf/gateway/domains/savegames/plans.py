"""What remains of a plan once it is made: intents of devices, versions of games, and counts."""

from uuid import UUID

from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.transaction import Transaction, Transactions
from gameshelf.savegames import SavegameDevices, SavePlan, SeenGameVersions


class PlanNotes:
    """Notes what plans have seen. A process has one."""

    def __init__(self, transactions: Transactions, seen: SeenGameVersions, metrics: SavegameMetrics) -> None:
        self._transactions = transactions
        self._seen = seen
        self._metrics = metrics

    async def note(self, user_id: UUID, plan: SavePlan) -> None:
        """Stores the intent of the device, if other devices have to know it. Raises UserErased."""
        for version, seen_at in plan.game_versions.items():
            self._seen.note(plan.policy.product_id, version, seen_at)
        for slot in plan.slots:
            self._metrics.plans.labels(slot.planned.action).inc()
        noted = plan.noted
        if noted is None:
            return

        async def store(transaction: Transaction) -> None:
            await transaction.of(SavegameDevices).note_intent(user_id, noted)
            transaction.discard()  # no version of the user, since no answer but those of plans depends on it

        await self._transactions.run(user_id, store)


class GameVersionKeeper:
    """Stores the versions of games that plans have seen."""

    def __init__(self, acquire: Acquire, seen: SeenGameVersions) -> None:
        self._acquire = acquire
        self._seen = seen

    async def run_once(self) -> None:
        """Stores all that wait. What fails is stored by the next run."""
        while self._seen.is_waiting:
            async with self._acquire() as connection:
                await self._seen.store(connection)

"""Takes over prices that an instance of the release before has received; a later release removes it."""

from uuid import UUID

from gameshelf.gateway.runtime.database import Acquire
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.wishlist import Prices, ReleaseBefore

_LOOKED_AT = 5_000
_APPLIED_AT_ONCE = 100
"""A small number, since the wishers of these products wait for the transaction."""


class OldPriceTakeover:
    """Takes over the prices of the release before."""

    def __init__(self, acquire: Acquire, clock: Clock = utc_now) -> None:
        self._acquire = acquire
        self._clock = clock

    async def run_once(self) -> None:
        """Takes over all prices."""
        last: UUID | None = UUID(int=0)
        while last is not None:
            async with self._acquire() as connection:
                unknown, last = await ReleaseBefore(connection).prices(last, _LOOKED_AT)
                for begin in range(0, len(unknown), _APPLIED_AT_ONCE):
                    async with connection.transaction():
                        await Prices(connection, self._clock).apply(unknown[begin : begin + _APPLIED_AT_ONCE])

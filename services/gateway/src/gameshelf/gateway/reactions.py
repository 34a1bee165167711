"""What other domains do when something happens, in the same transaction: one user's rows live together.

Event type → reactions. A reaction gets the running transaction and the event; what it records is reacted to in turn.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gameshelf.kernel.events import Event

if TYPE_CHECKING:
    from gameshelf.gateway.transaction import Transaction

Reaction = Callable[["Transaction", Any], Awaitable[None]]

REACTIONS: Mapping[type[Event], Sequence[Reaction]] = {}

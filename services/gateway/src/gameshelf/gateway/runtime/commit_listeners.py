"""Notifies the parts of this process of committed transactions."""

from collections.abc import Callable, Sequence

from gameshelf.gateway.runtime.transaction import Committed
from gameshelf.kernel.events import Event


class CommitListeners:
    """Passes each commit to its listeners, which are added while the process is built.

    A listener must neither wait nor fail. A notification may be lost with the process.
    """

    def __init__(self) -> None:
        self.on_commit: list[Callable[[Committed], None]] = []
        self.on_forwarded: list[Callable[[Sequence[Event]], None]] = []

    def committed(self, commit: Committed) -> None:
        """Handles a commit to one user's data."""
        for listener in self.on_commit:
            listener(commit)

    def forwarded(self, events: Sequence[Event]) -> None:
        """Handles events that were stored for other users."""
        for listener in self.on_forwarded:
            listener(events)

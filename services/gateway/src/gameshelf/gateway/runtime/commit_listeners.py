"""Who is told in this process that a transaction was committed."""

from collections.abc import Callable, Sequence

from gameshelf.gateway.runtime.transaction import Committed
from gameshelf.kernel.events import Event


class CommitListeners:
    """Passes each commit on to the parts of the process, which are added while it is built.

    No listener waits or fails. A commit may be lost with the process.
    """

    def __init__(self) -> None:
        self.on_commit: list[Callable[[Committed], None]] = []
        self.on_forwarded: list[Callable[[Sequence[Event]], None]] = []

    def committed(self, commit: Committed) -> None:
        """One user's data changed."""
        for listener in self.on_commit:
            listener(commit)

    def forwarded(self, events: Sequence[Event]) -> None:
        """Events were kept for other users."""
        for listener in self.on_forwarded:
            listener(events)

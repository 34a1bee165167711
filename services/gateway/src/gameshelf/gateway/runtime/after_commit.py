"""Handlers that run in this process after the commit of an event, for example to count it or to update Redis.

Their work may be lost with the process. Work that must not be lost is done by reactions, in the transaction.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gameshelf.kernel.events import Event

AfterCommitHandlers = Mapping[type[Event], Callable[[Any], None]]
"""Type of event → handler, which must neither wait nor fail."""


class AfterCommit:
    """Passes committed events of this process to the handlers of all domains."""

    def __init__(self, tables: Iterable[AfterCommitHandlers]) -> None:
        self._handlers: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)
        for table in tables:
            for kind, handler in table.items():
                self._handlers[kind].append(handler)

    def handle(self, events: Iterable[Event]) -> None:
        """Handles the events of one commit, in their order."""
        for event in events:
            for handler in self._handlers.get(type(event), ()):
                handler(event)

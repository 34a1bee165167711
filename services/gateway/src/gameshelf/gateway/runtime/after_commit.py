"""What this process does once an event is committed, such as counting it or keeping Redis in step.

It may be lost with the process, so nothing that must happen is done here: reactions do that, in the transaction.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gameshelf.kernel.events import Event

AfterCommitHandlers = Mapping[type[Event], Callable[[Any], None]]
"""By type of event. A handler neither waits nor fails."""


class AfterCommit:
    """Passes committed events of this process to the handlers of all domains."""

    def __init__(self, tables: Iterable[AfterCommitHandlers]) -> None:
        self._handlers: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)
        for table in tables:
            for kind, handler in table.items():
                self._handlers[kind].append(handler)

    def handle(self, events: Iterable[Event]) -> None:
        """Events of one commit, in their order."""
        for event in events:
            for handler in self._handlers.get(type(event), ()):
                handler(event)

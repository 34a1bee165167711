"""The two runs over a batch: the dry run of each change, and the changes themselves on the revisions of the dry run."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gameshelf.libctl.batches.journal import BatchItem, ChangeState, Journal
from gameshelf.libctl.batches.report import describe
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import Client
from gameshelf.libctl.errors import NothingFound, Precondition, Unavailable, Usage
from gameshelf.libctl.messages import plain
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions

_PAUSES = (1, 2, 4, 8, 16)
"""Seconds between the attempts at a call while the service is unavailable, as it is while it is rolled out."""
_OF_THE_PLAYER = (NothingFound, Precondition, Usage)
"""Refusals that are about one change. Any other, such as a token that has expired, would meet all that follow."""

MakeCall = Callable[[tuple[str, ...]], ChangeCall]
"""Makes the call of a change of the words of its line."""


@dataclass(frozen=True, slots=True)
class PlayerBatch:
    """A batch and how its changes are sent."""

    id: str
    make: MakeCall
    client: Client
    rate: float
    """How many changes are sent per second at most."""
    command: str
    """The command line that continues it, without ``--apply``."""

    def dry_run(self, journal: Journal) -> Iterator[None]:
        """Asks for each change that was not asked for yet what it would do; yields after each one."""
        for item in self._paced(journal.items(ChangeState.READ)):
            self._send(journal, item, ChangeOptions(batch_id=self.id), ChangeState.PLANNED, ChangeState.REFUSED)
            yield

    def apply(self, journal: Journal, reason: str, ticket: str) -> Iterator[None]:
        """Makes each change that the dry run has planned, and that was not made yet; yields after each one."""
        for item in self._paced(journal.items(ChangeState.PLANNED)):
            options = ChangeOptions(apply=True, reason=reason, ticket=ticket, revision=item.revision, batch_id=self.id)
            self._send(journal, item, options, ChangeState.APPLIED, ChangeState.FAILED)
            yield

    def _send(
        self, journal: Journal, item: BatchItem, options: ChangeOptions, done: ChangeState, refused: ChangeState
    ) -> None:
        call = self.make(item.words)
        request: Any = call.request
        # With the user: a change of theirs may be one of another user's data, as that of a seat is.
        options.batch_item = " ".join(item.words)
        request.change.CopyFrom(options)
        try:
            result = self._answer(call).result
        except _OF_THE_PLAYER as error:
            journal.record(item, refused, code=error.reason, message=error.message)
            return
        if result.before == result.after and not result.applied:
            journal.record(item, ChangeState.UNCHANGED)
        elif options.apply:
            journal.record(item, done, audit_id=result.audit_id, can_undo="yes" if result.can_undo else "")
        else:
            journal.record(item, done, revision=result.revision, difference=describe(plain(result)))

    def _answer(self, call: ChangeCall) -> Any:
        """Repeats a call that was not answered: the service makes each change of a batch once."""
        for pause in _PAUSES:
            try:
                return self.client.call(call.rpc, call.request)
            except Unavailable:
                time.sleep(pause)
        return self.client.call(call.rpc, call.request)

    def _paced(self, items: Iterator[BatchItem]) -> Iterator[BatchItem]:
        begin = time.monotonic()
        for item in items:
            yield item
            begin = max(begin + 1 / self.rate, time.monotonic() - 1)  # what was late is caught up for a second only
            time.sleep(max(begin - time.monotonic(), 0))

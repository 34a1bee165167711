"""The two runs over a batch: the dry run of each change, and the changes themselves on the revisions of the dry run."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gameshelf.libctl.batches.journal import BatchItem, ChangeState, Journal
from gameshelf.libctl.batches.report import describe
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import Client
from gameshelf.libctl.errors import Refused, Unavailable
from gameshelf.libctl.messages import plain
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions

_PAUSES = (1, 2, 4, 8, 16)
"""Seconds between the attempts at a call while the service is unavailable, as it is while it is rolled out."""
_MOST_SILENT = 3
"""After how many changes in a row without an answer the service itself is the problem, and not a player's data."""
_OF_ALL = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED", Refused.code})
"""Refusals that would meet all changes that follow: of the token, the role, the limit of requests, and those that the
service gave no code, as it does for a command that it doesn't know."""
_DEFECT = "INTERNAL_ERROR"
_ANSWERED = {"code": "", "message": ""}

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
        """Asks for each change that was not asked for yet what it would do; yields after each answer."""

        def options(_: BatchItem) -> ChangeOptions:
            return ChangeOptions(batch_id=self.id)

        return self._run(journal, _Step(ChangeState.READ, options, ChangeState.PLANNED, ChangeState.REFUSED))

    def apply(self, journal: Journal, reason: str, ticket: str) -> Iterator[None]:
        """Makes each change that the dry run has planned, and that was not made yet; yields after each answer."""

        def options(item: BatchItem) -> ChangeOptions:
            return ChangeOptions(apply=True, reason=reason, ticket=ticket, revision=item.revision, batch_id=self.id)

        return self._run(journal, _Step(ChangeState.PLANNED, options, ChangeState.APPLIED, ChangeState.FAILED))

    def _run(self, journal: Journal, step: "_Step") -> Iterator[None]:
        """Sends the changes; one without an answer is set aside and sent again after all others.

        Those of an earlier run come last, too: a player whose data can't be read keeps nobody waiting. Raises Refused
        for what would meet all that follow.
        """
        for is_second in (False, True):
            silent = 0
            for item in self._paced(journal.waiting(step.state, unanswered=is_second)):
                try:
                    self._send(journal, item, step, patient=not silent)
                except Refused as error:
                    if not _is_unanswered(error):
                        raise
                    journal.record(item, step.state, code=error.reason, message=error.message)
                    silent += 1
                    if silent < _MOST_SILENT:
                        continue
                    if is_second:
                        return
                    raise
                silent = 0
                yield

    def _send(self, journal: Journal, item: BatchItem, step: "_Step", *, patient: bool) -> None:
        """Sends a change, and records its result or why it was refused. Raises Refused unless that is about it."""
        call = self.make(item.words)
        request: Any = call.request
        options = step.options(item)
        # With the user: a change of theirs may be one of another user's data, as that of a seat is.
        options.batch_item = " ".join(item.words)
        request.change.CopyFrom(options)
        try:
            result = self._answer(call, _PAUSES if patient else ()).result
        except Refused as error:
            if error.reason in _OF_ALL or _is_unanswered(error):
                raise
            journal.record(item, step.refused, code=error.reason, message=error.message)
            return
        if result.before == result.after and not result.applied:
            journal.record(item, ChangeState.UNCHANGED, **_ANSWERED)
        elif options.apply:
            can_undo = "yes" if result.can_undo else ""
            journal.record(item, step.done, audit_id=result.audit_id, can_undo=can_undo, **_ANSWERED)
        else:
            difference = describe(plain(result))
            journal.record(item, step.done, revision=result.revision, difference=difference, **_ANSWERED)

    def _answer(self, call: ChangeCall, pauses: Sequence[float]) -> Any:
        """Repeats a call that was not answered: the service makes each change of a batch once."""
        for pause in pauses:
            try:
                return self.client.call(call.rpc, call.request)
            except Unavailable as error:
                if error.reason in _OF_ALL:
                    raise
                time.sleep(pause)
        return self.client.call(call.rpc, call.request)

    def _paced(self, items: Iterator[BatchItem]) -> Iterator[BatchItem]:
        begin = time.monotonic()
        for item in items:
            yield item
            begin = max(begin + 1 / self.rate, time.monotonic() - 1)  # what was late is caught up for a second only
            time.sleep(max(begin - time.monotonic(), 0))


@dataclass(frozen=True, slots=True)
class _Step:
    """What a run does with each change: that of the dry run, or the change itself."""

    state: ChangeState
    """The state of the changes that it takes."""
    options: Callable[[BatchItem], ChangeOptions]
    done: ChangeState
    refused: ChangeState


def _is_unanswered(error: Refused) -> bool:
    """Returns whether it is unknown what became of a change: no answer came, or the service has failed at it."""
    return error.reason not in _OF_ALL and (isinstance(error, Unavailable) or error.reason == _DEFECT)

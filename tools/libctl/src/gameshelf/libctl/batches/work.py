"""The two runs over a batch: the dry run of each change, and the changes themselves on the revisions of the dry run."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gameshelf.libctl.batches.journal import BatchItem, ChangeState, Journal
from gameshelf.libctl.batches.pacing import answered
from gameshelf.libctl.batches.report import describe
from gameshelf.libctl.changing import ChangeCall
from gameshelf.libctl.client import PERMISSION_DENIED, RATE_LIMITED, UNAUTHENTICATED, UNIMPLEMENTED, Client
from gameshelf.libctl.errors import Refused, Unavailable
from gameshelf.libctl.messages import plain
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions, ChangeResult

_PAUSES = (1, 2, 4, 8, 16)
"""Seconds between the attempts at a call while the service is unavailable, as it is while it is rolled out."""
_MOST_SILENT = 3
"""After how many changes in a row without an answer the service itself is the problem, and not a player's data."""
_OF_ALL = frozenset({UNAUTHENTICATED, PERMISSION_DENIED, RATE_LIMITED, UNIMPLEMENTED})
"""Refusals that would meet all changes that follow: of the token, the role, the limit of requests, and of a command
that the service doesn't know."""
DEFECTS = frozenset({"INTERNAL_ERROR", Refused.code})
"""Codes of an answer that says nothing about the change: the service has failed at it, or somebody between did not
pass its answer on, such as a proxy, whose statuses have no code."""

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
    at_once: int = 1
    """How many changes may be under way: one where they may be of the same data, and their order matters."""

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

        Those of an earlier run come last, too: a player whose data can't be read keeps nobody waiting. Among those that
        were set aside a defect is that of a player, however many have one. Raises Refused for what would meet all that
        follow.
        """
        silent = 0

        def begin(item: BatchItem) -> Callable[[], Any]:
            return partial(self._answer, self._call(item, step), () if silent else _PAUSES)

        for is_second in (False, True):
            silent = 0
            waiting = journal.waiting(step.state, unanswered=is_second)
            for item, answer in answered(waiting, begin, self.rate, self.at_once):
                try:
                    _record(journal, item, step, answer.result().result)
                except Refused as error:
                    if error.reason in _OF_ALL:
                        raise
                    if not _is_unanswered(error):
                        journal.record(item, step.refused, code=error.reason, message=error.message)
                    else:
                        journal.set_aside(item, error.reason, error.message)
                        silent += not (is_second and error.reason in DEFECTS)
                        if silent < _MOST_SILENT:
                            continue
                        if is_second:
                            return
                        raise
                silent = 0
                yield

    def _call(self, item: BatchItem, step: "_Step") -> ChangeCall:
        call = self.make(item.words)
        request: Any = call.request
        options = step.options(item)
        # With the user: a change of theirs may be one of another user's data, as that of a seat is.
        options.batch_item = " ".join(item.words)
        request.change.CopyFrom(options)
        return call

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


@dataclass(frozen=True, slots=True)
class _Step:
    """What a run does with each change: that of the dry run, or the change itself."""

    state: ChangeState
    """The state of the changes that it takes."""
    options: Callable[[BatchItem], ChangeOptions]
    done: ChangeState
    refused: ChangeState


def _record(journal: Journal, item: BatchItem, step: _Step, result: ChangeResult) -> None:
    """Records the result of a change."""
    if result.before == result.after and not result.applied:
        journal.record(item, ChangeState.UNCHANGED)
    elif result.applied:
        journal.record(item, step.done, audit_id=result.audit_id, can_undo="yes" if result.can_undo else "")
    else:
        journal.record(item, step.done, revision=result.revision, difference=describe(plain(result)))


def _is_unanswered(error: Refused) -> bool:
    """Returns whether it is unknown what became of a change: no answer came, or the service has failed at it."""
    return isinstance(error, Unavailable) or error.reason in DEFECTS

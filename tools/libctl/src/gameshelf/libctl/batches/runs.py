"""A batch on the command line: its dry run, its changes, and how either is continued after an interruption."""

from collections.abc import Iterable, Iterator
from contextlib import closing

from gameshelf.libctl.batches.journal import ChangeState, Journal
from gameshelf.libctl.batches.lists import ListedPlayer
from gameshelf.libctl.batches.report import show
from gameshelf.libctl.batches.work import DEFECTS, PlayerBatch
from gameshelf.libctl.changing import ApplyOptions
from gameshelf.libctl.errors import ExitCode, Precondition, Refused, Usage
from gameshelf.libctl.output import Output
from gameshelf.libctl.progress import bar

_NAMED = 10
_UNSENT = (ChangeState.READ, ChangeState.PLANNED)
"""The states of changes of which no answer is known."""


def fill(journal: Journal, found: Iterable[ListedPlayer]) -> None:
    """Puts a list into the journal, all of it or nothing. Raises Usage that names the lines which can't be read."""
    twice, wrong, problems = 0, 0, []
    with journal.together():
        for line in found:
            if line.problem:
                wrong += 1
                problems += [f"line {line.number}: {line.problem}"] if wrong <= _NAMED else []
            elif not journal.add(line.number, line.words):
                twice += 1
        if wrong:
            problems += [f"and {wrong - _NAMED:,} more"] if wrong > _NAMED else []
            raise Usage(f"the list can't be read: {'; '.join(problems)}", "correct the list")
        if not sum(journal.counts().values()):
            raise Usage("the list is empty", "put one player on each line")
        journal.note("listed_twice", twice)


def dry_run(out: Output, journal: Journal, batch: PlayerBatch, *, confirms: bool = False) -> int:
    """Shows what the changes would do that it has not come to yet. With ``confirms`` they have to be counted.

    Returns the exit code.
    """
    _run(out, "dry run", batch.dry_run(journal), journal.counts()[ChangeState.READ], batch.command)
    found, silent = show(out, journal), journal.unanswered(ChangeState.READ)
    if silent:
        out.say(f"{silent:,} were not answered, and won't be changed. To ask for them again: {batch.command}", "yellow")
    if found[ChangeState.PLANNED]:
        _say_how_to_apply(out, journal, batch, found[ChangeState.PLANNED], confirms=confirms)
    elif found[ChangeState.APPLIED]:
        out.say("Nothing is left to change.", "bold")
        _say_what_is_made(out, journal, batch)
    elif not silent:
        out.say("Nothing to change. The audit got no entry.", "bold")
    return _exit_code(journal, ChangeState.READ)


def apply(out: Output, journal: Journal, batch: PlayerBatch, options: ApplyOptions) -> int:
    """Makes the changes of the dry run that were not made yet. Returns the exit code."""
    counts, left_out = journal.counts(), journal.unanswered(ChangeState.READ)
    if left := counts[ChangeState.READ] - left_out:
        raise Precondition(f"the dry run has not come to {left:,} of the changes", batch.command)
    steps = batch.apply(journal, options.reason or "", options.ticket)
    _run(out, "changing", steps, counts[ChangeState.PLANNED], _applying(batch))
    found, silent = show(out, journal), journal.unanswered(ChangeState.PLANNED)
    if found[ChangeState.APPLIED]:
        _say_what_is_made(out, journal, batch)
    if silent:
        out.say(f"{silent:,} were not answered: it is not known whether they are made. This makes them", "yellow")
        out.say(f"unless they are: {_applying(batch)}", "yellow")
    if left_out:
        out.say(f"{left_out:,} are left out: the dry run got no answer. To ask for them: {batch.command}", "yellow")
    return _exit_code(journal, ChangeState.PLANNED)


def _exit_code(journal: Journal, state: ChangeState) -> ExitCode:
    """Says of the whole list what became of it. ``state`` is that of the changes that the run has sent.

    A script may repeat the same command for as long as it ends with UNAVAILABLE; what fails for good ends with FAILED.
    """
    if journal.codes_of_unanswered(state) - DEFECTS:
        return ExitCode.UNAVAILABLE
    counts = journal.counts()
    is_left_out = counts[ChangeState.REFUSED] or counts[ChangeState.FAILED]
    return ExitCode.FAILED if is_left_out or any(map(journal.unanswered, _UNSENT)) else ExitCode.OK


def _say_how_to_apply(out: Output, journal: Journal, batch: PlayerBatch, planned: int, *, confirms: bool) -> None:
    journal.note("planned", planned)
    is_begun = journal.counts()[ChangeState.APPLIED]
    out.say("The rest was not changed yet. To do it:" if is_begun else "Nothing was changed. To do it:", "bold")
    out.say(f"  {_applying(batch)}")
    if confirms:
        out.say(f"Add --confirm {planned}, the number of players: this cannot be undone.")


def _say_what_is_made(out: Output, journal: Journal, batch: PlayerBatch) -> None:
    out.say(f"Done. What the audit has of it: libctl audit list --batch {batch.id}", "green")
    if journal.can_undo():
        out.say(f"To undo it: libctl audit undo {batch.id}")


def _run(out: Output, what: str, steps: Iterator[None], count: int, command: str) -> None:
    """Runs to the end. What ends it early says how to continue, and how far it came."""
    done = 0
    try:
        with closing(steps), bar(out, what, count) as step:  # type: ignore[type-var]
            for _ in steps:
                done += 1
                step()
    except (Refused, KeyboardInterrupt):
        out.say(f"{what}: {done:,} of {count:,} are done. To continue: {command}", "yellow")
        raise


def _applying(batch: PlayerBatch) -> str:
    return f'{batch.command} --apply --reason "…"'

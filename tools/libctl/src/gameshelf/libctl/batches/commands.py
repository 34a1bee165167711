"""Changes of a player that a command makes for one, or by ``--users-file`` and ``--batch`` for many."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import click
from gameshelf.libctl.batches import lists, runs
from gameshelf.libctl.batches.journal import Journal
from gameshelf.libctl.batches.report import BATCH
from gameshelf.libctl.batches.work import PlayerBatch
from gameshelf.libctl.changing import ApplyOptions, ChangeCall, carry_out, options_of, typed, with_change_options
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.doubts import doubt
from gameshelf.libctl.errors import Usage
from gameshelf.libctl.ids import shown_ids
from gameshelf.libctl.output import Output
from gameshelf.libctl.shapes import Shape, with_shape
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeResult

CallFactory = Callable[..., ChangeCall]
"""Makes the call of a change: it gets the output, and the arguments and options of the command by name."""

_OPTIONS = ("--apply", "--reason", "--revision", "--users-file", "--batch", "--confirm")

_AT_ONCE = 4
"""How many players' changes may be under way, where an answer takes longer than the rate leaves for it."""

CHANGE_OR_BATCH = Shape(ChangeResult, or_else=BATCH)
"""The shape of a change that may be one of many players."""

rate_option = click.option(
    "--rate",
    metavar="N",
    type=click.FloatRange(0.1, 1000),
    default=8,
    show_default=True,
    help="Players per second at most, for many. The service accepts 10 requests per second of one caller by default.",
)


def player_change(*own: str, line: str = "", confirms: bool = False) -> Callable[[CallFactory], Any]:
    """Makes a command of a function that makes the call of a change.

    ``own`` are the arguments that are the player's own: a list has them, and ``line`` is how its help names them. A
    change that cannot be undone ``confirms``: it repeats the player's id, or the number of players.
    """

    named = line or " ".join(own).upper()

    def decorate(make: CallFactory) -> Any:
        def command(
            *,
            apply: bool,
            reason: str | None,
            revision: str | None,
            ticket: str,
            users_file: str | None,
            batch: str | None,
            rate: float,
            confirm: str = "",
            **given: Any,
        ) -> int | None:
            ctx, options = click.get_current_context(), options_of(apply, reason, revision, ticket)
            if not (users_file or batch):
                _of_one(ctx.obj, make(ctx.obj, **given), options, given[own[0]], confirm if confirms else None)
                return None
            many = _Many(ctx, make, own, given, rate, confirms)
            return many.begin(users_file, batch, options) if users_file else many.resume(batch or "", options, confirm)

        command.__doc__, command.__name__ = make.__doc__, make.__name__
        wrapped: Any = command
        wrapped.__click_params__ = getattr(make, "__click_params__", [])
        wrapped.own_arguments = own
        wrapped = rate_option(wrapped)
        wrapped = click.option(
            "--batch",
            metavar="BATCH",
            type=click.UUID,
            shell_complete=shown_ids("batch"),
            help="Continue a batch; with --apply make its changes.",
        )(wrapped)
        wrapped = click.option(
            "--users-file",
            metavar="FILE",
            help=f"Dry run for many: a file with {named} on each line, or - for standard input.",
        )(wrapped)
        if confirms:
            wrapped = click.option(
                "--confirm",
                metavar="USER",
                default="",
                help="The user's id again, or the number of players of a batch. Required with --apply.",
            )(wrapped)
        return with_change_options(with_shape(CHANGE_OR_BATCH)(wrapped))

    return decorate


def _of_one(out: Output, call: ChangeCall, options: ApplyOptions, user: UUID, confirm: str | None) -> None:
    """Shows or makes the change of one player."""
    if options.apply and confirm is not None and confirm.lower() != str(user):
        raise Usage("this cannot be undone, so --confirm must repeat the user's id", f"--confirm {user}")
    client = connect()
    if call.introduce and not out.as_json:
        call.introduce(client)
    outcome = carry_out(out, call.rpc, call.request, options, client)
    if call.conclude:
        call.conclude(outcome)
    if not options.apply:  # a change that is refused has said why
        product = getattr(call.request, "product_id", "")
        doubt(out, user, UUID(product) if product else None)
    if confirm is not None and not options.apply:
        out.say(f"Add --confirm {user}: this cannot be undone.")


@dataclass(frozen=True, slots=True)
class _Many:
    """A command for many players."""

    ctx: click.Context
    make: CallFactory
    own: Sequence[str]
    given: Mapping[str, Any]
    """The arguments and options that all players have in common."""
    rate: float
    confirms: bool

    def begin(self, users_file: str, batch: object, options: ApplyOptions) -> int:
        """Reads a list and makes its dry run."""
        if batch:
            raise Usage("a batch has its list already", "omit --users-file")
        if options.apply:
            raise Usage("many players need a dry run first", "omit --apply; the dry run prints the command to apply it")
        client, batch_id = connect(), str(uuid4())
        self._call(None)  # what is wrong with the command itself is said before the list is read
        about = {"batch_id": batch_id, "endpoint": client.address, **self._about()}
        with lists.opened(users_file) as source, Journal.create(batch_id, about) as journal:
            runs.fill(journal, lists.read_lines(source, self._parameters(), self.ctx))
            return runs.dry_run(self.ctx.obj, journal, self._batch(batch_id, client), confirms=self.confirms)

    def resume(self, batch: object, options: ApplyOptions, confirm: str) -> int:
        """Continues the dry run of a batch, or makes its changes."""
        if options.revision:
            raise Usage("--revision is for one player; a batch has those of its dry run", "omit --revision")
        client = connect()
        with Journal.open(str(batch)) as journal:
            self._require_same(journal, client)
            of = self._batch(str(batch), client)
            if not options.apply:
                return runs.dry_run(self.ctx.obj, journal, of, confirms=self.confirms)
            planned = str(journal.noted("planned") or 0)
            if self.confirms and confirm != planned:
                said = "this cannot be undone, so --confirm must be the number of players"
                raise Usage(said, f"--confirm {planned}")
            return runs.apply(self.ctx.obj, journal, of, options)

    def _batch(self, batch_id: str, client: Client) -> PlayerBatch:
        command = f"libctl {shlex.join(typed(_OPTIONS))} --batch {batch_id}"
        # A player who is named alone is on one line, and each change is of that player's data.
        return PlayerBatch(batch_id, self._call, client, self.rate, command, _AT_ONCE if len(self.own) == 1 else 1)

    def _call(self, words: tuple[str, ...] | None) -> ChangeCall:
        values: dict[str, Any] = dict.fromkeys(self.own)
        for one, word in zip(self._parameters(), words or (), strict=words is not None):
            values[one.name or ""] = one.type.convert(word, one, self.ctx)
        return self.make(self.ctx.obj, **values, **self.given)

    def _parameters(self) -> list[click.Parameter]:
        by_name = {one.name: one for one in self.ctx.command.params}
        return [by_name[name] for name in self.own]

    def _about(self) -> dict[str, Any]:
        common = {name: str(value) for name, value in sorted(self.given.items())}
        return {"command": self.ctx.command_path.partition(" ")[2], "common": common}

    def _require_same(self, journal: Journal, client: Client) -> None:
        """Raises Usage if the batch was planned by another command, with other arguments, or on another service."""
        if any(journal.noted(name) != value for name, value in self._about().items()):
            raise Usage(
                f"this batch was planned by libctl {journal.noted('command')} with other words",
                "use the command that its dry run printed",
            )
        if (planned := journal.noted("endpoint")) != client.address:
            said = f"this batch was planned on {planned}, not on {client.address}"
            raise Usage(said, "use the profile of its dry run")

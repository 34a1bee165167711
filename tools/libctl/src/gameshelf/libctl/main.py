"""The command line ``libctl``. The nouns are loaded when they are called, so that ``--help`` needs none of them."""

import io
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem
from gameshelf.libctl import __version__
from gameshelf.libctl.errors import ExitCode, Refused, Terminated, Usage
from gameshelf.libctl.languages import LANGUAGES
from gameshelf.libctl.output import Output
from gameshelf.libctl.suggestions import close_to, did_you_mean

# A noun, and the line that the help has for it. Its file in commands/ is called as it is.
NOUNS: dict[str, str] = {
    "access": "Explain why a user may or may not play a product.",
    "achievements": "Show, explain, grant and revoke a player's achievements.",
    "audit": "The audit: list entries, show one, undo a change.",
    "backup": "Create, verify and restore backups of the database.",
    "completion": "Print the script for shell completion.",
    "conflicts": "List, show and resolve conflicts between cloud saves of two devices.",
    "db": "Show, check, migrate and distribute the database schemas.",
    "devices": "List a user's devices and connections.",
    "events": "The outbox to Kafka, and dead letters.",
    "family": "Family sharing: links between users, and seats in use.",
    "find": "Find an id, an order, a title and so on: what it is and whose.",
    "library": "List, grant and revoke the products that a user owns.",
    "orders": "Show what was received about an order, and what it did.",
    "playtime": "Show and correct a user's playtime; list anomalies.",
    "policy": "Show, check and import policies: which files of a game belong to its saves.",
    "quota": "Show, set and check a user's quota for cloud saves.",
    "saves": "List, download, restore and pin cloud saves.",
    "sessions": "List a user's running sessions; end one that is stuck.",
    "settings": "Show a user's settings of games, and restore what they were.",
    "tui": "Show all that a player has on one screen, in the terminal or in a browser.",
    "uploads": "List and cancel uploads of saves that are not committed.",
    "user": "Summarise, list, export or erase what is stored of a user.",
    "wishlist": "Show a user's wishlist; explain why they were notified of a price or were not.",
}

_WHOLE = 1000
_FEW = 3
_NOWHERE = logging.NullHandler()
_OF_MANY = ("--users-file", "--batch")
_LEFT_OUT = "gameshelf.libctl.left_out"
_CONTEXT = {"help_option_names": ["-h", "--help"]}


class Verb(click.Command):
    """A command that takes ``--json`` also behind itself."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.append(_json_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """A list of players has the arguments that are a player's own, so the command line has none of them."""
        if any(word.partition("=")[0] in _OF_MANY for word in args):
            ctx.meta[_LEFT_OUT] = getattr(self.callback, "own_arguments", ())
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        out = ctx.ensure_object(Output)
        if out.as_json and out.csv:
            raise Usage("--json and --csv exclude each other", "omit one of them")
        return super().invoke(ctx)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        left_out = ctx.meta.get(_LEFT_OUT, ())
        return [one for one in super().get_params(ctx) if one.name not in left_out]


class Noun(click.Group):
    """A group of verbs."""

    command_class = Verb

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.context_settings = {**_CONTEXT, **self.context_settings}
        self.params.append(_json_option())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises Usage for an unknown command, with those that may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            question = did_you_mean(self.meant(ctx, args))
            said = f"there is no command {ctx.command_path} {args[0]}{question}"
            raise Usage(said, f"{ctx.command_path} --help") from error

    def meant(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Returns the commands that may have been meant by an unknown one."""
        return [f"{ctx.command_path} {name}" for name in close_to(args[0], self.list_commands(ctx))]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, but each command's first sentence whole: what is cut off may be what matters."""
        verbs = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        if verbs:
            with formatter.section("Commands"):
                shown = [(name, verb.get_short_help_str(_WHOLE)) for name, verb in verbs if verb and not verb.hidden]
                formatter.write_dl(shown)


Noun.group_class = Noun


class Nouns(Noun):
    """The whole command line; knows the nouns by name, and each one's commands only when it is asked for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NOUNS:
            return None
        group: click.Command = import_module(f"gameshelf.libctl.commands.{cmd_name}").group
        return group

    def meant(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Returns nouns that look like the word, else those that have it as a command, as in ``libctl versions``."""
        word, verb = args[0], args[1] if len(args) > 1 else ""
        names = close_to(word, NOUNS)
        if with_verb := [name for name in names if verb in _verbs(self.get_command(ctx, name))]:
            return [f"libctl {name} {verb}" for name in with_verb]
        having = [name for name in NOUNS if word in _verbs(self.get_command(ctx, name))]
        if 0 < len(having) <= _FEW:  # many nouns have a list, so that word says nothing
            return [f"libctl {name} {word}" for name in having]
        return [f"libctl {name}" for name in names]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Nouns are completed without loading them."""
        nouns = [
            CompletionItem(name, help=NOUNS[name]) for name in self.list_commands(ctx) if name.startswith(incomplete)
        ]
        return [*nouns, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if NOUNS:
            with formatter.section("Nouns"):
                formatter.write_dl([(name, NOUNS[name]) for name in self.list_commands(ctx)])


def _verbs(command: click.Command | None) -> Collection[str]:
    return command.commands if isinstance(command, click.Group) else ()


def noun(name: str) -> Callable[[Callable[..., Any]], Noun]:
    """Makes the group of a noun; its verbs are made by the group's ``command``."""
    return click.group(name, cls=Noun)


def _json_option() -> click.Option:
    def wanted(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(Output).as_json = True

    return click.Option(
        ["--json"], is_flag=True, expose_value=False, callback=wanted, help="Print JSON instead of tables."
    )


@click.group(cls=Nouns, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="libctl")
@click.option("--profile", metavar="NAME", help="Profile in profiles.toml with the service's address and your token.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    envvar="LIBCTL_LANGUAGE",
    help="Language of titles and names. Default: that of the locale, else English.",
)
@click.pass_context
def cli(ctx: click.Context, profile: str | None, language: str | None) -> None:
    """Administer players' libraries.

    A command that changes data shows what it would change, and changes it only with --apply --reason "…". With
    --json a command prints its result as JSON for scripts. Set the address of the service and your token in
    LIBCTL_ENDPOINT and LIBCTL_TOKEN, or in a profile.
    """
    ctx.ensure_object(Output)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and ends the process with one of ``ExitCode``."""
    _silence_libraries()
    _escape_what_cannot_be_encoded()
    out = Output()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        returned = cli.main(arguments, prog_name="libctl", obj=out, standalone_mode=False)
        code = int(returned) if isinstance(returned, int) else ExitCode.OK
        sys.stdout.flush()
    except Refused as refused:
        out.refuse(refused)
        code = refused.exit_code
    except click.UsageError as error:
        code = _misused(out, error)
    except click.ClickException as error:
        out.refuse(Refused(error.format_message(), ""))
        code = ExitCode.FAILED
    except (KeyboardInterrupt, click.Abort) as end:
        # Click makes an Abort of either signal.
        terminated = isinstance(end, Terminated) or isinstance(end.__cause__, Terminated)
        out.warn("ended" if terminated else "interrupted")
        code = ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader has closed the pipe; the rest of the buffer must not raise another error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.FAILED
    out.end()
    sys.exit(code)


def _silence_libraries() -> None:
    """Keeps logs and warnings of libraries off the terminal: what a command has to say, it says itself.

    Anyone who looks for a fault sets gRPC's own variable, and Python's ``-W``.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # read when gRPC is imported, which a noun does
    logging.getLogger().addHandler(_NOWHERE)  # otherwise Python prints warnings for which there is no handler
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _escape_what_cannot_be_encoded() -> None:
    """A Russian title on a terminal of another encoding is an escape; it would end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # tests have others
            stream.reconfigure(errors="backslashreplace")


def _misused(out: Output, error: click.UsageError) -> ExitCode:
    """Without any word the help is the answer; a mistake is named, with where to read on."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
    else:
        path = error.ctx.command_path if error.ctx else "libctl"
        out.refuse(Usage(error.format_message(), f"{path} --help"))
    return ExitCode.USAGE


def _terminate(*_: object) -> NoReturn:
    raise Terminated

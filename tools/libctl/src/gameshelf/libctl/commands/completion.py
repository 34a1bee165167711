"""``libctl completion``: the script that makes a shell complete commands. It asks no service."""

import click
from click.shell_completion import get_completion_class
from gameshelf.libctl.main import Verb, cli
from gameshelf.libctl.output import Output
from gameshelf.libctl.shapes import STRING, answers

_VARIABLE = "_LIBCTL_COMPLETE"


@click.command("completion", cls=Verb)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@answers(shell=STRING, script=STRING)
@click.pass_obj
def group(out: Output, shell: str) -> None:
    """Print the script for shell completion. For bash: eval "$(libctl completion bash)"."""
    made = get_completion_class(shell)
    assert made is not None
    script = made(cli, {}, "libctl", _VARIABLE).source()
    if out.as_json:
        out.result({"shell": shell, "script": script})
    else:
        click.echo(script)

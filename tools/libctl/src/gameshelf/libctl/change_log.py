"""A log of changes that bypass the service. It is outside the database, because the database may be lost."""

import getpass
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from gameshelf.libctl.errors import Refused, Usage
from gameshelf.libctl.output import Output
from gameshelf.libctl.reasons import require_reason

_NAME_A_FILE = "name another file in LIBCTL_LOG"


def applied(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--apply`` and ``--reason`` to a command, which gets ``reason``: None means that nothing may change."""

    def both(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
        apply = ctx.params.pop("apply", False)
        if value is not None and not apply:
            raise Usage("--reason needs --apply", "add --apply")
        # A short one is enough: nightly jobs give the same each time.
        return require_reason(value, "log") if apply else None

    reason = click.option("--reason", metavar="TEXT", callback=both, help="Reason for the log. Required with --apply.")
    apply = click.option("--apply", is_flag=True, is_eager=True, help="Make the change; without this it is only shown.")
    return apply(reason(command))


class ChangeLog:
    """A file of JSON lines, two per change: the change that is about to be made, and its result.

    A change that has no second line was interrupted by the end of its process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_environment(cls) -> "ChangeLog":
        """``LIBCTL_LOG``, else ``libctl/changes.jsonl`` under ``XDG_STATE_HOME``."""
        if named := os.environ.get("LIBCTL_LOG"):
            return cls(Path(named))
        try:
            state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        except RuntimeError:
            raise Refused("there is no home folder for the log, so nothing was changed", _NAME_A_FILE) from None
        return cls(Path(state) / "libctl" / "changes.jsonl")

    @contextmanager
    def change(self, out: Output, what: str, target: str, reason: str, **plan: Any) -> Iterator[dict[str, Any]]:
        """Around a change; the block puts what it did into the given dictionary.

        Raises Refused, before the block, when the log can't be written: what leaves no trace is not done.
        """
        entry = {"change": str(uuid4()), "what": what, "target": target, "reason": reason, **_who()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write({**entry, "state": "started", "plan": plan})
        except OSError as error:
            raise Refused(
                f"the log {self.path} can't be written ({error.strerror}), so nothing was changed",
                _NAME_A_FILE,
            ) from None
        result: dict[str, Any] = {}
        state = "done"
        try:
            yield result
        except Refused as refused:
            state, result["error"] = "failed", refused.message
            raise
        except (KeyboardInterrupt, GeneratorExit):
            state = "interrupted"
            raise
        except BaseException as error:
            state, result["error"] = "failed", type(error).__name__
            raise
        finally:
            try:
                self._write({**entry, "state": state, "result": result})
            except OSError as error:
                out.warn(f"the log {self.path} can no longer be written ({error.strerror}); the change is {state}")

    def _write(self, entry: dict[str, Any]) -> None:
        """One line, on the disk when this returns."""
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), **entry})
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def actor() -> str:
    """The user of this command as ``user@host``; under sudo the user who called sudo."""
    who = _who()
    return f"{who.get('sudo_user', who['who'])}@{who['host']}"


def _who() -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may know no name for its user
        user = f"uid {os.getuid()}"
    behind = os.environ.get("SUDO_USER")
    return {"who": user, "host": socket.gethostname(), **({"sudo_user": behind} if behind else {})}

"""Generates pages of the docs from the code; a test compares them with the committed ones.

``python -m gameshelf.gateway.docs`` in the repository's root writes them.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gameshelf.gateway.configuration import FIELDS
from gameshelf.gateway.domains import DOMAINS
from gameshelf.gateway.runtime.composed import commands_of, errors_of
from gameshelf.gateway.runtime.identity import Role
from gameshelf.gateway.runtime.support.commands import Command, CommandKind

_INTRODUCTION = """# Configuration

Environment variables, or a YAML file with the same names (`configs/library_config.yaml`, or the file that
`LIBRARY_SERVICE_CONFIG` names), in which a value may be written `${NAME:-default}`. A variable that is set in the
environment overrides the file; an empty one, or one with only blanks, counts as not set. Blanks around a value are
removed. An invalid or missing value, and a blank or line break at either end of a secret, stops the start with one line
that names it. So does a misspelt variable: one that begins with `LIBRARY_SERVICE_` and is not in the table, or that is
one edit away from a name in it (one letter added, removed or changed, or two neighbours swapped). Other names are
ignored, and so are the variables that Kubernetes sets in a container for a service called `library-service`.

| variable | default | what it is |
|---|---|---|
"""
_ERRORS = """# Errors

A refusal has the same stable code in REST and gRPC. REST answers with the envelope of the contract (section 3), one
entry per problem, with `title` and `detail` in Russian, or in English under `Accept-Language: en`. gRPC answers with
the status below and `google.rpc.ErrorInfo`: `reason` is the code, `domain` is `library.platform`, the context is in
`metadata`.

| code | HTTP | gRPC | title (ru) | title (en) |
|---|---|---|---|---|
"""
_COMMANDS = """# Who may run which command

All commands of `libctl` that call the service, and the roles that may run them. A change needs `--apply --reason`; the
audit records it in the same commit: who made it, why, and the state before and after. The audit also records every
refusal, and the reads that sum up or export an account, or hand out a save; other reads, such as `find`, `user
timeline` and `settings show`, leave no entry. `libctl audit undo` undoes a change that can be undone, once, while the
data is as the change left it; it needs the same role as the change. Each change of a user can be made for [many players
at once](many-players.md).

The commands `db` and `backup` connect to PostgreSQL instead: anybody who has its DSN may run them, and they log to a
file.

| command | call of `LibraryAdminService` | `support` | `admin` | audited | undo |
|---|---|---|---|---|---|
"""
_HEADER = """# Every setting with its default. A variable of the same name in the environment overrides it.
# docs/configuration.md describes each one.
"""


def configuration_page() -> str:
    """Returns ``docs/configuration.md``."""
    rows = [
        f"| `{field.alias}` | {'required' if field.is_required() else _code(field.default)} | {field.description} |\n"
        for field in FIELDS.values()
    ]
    return _INTRODUCTION + "".join(rows)


def configuration_file() -> str:
    """Returns ``configs/library_config.yaml``."""
    fields = FIELDS.values()
    return _HEADER + "".join(f"{field.alias}: ${{{field.alias}:-{_text(field)}}}\n" for field in fields)


def errors_page() -> str:
    """Returns ``docs/errors.md``."""
    rows = [
        f"| `{name}` | {code.http} | `{code.grpc}` | {code.titled('ru')} | {code.titled('en')} |\n"
        for name, code in sorted(errors_of(DOMAINS).codes.items(), key=lambda entry: (entry[1].http, entry[0]))
    ]
    return _ERRORS + "".join(rows)


def commands_page() -> str:
    """Returns ``docs/support/commands.md``."""
    return _COMMANDS + "".join(map(_command, commands_of(DOMAINS).all))


def _command(of: Command) -> str:
    may = ["yes" if role in of.roles else "" for role in (Role.SUPPORT, Role.ADMIN)]
    audited = {CommandKind.CHANGE: "change", CommandKind.AUDITED_READ: "read", CommandKind.READ: ""}[of.kind]
    cells = (f"`{of.name}`", f"`{of.rpc}`", *may, audited, "yes" if of.can_undo else "")
    return f"| {' | '.join(cells)} |\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/configuration.md": configuration_page,
    "docs/errors.md": errors_page,
    "docs/support/commands.md": commands_page,
    "configs/library_config.yaml": configuration_file,
}
"""Path in the repository → the function that makes it."""


def _text(field: Any) -> str:
    return "" if field.is_required() else _plain(field.default)


def _code(default: object) -> str:
    return f"`{_plain(default)}`" if _plain(default) else "none"


def _plain(default: object) -> str:
    if default is None or default == ():
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


if __name__ == "__main__":
    for path, page in PAGES.items():
        Path(path).write_text(page(), encoding="utf-8")

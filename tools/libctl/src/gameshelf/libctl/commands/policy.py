"""``libctl policy``: which files of a game belong to its saves."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click
import yaml
from gameshelf.libctl import ludusavi
from gameshelf.libctl.changing import ApplyOptions, carry_out, changing
from gameshelf.libctl.client import Client, connect
from gameshelf.libctl.errors import ExitCode, NothingFound, Usage
from gameshelf.libctl.ids import PRODUCT_ID
from gameshelf.libctl.main import noun
from gameshelf.libctl.messages import plain
from gameshelf.libctl.output import Column, Output, facts, table
from gameshelf.libctl.shapes import ANYTHING, answers
from gameshelf.protos.library.v1 import admin_policies_pb2 as messages

F = TypeVar("F", bound=Callable[..., Any])

_ROUNDS = 3
"""How often a manifest's paths are checked: each round without those that the service refused."""
_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


def _of_a_game(command: F) -> F:
    """Gives a command the options that pick a game of a manifest."""
    steam = click.option("--steam", type=click.IntRange(1, 2**31), help="The same, by the game's id in Steam.")
    name = click.option("--game", help="FILE is a manifest of games as Ludusavi reads it: take this one.")
    return name(steam(command))


@dataclass(frozen=True, slots=True)
class _Read:
    """A policy of a file."""

    document: dict[str, Any]
    left_out: list[str]
    """What of a manifest is not in it."""


@noun("policy")
def group() -> None:
    """Show, check and import policies: which files of a game belong to its saves."""


@group.command()
@click.argument("product", type=PRODUCT_ID)
@answers(messages.GetSavePolicyOfProductResponse)
@click.pass_obj
def show(out: Output, product: UUID) -> None:
    """Show the policy of a product's saves."""
    request = messages.GetSavePolicyOfProductRequest(product_id=str(product))
    found = plain(connect().call("GetSavePolicyOfProduct", request))
    shown = {
        "product": found["title"] or str(product),
        "revision": found["revision"] or "none: the product has the default policy",
        "source": found["source"],
        "mode": found["policy"].get("mode", "sync"),
        "merge": found["policy"].get("merge", "never"),
    }
    out.result(found, facts(shown), *_drawn(found["policy"]), _findings(found["findings"]))


@group.command()
@_FILE
@_of_a_game
@answers(messages.LintSavePolicyResponse, left_out=ANYTHING)
@click.pass_obj
def lint(out: Output, file: Path, game: str | None, steam: int | None) -> ExitCode:
    """Check the policy in FILE (JSON or YAML): what is wrong, what is doubtful, what would be saved."""
    client = connect()
    read = _read(file, game, steam, client)
    found = plain(client.call("LintSavePolicy", messages.LintSavePolicyRequest(policy=json.dumps(read.document))))
    found["left_out"] = read.left_out
    out.result(found, *_drawn(found["policy"] or {}), _findings(found["findings"]))
    _say_left_out(out, read)
    return ExitCode.OK if found["policy"] is not None else ExitCode.FAILED


@group.command("import")
@click.argument("product", type=PRODUCT_ID)
@_FILE
@_of_a_game
@click.option("--approve", is_flag=True, help="Somebody has checked it: saves are synchronised, not only backed up.")
@changing
@click.pass_obj
def import_(
    out: Output, product: UUID, file: Path, game: str | None, steam: int | None, approve: bool, options: ApplyOptions
) -> None:
    """Replace the policy of a product by that in FILE (JSON or YAML). Existing saves stay. Needs the role admin."""
    client = connect()
    read = _read(file, game, steam, client)
    request = messages.SetSavePolicyRequest(
        product_id=str(product), policy=json.dumps(read.document), is_approved=approve
    )
    carry_out(out, "SetSavePolicy", request, options, client)
    _say_left_out(out, read)


def _read(file: Path, game: str | None, steam: int | None, client: Client) -> _Read:
    """Reads a policy, or makes one of a game in a manifest. Raises Usage, NothingFound."""
    if game and steam:
        raise Usage("--game and --steam both pick a game", "omit one of them")
    text = _bytes(file)
    if game or steam:
        return _of_manifest(file, text, game, steam, client)
    document = _document(file, text)
    games = [name for name, entry in document.items() if isinstance(entry, Mapping) and "files" in entry]
    if games:
        raise Usage(f"{file} is a manifest of games", f"name the game: --game {json.dumps(str(games[0]))}")
    return _Read(document, [])


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > ludusavi.MAX_MANIFEST_BYTES:
            raise Usage(f"{file} has more than 64 MiB", "a file with fewer games")
        return file.read_bytes()
    except OSError as error:
        raise Usage(f"{file} can't be read: {error.strerror}", "the path of a file with a policy") from None


def _document(file: Path, text: bytes) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # JSON is YAML, too
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, loader)):
            raise ValueError("aliases are not taken")  # a few of them may stand for billions of values
        found = yaml.load(text, loader)  # noqa: S506 (one of the two safe loaders)
        json.dumps(found, allow_nan=False)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise Usage(f"{file} is no policy: {' '.join(str(error).split())[:200]}", "a JSON or YAML object") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise Usage(f"{file} is no policy: it holds no object", "a JSON or YAML object")
    return found


def _of_manifest(file: Path, text: bytes, game: str | None, steam: int | None, client: Client) -> _Read:
    try:
        name, entry = ludusavi.find_game(ludusavi.read_manifest(text), game, steam)
    except ludusavi.NotAManifest as error:
        raise Usage(f"{file} is no manifest of games: {error}", "a YAML file as Ludusavi reads it") from None
    except ludusavi.NoSuchGame as error:
        hint = " or ".join(f"--game {json.dumps(one, ensure_ascii=False)}" for one in error.similar)
        raise NothingFound(f"{file} has no game {game or steam}", hint or "the name as the manifest has it") from None
    paths, left_out = ludusavi.paths_of(entry)
    for _ in range(_ROUNDS):
        conversion = ludusavi.convert(paths)
        request = messages.LintSavePolicyRequest(policy=json.dumps(conversion.document))
        findings = plain(client.call("LintSavePolicy", request))["findings"]
        refused = {one["pointer"]: one["rule"] for one in findings if one["level"] == "error"}
        if not refused:
            break
        paths, gone = ludusavi.without_refused(conversion, refused)
        left_out += [f"{path.source}: {rule}" for path, rule in gone]
    left_out += [f"{path.source}: more than {ludusavi.MAX_ROOTS} folders" for path in conversion.beyond]
    if not conversion.document["roots"]:
        raise NothingFound(f"{name} has no path that can be saved: {'; '.join(left_out) or 'none is named'}", "")
    return _Read(conversion.document, left_out)


def _drawn(policy: Mapping[str, Any]) -> list[Any]:
    """The folders and units of a policy."""
    rows = [
        (name, _where(place), ", ".join(root.get("include", ["**"])))
        for name, root in policy.get("roots", {}).items()
        for place in root.get("where", [{}])
    ]
    parts = [table([Column("root"), Column("folder"), Column("files")], rows, empty="Any path, no folders.")]
    units = [(rule["name"], ", ".join(rule["match"])) for rule in policy.get("units", ())]
    return [*parts, table(["unit", "files"], units)] if units else parts


def _where(place: Mapping[str, Any]) -> str:
    conditions = [" ".join(map(str, one.values())) for one in place.get("when", ())]
    return (
        f"{place.get('path', 'not said')} ({', '.join(conditions)})"
        if conditions
        else str(place.get("path", "not said"))
    )


def _findings(findings: list[dict[str, Any]]) -> Any:
    rows = [(one["level"], one["pointer"] or "the policy", one["rule"]) for one in findings]
    return table(["level", "where", "rule"], rows, empty="No findings.")


def _say_left_out(out: Output, read: _Read) -> None:
    if read.left_out:
        out.warn(f"Not taken over ({len(read.left_out)}):")
        for one in read.left_out:
            out.say(f"  {one}")

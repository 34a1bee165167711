"""Policies of saves from a manifest in the format that the community keeps for the backup tool Ludusavi. Pure.

A manifest says of each path only that it belongs to a game. So a path becomes the root of a policy, or several do where
they are the same folder on different systems. The rules for places are the service's: what it refuses is left out.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

MAX_MANIFEST_BYTES = 64 * 1024**2
MAX_ROOTS = 32
_SYSTEMS = frozenset({"dos", "linux", "mac", "windows"})
_KINDS = ("save", "config")
_EVERYTHING = ("**",)
_FILE = re.compile(r"[^.]+\.(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,5}")
_FILE_ENDINGS = frozenset({"bin", "cfg", "conf", "dat", "db", "ini", "json", "plist", "sav", "save", "txt", "xml"})
_NAME = re.compile(r"(?:<[^<>]*>)+")
# A pointer of the service's findings: to a place of a root, or to one of its patterns.
_REFUSED = re.compile(r"roots/([^/]+)/(?:where/(\d+)(?:/|$)|include(?:/|$))")


class NotAManifest(ValueError):
    """The text is no manifest; says why."""


class NoSuchGame(LookupError):
    """The manifest does not have the game."""

    def __init__(self, similar: Sequence[str]) -> None:
        super().__init__()
        self.similar = similar
        """Names that are spelt alike."""


@dataclass(frozen=True, slots=True)
class GamePath:
    """A path of the manifest, as a folder and the patterns of files below it."""

    source: str
    """The path as the manifest has it."""
    kind: str
    """``save`` or ``config``."""
    when: tuple[tuple[tuple[str, str], ...], ...]
    """Conditions of which one has to hold, each as pairs of a field and its value."""
    place: str
    include: tuple[str, ...]
    folder: str | None = None
    """The whole path, where it may be a folder with a dot in its name: the other way to read it."""

    @property
    def systems(self) -> frozenset[str] | None:
        """The operating systems that the path is for; None if it does not say."""
        named = {dict(condition).get("os") for condition in self.when}
        if named and None not in named:
            return frozenset(name for name in named if name)
        if self.place.startswith("<win"):
            return frozenset({"windows"})
        return frozenset({"linux"}) if self.place.startswith("<xdg") else None


@dataclass(frozen=True, slots=True)
class Conversion:
    """A policy as the service takes it, and where its parts come from."""

    document: dict[str, Any]
    sources: Mapping[str, tuple[GamePath, ...]]
    """The name of a root → the path of each of its places."""
    beyond: tuple[GamePath, ...]
    """Paths for which a policy has no room."""


def read_manifest(text: bytes) -> Mapping[str, Any]:
    """Reads a manifest; every scalar is a text. Raises NotAManifest."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # a name such as 1942 or On stays what it is
    try:
        found = yaml.load(text, loader)  # noqa: S506 (makes texts, lists and mappings only)
    except (yaml.YAMLError, RecursionError, ValueError, UnicodeError) as error:
        raise NotAManifest(" ".join(str(error).split())[:200]) from None
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        raise NotAManifest("no mapping of games by their names")
    return found


def find_game(manifest: Mapping[str, Any], name: str | None, steam_id: int | None) -> tuple[str, Mapping[str, Any]]:
    """Returns a game by its name, or by its id in Steam. Raises NoSuchGame."""
    if name is None:
        by_id = (one for one, entry in manifest.items() if _steam_id(entry) == str(steam_id))
        name = next(by_id, "")
    found = _entry(manifest, name)
    if found is None:
        same = next((one for one in manifest if one.casefold() == name.casefold()), None)
        name, found = (same, _entry(manifest, same)) if same is not None else (name, None)
    if found is None:
        raise NoSuchGame(difflib.get_close_matches(name, manifest, 3) if name else ())
    return name, found


def _entry(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The entry of a name, or the one that it is another name of."""
    entry = manifest.get(name)
    if isinstance(entry, Mapping) and isinstance(entry.get("alias"), str):
        entry = manifest.get(entry["alias"])
    return entry if isinstance(entry, Mapping) else None


def _steam_id(entry: Any) -> str | None:
    steam = entry.get("steam") if isinstance(entry, Mapping) else None
    return str(steam["id"]) if isinstance(steam, Mapping) and "id" in steam else None


def paths_of(entry: Mapping[str, Any]) -> tuple[list[GamePath], list[str]]:
    """Returns the paths of a game, and in words what of it can't be part of a policy."""
    files, registry = entry.get("files") or {}, entry.get("registry") or {}
    left_out = [f"registry: {key}" for key in registry] if isinstance(registry, Mapping) else []
    found = []
    for source, said in files.items() if isinstance(files, Mapping) else ():
        when = _conditions(said.get("when") if isinstance(said, Mapping) else None)
        if when is None:
            left_out.append(f"{source}: for systems that have no saves here")
            continue
        found.append(_path(str(source), _kind(said), when))
    return found, left_out


def _kind(said: Any) -> str:
    tags = said.get("tags") if isinstance(said, Mapping) else None
    return next((kind for kind in _KINDS if isinstance(tags, Sequence) and kind in tags), _KINDS[0])


def _conditions(said: Any) -> tuple[tuple[tuple[str, str], ...], ...] | None:
    """The conditions of a path, without any if it always counts. None: those that there are can't be expressed."""
    if not isinstance(said, Sequence) or isinstance(said, str) or not said:
        return ()
    conditions = [
        tuple((name, str(one[name])) for name in ("os", "store") if one.get(name))
        for one in said
        if isinstance(one, Mapping) and (not one.get("os") or one["os"] in _SYSTEMS)
    ]
    if () in conditions:
        return ()
    return tuple(dict.fromkeys(conditions)) or None


def _path(source: str, kind: str, when: tuple[tuple[tuple[str, str], ...], ...]) -> GamePath:
    parts = [part for part in source.replace("\\", "/").split("/") if part]
    if len(parts) > 1 and "." in _NAME.sub("", parts[-1]):
        parts[-1] = _NAME.sub("*", parts[-1])  # a file that is named after a user, which a pattern can't name
    path = "/".join(parts)
    behind_names = max((at for at, part in enumerate(parts) if "<" in part), default=0) + 1
    at = next((at for at in range(behind_names, len(parts)) if set(parts[at]) & set("*?")), None)
    if at is not None:
        return GamePath(source, kind, when, "/".join(parts[:at]), _below("/".join(parts[at:])))
    if len(parts) > behind_names and "." in parts[-1].lstrip("."):
        parent, name = "/".join(parts[:-1]), parts[-1]
        return GamePath(source, kind, when, parent, _below(name), None if _is_file(name) else path)
    return GamePath(source, kind, when, path, _EVERYTHING)


def _below(pattern: str) -> tuple[str, ...]:
    """The pattern for a file, and for what is in a folder with that name."""
    return (pattern,) if pattern.endswith("**") else (pattern, f"{pattern}/**")


def _is_file(name: str) -> bool:
    """Whether a name with a dot is a file's: ``save.dat``, and neither ``com.studio.game`` nor ``v1.0``."""
    return bool(_FILE.fullmatch(name)) or name.rpartition(".")[2].lower() in _FILE_ENDINGS


def convert(paths: Iterable[GamePath]) -> Conversion:
    """Makes a policy of paths: saves are only backed up until somebody approves it, settings stay on their device."""
    roots: dict[str, Any] = {}
    sources: dict[str, tuple[GamePath, ...]] = {}
    beyond: list[GamePath] = []
    for group in _roots(paths):
        if len(roots) == MAX_ROOTS:
            beyond += group
            continue
        kind = group[0].kind
        numbers = (f"{kind}-{number}" for number in range(2, MAX_ROOTS + 2))
        name = kind if kind not in roots else next(one for one in numbers if one not in roots)
        sources[name] = tuple(group)
        roots[name] = {
            "where": [
                {"when": [dict(condition) for condition in path.when], "path": path.place} if path.when
                else {"path": path.place}
                for path in group
            ],
            "include": list(group[0].include),
            "scope": "all" if kind == "save" else "machine",
        }  # fmt: skip
    document = {"mode": "backup", "merge": "never", "roots": roots}
    return Conversion(document, sources, tuple(beyond))


def _roots(paths: Iterable[GamePath]) -> Iterable[list[GamePath]]:
    """The paths of each root. Several are one root if there is exactly one for each of several systems: which of two
    folders of a system is that of another system nobody can know.
    """
    alike: dict[tuple[str, tuple[str, ...]], list[GamePath]] = defaultdict(list)
    for path in dict.fromkeys(paths):
        alike[path.kind, path.include].append(path)
    for group in alike.values():
        systems = [path.systems for path in group]
        named = [system for one in systems for system in one or ()]
        if len(group) > 1 and None not in systems and len(set(named)) == len(named):
            yield group
        else:
            yield from ([path] for path in group)


def without_refused(
    conversion: Conversion, refused: Mapping[str, str]
) -> tuple[list[GamePath], list[tuple[GamePath, str]]]:
    """Returns the paths that are left without those that the service refuses, by the pointer and rule of its findings,
    and those that are gone, with the rule. A path that may be a folder is read as one before it is given up.
    """
    rules: dict[GamePath, str] = {}
    for pointer, rule in refused.items():
        found = _REFUSED.match(pointer)
        group = conversion.sources.get(found[1], ()) if found else ()
        rules |= dict.fromkeys(group if found is None or found[2] is None else group[int(found[2]) :][:1], rule)
    left, gone = [], []
    for path in (path for group in conversion.sources.values() for path in group):
        if path not in rules:
            left.append(path)
        elif path.folder:
            left.append(replace(path, place=path.folder, include=_EVERYTHING, folder=None))
        else:
            gone.append((path, rules[path]))
    return left, gone

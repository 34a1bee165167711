"""What the folders of a save hold: the files that the policy covers, with their hashes.

A scan reports the whole truth or fails: a folder that is missing, a file that cannot be read or one that changes
meanwhile is an error that names it, never a shorter list. Links are reported and not followed, so nothing outside of a
root is uploaded; the folder of a root itself may be a link.
"""

import os
import stat
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import time_ns
from typing import BinaryIO

from gameshelf.savesync.cache import HashCache, Stamp
from gameshelf.savesync.errors import RootUnreadable, SaveChanged, TooManyFiles, UnsuitablePaths
from gameshelf.savesync.files import LocalFile, LocalFiles
from gameshelf.savesync.paths import PathProblem, System, problems, to_cloud

WORK_FOLDER = ".gameshelf-save"
"""Where this client stages what it applies, inside a root: never scanned, never uploaded."""
MAX_FILES = 10_000
"""Of a save."""
_MAX_ENTRIES = 200_000
"""Of a folder, covered or not."""
_MAX_DEPTH = 256
_BLOCK = 1 << 20
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class RootToScan:
    """A root of the policy on this machine."""

    name: str
    folder: Path
    covers: Callable[[str], bool]
    """Whether the policy covers a path of a save, ``<root>/<relative path>``."""
    reaches: Callable[[str], bool]
    """Whether the policy may cover files below a path: other folders are not opened."""
    known_names: Mapping[str, str]
    """The paths of files that this client knows, by their disk names. Other clients may have escaped differently."""


@dataclass(frozen=True, slots=True)
class RootContent:
    """The content of a root at one moment, as far as times and sizes show it."""

    stamps: Mapping[str, Stamp]
    """By disk name."""
    paths: Mapping[str, str]
    """The path in the save, by disk name."""
    links: tuple[str, ...]
    """Disk names of links and junctions. They are not followed."""
    specials: tuple[str, ...]
    """Disk names of pipes, sockets and devices."""


@dataclass(frozen=True, slots=True)
class ScannedRoot:
    """The files of a root, complete with their hashes."""

    content: RootContent
    files: LocalFiles
    """By path."""


def look(root: RootToScan, system: System) -> RootContent:
    """The names, sizes and times in a root. Raises RootUnreadable, UnsuitablePaths or TooManyFiles."""
    stamps: dict[str, Stamp] = {}
    paths: dict[str, str] = {}
    links: list[str] = []
    specials: list[str] = []
    wrong: list[PathProblem] = []
    for name, found in _entries(root.folder, lambda name: root.reaches(_path_of(root, name, system))):
        path = _path_of(root, name, system)
        if found is None:
            if root.covers(path) or root.reaches(path):
                links.append(name)
        elif not root.covers(path):
            continue
        elif _is_no_text(name):
            wrong.append(PathProblem(name.encode(errors="replace").decode(), "path_not_text"))
        elif not stat.S_ISREG(found.st_mode):
            specials.append(name)
        else:
            stamps[name], paths[name] = Stamp.of(found), path
            if len(stamps) > MAX_FILES:
                raise TooManyFiles(root.folder, MAX_FILES)
    if wrong := [*wrong, *(_distinguished(one, paths) for one in problems(list(paths.values())))]:
        raise UnsuitablePaths(wrong)
    return RootContent(stamps, paths, tuple(links), tuple(specials))


def _distinguished(one: PathProblem, paths: Mapping[str, str]) -> PathProblem:
    """Two names of one letter, as a whole and as a letter with a mark, look the same: the mark is named."""
    names = [name for name, path in paths.items() if path == one.path]
    if one.other != one.path or len(names) < 2:
        return one
    root = one.path.partition("/")[0]
    first, second = (f"{root}/{_with_marks_named(name)}" for name in names[:2])
    return PathProblem(second, one.rule, first)


def _with_marks_named(name: str) -> str:
    return "".join(f"<U+{ord(letter):04X}>" if unicodedata.combining(letter) else letter for letter in name)


def scan(root: RootToScan, system: System, cache: HashCache | None = None) -> ScannedRoot:
    """The files of a root with their hashes. Raises what ``look`` does, and SaveChanged."""
    content = look(root, system)
    place = f"{root.name}:{root.folder}"  # two roots may share a folder
    known = dict(cache.of(place)) if cache else {}
    kept: dict[str, tuple[Stamp, str]] = {}
    files: dict[str, LocalFile] = {}
    for name, stamp in content.stamps.items():
        remembered = known.get(name)
        now = time_ns()
        digest = remembered[1] if remembered and remembered[0] == stamp else hash_file(root.folder / name, stamp)
        if stamp.is_older_than(now):
            kept[name] = (stamp, digest)
        files[content.paths[name]] = LocalFile(stamp.size, stamp.mtime_ns, digest, name)
    if cache and kept != known:
        cache.replace(place, kept)
    return ScannedRoot(content, files)


def hash_file(path: Path, stamp: Stamp | None = None) -> str:
    """The SHA-256 of a file. Raises RootUnreadable, or SaveChanged if ``stamp`` does not hold before and after."""
    digest = sha256()
    with reading_file(path) as read:
        before = Stamp.of(os.fstat(read.file.fileno()))
        for block in read.blocks():
            digest.update(block)
        after = Stamp.of(os.fstat(read.file.fileno()))
    if before != after or stamp not in (None, after):
        raise SaveChanged(path)
    return digest.hexdigest()


class FileReader:
    """A file of a save that is being read: what goes wrong with it names it."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file = path, file

    def read(self, size: int = _BLOCK) -> bytes:
        """The next bytes. Raises RootUnreadable."""
        try:
            return self.file.read(size)
        except OSError as error:
            raise RootUnreadable(self.path, error.strerror or str(error)) from error

    def blocks(self) -> Iterator[bytes]:
        """All bytes that are left."""
        while block := self.read():
            yield block


@contextmanager
def reading_file(path: Path) -> Iterator[FileReader]:
    """Opens a file. Raises SaveChanged if it is gone, or RootUnreadable."""
    try:
        file = open_file(path)
    except FileNotFoundError:
        raise SaveChanged(path) from None
    except OSError as error:
        raise RootUnreadable(path, error.strerror or str(error)) from error
    with file:
        yield FileReader(path, file)


def open_file(path: Path) -> BinaryIO:
    """Opens a file of a save for reading; a link that has taken its place meanwhile is an OSError."""
    return os.fdopen(os.open(path, os.O_RDONLY | _NO_FOLLOW), "rb")


def _path_of(root: RootToScan, name: str, system: System) -> str:
    known = root.known_names.get(name)
    return known if known is not None else f"{root.name}/{to_cloud(name, system)}"


def _is_no_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes of a Unix name that are not UTF-8
        return True
    return False


def _entries(folder: Path, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, os.stat_result | None]]:
    """The files below a folder, links with None. Of the folders those that are wanted."""
    pending = [""]
    seen = 0
    while pending:
        at = pending.pop()
        if at.count("/") > _MAX_DEPTH:
            raise RootUnreadable(folder / at, f"more than {_MAX_DEPTH} folders deep")
        try:
            with os.scandir(folder / at) as found:
                entries = sorted(found, key=lambda entry: entry.name)
            for entry in entries:
                seen += 1
                if seen > _MAX_ENTRIES:
                    raise TooManyFiles(folder, _MAX_ENTRIES)
                if entry.name == WORK_FOLDER:
                    continue
                name = f"{at}{entry.name}"
                if _is_link(entry):
                    yield name, None
                elif entry.is_dir(follow_symlinks=False):
                    if is_wanted(name):
                        pending.append(f"{name}/")
                else:
                    yield name, _stat(entry)
        except FileNotFoundError as error:
            if folder.is_dir():
                raise SaveChanged(Path(error.filename or folder / at)) from error
            raise RootUnreadable(folder, "the folder does not exist") from error
        except NotADirectoryError as error:
            raise RootUnreadable(folder / at, "this is no folder") from error
        except OSError as error:
            raise RootUnreadable(Path(error.filename or folder / at), error.strerror or str(error)) from error


def _stat(entry: "os.DirEntry[str]") -> os.stat_result:
    """Of the file itself: what a folder lists of its files may be old, on Windows and on network drives."""
    return Path(entry.path).stat(follow_symlinks=False)


def _is_link(entry: "os.DirEntry[str]") -> bool:
    """A link, or a junction of Windows, which leads to another folder just the same."""
    if entry.is_symlink():
        return True
    tag = getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0)
    return tag == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)

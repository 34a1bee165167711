"""``./dev release``: checks, writes, commits and tags."""

import difflib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from gameshelf.devstack.releasing import surfaces
from gameshelf.devstack.releasing.plan import ReleasePlan, ReleaseRefused, plan
from gameshelf.devstack.releasing.versions import Version


def release(package: str, version: Version, dry_run: bool) -> None:
    """Releases a package (kernel, library, gateway, …): changelog, version, ranges, commit and annotated tag.

    A version that ends in .dev0 begins it: the version and the ranges of those who need the package change, nothing is
    tagged. Raises ReleaseRefused.
    """
    root = Path(os.environ.get("GAMESHELF_ROOT") or Path.cwd())
    planned = plan(root, package, version, datetime.now(UTC).date())
    if planned.tag and _git(root, "tag", "--list", planned.tag):
        raise ReleaseRefused(f"the tag {planned.tag} is there already")
    if dry_run:
        print(_shown(root, planned))
        return
    if _git(root, "status", "--porcelain"):
        raise ReleaseRefused("there are changes that are not committed")
    carry_out(root, planned)
    if planned.tag:
        print(f"{planned.tag} is committed and tagged; publish it with: git push --follow-tags", file=sys.stderr)


def carry_out(root: Path, planned: ReleasePlan) -> None:
    """Writes, commits and tags. The work tree is clean before and after."""
    for path, text in planned.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    surfaces.write(root, planned.surface, ReleaseRefused)
    _git(root, "add", "--", *map(str, [*planned.files, *planned.surface]))
    _git(root, "commit", "--quiet", "--message", planned.message)
    if planned.tag:
        _git(root, "tag", "--annotate", "--cleanup=verbatim", "--message", planned.notes, planned.tag)


def _shown(root: Path, planned: ReleasePlan) -> str:
    lines: list[str] = []
    for path, text in sorted(planned.files.items()):
        there = (root / path).read_text(encoding="utf-8") if (root / path).exists() else ""
        before, after = there.splitlines(), text.splitlines()
        lines += difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm="")
    lines += [f"regenerated: {path}" for path in planned.surface]
    lines += ["", "commit:", *(f"    {line}".rstrip() for line in planned.message.splitlines())]
    return "\n".join([*lines, *([f"tag: {planned.tag}"] if planned.tag else [])])


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseRefused(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()

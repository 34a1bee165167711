"""Temporary folders with players' data do not outlive the process for long, and no other run's is removed."""

import subprocess
import sys

from gameshelf.libctl.backup.workspace import workspace

HOLDS = """
import sys
from pathlib import Path
from gameshelf.libctl.backup.workspace import workspace
with workspace(Path(sys.argv[1]), print) as folder:
    (folder / "players").write_text("x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def holding(parent):
    """A process that holds a folder now, and the folder: before it does, another one that begins may remove it."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, parent], stdin=-1, stdout=-1, text=True)
    return process, process.stdout.readline().strip()


def test_a_folder_is_private_and_gone_after_the_block(tmp_path):
    with workspace(tmp_path, print) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "a").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_runs_folder_is_removed_and_a_running_ones_stays(tmp_path):
    killed, gone = holding(tmp_path)
    running, kept = holding(tmp_path)
    killed.kill()
    killed.communicate()
    for name in ("libctl-backup-file", "other"):
        (tmp_path / name).write_text("")
    (tmp_path / "libctl-backup-link").symlink_to(tmp_path / "other")
    said = []
    with workspace(tmp_path, said.append):
        pass
    assert said == [f"removing {gone}, which a killed run left behind"]
    left = {str(path) for path in tmp_path.iterdir()}
    assert left == {kept, *(str(tmp_path / name) for name in ("libctl-backup-file", "libctl-backup-link", "other"))}
    running.communicate("")
    assert kept not in {str(path) for path in tmp_path.iterdir()}

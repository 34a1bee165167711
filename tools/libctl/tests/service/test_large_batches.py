"""5,000 players from a file: a dry run, a batch that is killed and resumed, and its undo; in the memory of a few."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

PLAYERS = 5000
MIB = 1024
WORDS = ("quota", "set", "2GiB", "--rate", 400)
WHY = ("--apply", "--reason", "a promotion of the studio")


class Running:
    """libctl in a process of its own."""

    def __init__(self, somebody, folder, *words):
        command = [sys.executable, "-m", "gameshelf.libctl", "--json", *map(str, words)]
        environment = {**os.environ, **somebody.environment, "LIBCTL_BATCHES": str(folder)}
        self._talk = folder.with_suffix(".talk").open("w+")
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=self._talk)
        self.most_kib = 0

    def look(self):
        """Notes how much memory it has; False once it has ended."""
        if self.process.poll() is not None:
            return False
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        if found := re.search(r"VmHWM:\s+(\d+) kB", status):
            self.most_kib = max(self.most_kib, int(found[1]))
        return True

    def end(self):
        """Waits until it ends; its exit code."""
        while self.look():
            time.sleep(0.1)
        return self.process.returncode

    @property
    def talk(self):
        self._talk.seek(0)
        return self._talk.read()


@pytest.fixture
def players(tmp_path):
    made = [uuid4() for _ in range(PLAYERS)]
    few, many = tmp_path / "few.txt", tmp_path / "many.txt"
    few.write_text("".join(f"{one}\n" for one in made[:50]))
    many.write_text("".join(f"{one}\n" for one in made))
    return few, many


@pytest.fixture(scope="module")
def service(platform):
    made = platform.service(RATE_LIMIT_USER_PER_MINUTE="0")
    made.start()
    return made


@pytest.fixture(scope="module")
def changed(fetch, platform):
    """Counts the players of a batch whose change or undo the audit has."""
    query = "SELECT count(*) FROM gateway.audit WHERE batch_id = $1 AND kind = 'change' AND (undo_of IS NOT NULL) = $2"
    return lambda batch, undone=False: fetch(platform.dsn, query, batch, undone)[0][0]


def killed(running, is_due):
    """Kills a run once something is due. Each question is a connection, which costs as much as several changes."""
    while not is_due():
        assert running.look(), running.talk
        time.sleep(0.5)
    running.process.kill()
    assert running.end() == -9


@pytest.mark.long
def test_thousands_are_changed_killed_resumed_and_undone(platform, support, players, changed, tmp_path):
    few, many = players
    small = Running(support, tmp_path / "few", *WORDS, "--users-file", few)
    assert small.end() == 0, small.talk

    folder = tmp_path / "many"
    planned = Running(support, folder, *WORDS, "--users-file", many)
    assert planned.end() == 0, planned.talk
    batch = next(folder.glob("*.sqlite")).stem
    assert changed(batch) == 0

    first = Running(support, folder, *WORDS, "--batch", batch, *WHY)
    killed(first, lambda: changed(batch) >= 1000)
    assert 1000 <= changed(batch) < PLAYERS
    second = Running(support, folder, *WORDS, "--batch", batch, *WHY)
    assert second.end() == 0, second.talk
    assert changed(batch) == PLAYERS

    undo = ("audit", "undo", batch, "--rate", 400)
    assert Running(support, folder, *undo).end() == 0
    undoing = Running(support, folder, *undo, *WHY)
    killed(undoing, lambda: changed(batch, True) >= 1000)
    last = Running(support, folder, *undo, *WHY)
    assert last.end() == 0, last.talk
    assert (changed(batch), changed(batch, True)) == (PLAYERS, PLAYERS)

    for one in (planned, second, last):
        assert one.most_kib < small.most_kib + 8 * MIB, "a hundred times the players take more memory"

"""A save is read when nothing writes it: no process of the game runs, and two looks are equal."""

import subprocess
import sys

import pytest
from gameshelf.savesync import processes
from gameshelf.savesync.errors import ProcessesUnknown
from gameshelf.savesync.processes import running
from gameshelf.savesync.settle import Deferred, Settled, settle


class Folder:
    """Answers one look after the other, and counts the pauses between them."""

    def __init__(self, *looks, names=()):
        self.looks, self.names, self.pauses = list(looks), list(names), []

    async def look(self):
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def running(self):
        return self.names.pop(0) if self.names else []

    async def pause(self, seconds):
        self.pauses.append(seconds)

    def settle(self, **options):
        return settle(self.look, self.running, 10, pause=self.pause, **options)


async def test_two_equal_looks_are_settled():
    folder = Folder("a", "b", "b")
    assert await folder.settle() == Settled("b")
    assert folder.pauses == [10, 10]


async def test_an_endless_writer_is_deferred():
    folder = Folder(*"abcdefgh")
    assert await folder.settle(rounds=3) == Deferred("files still change after 30 seconds")
    assert folder.pauses == [10, 10, 10]


@pytest.mark.parametrize(
    ("names", "reason"), [([["g.exe"]], "g.exe still runs"), ([[], ["g.exe"]], "g.exe has been started")]
)
async def test_a_running_game_is_deferred(names, reason):
    assert await Folder("a", names=names).settle() == Deferred(reason)


def test_a_process_is_found_by_its_name(tmp_path):
    assert running([]) == []
    assert running(["no-such-game.exe"]) == []
    # The start of a command line is what Wine makes of a program for Windows.
    command = [r"Z:\games\Savesync Test Game.EXE", "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"\n"
        assert running(["other", "savesync test game.exe"]) == ["savesync test game.exe"]
        assert running(["Savesync Test Game"]) == ["Savesync Test Game"]
        process.stdin.write(b"\n")
        process.stdin.close()
        process.wait()
    assert running(["savesync test game.exe"]) == []


@pytest.mark.parametrize("error", [PermissionError("not for you"), subprocess.TimeoutExpired("tasklist", 30)])
def test_processes_that_cannot_be_listed_are_an_error(monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(processes, "_names", fail)
    assert running([]) == []
    with pytest.raises(ProcessesUnknown, match="cannot be listed"):
        running(["game.exe"])

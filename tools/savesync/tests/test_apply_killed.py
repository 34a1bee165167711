"""A client that is killed at any point of an apply leaves the version before or the new one."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from gameshelf.savesync import crash, reference_client
from gameshelf.savesync.conformance import KitDevice, content_of

KILLED_COPIES = Path(__file__).parent / "killed_copies.py"
CHANGED = {"state": shutil.copy2, "disk": os.link}
"""The folders that a client changes, and how they are copied: a link is enough, where no file is written in place."""
CLIENT = (sys.executable, "-m", "gameshelf.savesync.reference_client")
V1 = {
    "saves/w1/level.dat": b"level 1",
    "saves/w1/region/r.0.sav": b"region",
    "saves/w2/level.dat": b"second world",
    "saves/Profile.txt": b"name",
    "saves/place.sav": b"a file that becomes a folder",
    "saves/folder.sav/inner.dat": b"a folder that becomes a file",
    "saves/Мир/уровень.dat": b"same in both",
}
V2 = {
    "saves/w1/level.dat": b"level 1, played further",
    "saves/w3/new/level.dat": b"a new world",
    "saves/profile.txt": b"name",
    "saves/place.sav/inner.dat": b"inner",
    "saves/folder.sav": b"now a file",
    "saves/Мир/уровень.dat": b"same in both",
}


@pytest.fixture
def machine(disk):
    """A device that has v1, and files of the game itself."""
    machine = KitDevice(disk / "device", CLIENT)
    done = machine.run(machine.version(1, V1))
    assert done.returncode == 0, done.stderr
    (machine.roots["saves"] / "w2" / "cache.bin").write_bytes(b"the game's own")
    (machine.roots["saves"] / "settings.ini").write_bytes(b"the game's own")
    return machine


def killed_in_a_fork(machine, version, point):
    """Runs the client in a copy of this process, which is killed there: hundreds of interpreters take too long."""
    child = os.fork()
    if not child:
        crash._WANTED = point
        with suppress(BaseException):
            reference_client.run(machine.state, version)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.long
def test_a_kill_at_every_point_leaves_v1_or_v2(machine, disk):
    shutil.copytree(machine.home, disk / "kept")
    before = content_of(machine.home / "disk")
    points = machine.points(machine.version(2, V2))
    after = content_of(machine.home / "disk")
    assert before != after
    assert len(points) == len(set(points)) > 20
    seen = {}
    for point in points:
        shutil.rmtree(machine.home)
        shutil.copytree(disk / "kept", machine.home)
        v2 = machine.version(2, V2)
        assert killed_in_a_fork(machine, v2, point), point
        reference_client.run(machine.state, None)
        found = content_of(machine.home / "disk")
        assert found in (before, after), point
        seen[point] = found == after
        reference_client.run(machine.state, v2)
        assert content_of(machine.home / "disk") == after, point
        assert machine.reported()[-1] == "2"
    # As soon as everything is staged, the way leads to the new version.
    assert seen == {point: points.index(point) >= points.index("journal-applying") for point in points}


def test_a_process_that_was_killed_is_recovered_by_the_next(machine):
    v2 = machine.version(2, V2)
    assert machine.run(v2, "step-3-after").returncode == -signal.SIGKILL
    assert machine.run().returncode == 0
    assert machine.reported()[-1] == "2"
    assert content_of(machine.roots["saves"])["profile.txt"][0] == V2["saves/profile.txt"]


def large_version(number):
    """Two hundred files in folders; the second version changes, deletes, adds and respells some."""
    files = {f"saves/мир {one % 7}/часть {one % 3}/{one:03}.dat": b"%d" % (one * 1000) for one in range(200)}
    if number == 1:
        return files
    kept = {path: content for place, (path, content) in enumerate(files.items()) if place % 5}
    changed = {path: content + b", further" for place, (path, content) in enumerate(kept.items()) if place % 3 == 0}
    respelled = {path.replace("часть 2", "Часть 2"): content for path, content in {**kept, **changed}.items()}
    return {**respelled, "saves/новый мир/level.dat": b"new"}


def killed_at_points(machine, version, every):
    """Applies a version; at every so many points a copy of the client is killed there, and the point's name is yielded.

    What the caller does to the disk then is undone before the client continues.
    """
    command = [sys.executable, KILLED_COPIES, machine.state, version, str(every)]
    aside = machine.home / "aside"
    aside.mkdir()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        for line in client.stdout:
            point, code = line.split()
            assert int(code) == -signal.SIGKILL, point
            for folder, copy in CHANGED.items():
                (machine.home / folder).rename(aside / folder)
                shutil.copytree(aside / folder, machine.home / folder, copy_function=copy)
            yield point
            for folder in CHANGED:
                shutil.rmtree(machine.home / folder)
                (aside / folder).rename(machine.home / folder)
            client.stdin.write("continue\n")
            client.stdin.flush()
    assert client.returncode == 0


@pytest.mark.parametrize("every", [80, pytest.param(1, marks=pytest.mark.long)])
def test_scenario_21_killed_at_every_step(disk, every):
    machine = KitDevice(disk / "device", CLIENT)
    assert machine.run(machine.version(1, large_version(1))).returncode == 0
    (machine.roots["saves"] / "мир 0" / "engine.bin").write_bytes(b"the game's own")
    shutil.copytree(machine.home, disk / "kept")
    before = content_of(machine.roots["saves"])
    v2 = machine.version(2, large_version(2))
    points = machine.points(v2)
    after = content_of(machine.roots["saves"])
    assert after["мир 0/engine.bin"][0] == b"the game's own"
    assert {f"saves/{disk}": file[0] for disk, file in after.items() if file} == {
        **large_version(2),
        "saves/мир 0/engine.bin": b"the game's own",
    }
    assert len(points) > 400
    shutil.rmtree(machine.home)
    (disk / "kept").rename(machine.home)
    v2, killed = machine.version(2, large_version(2)), []
    for point in killed_at_points(machine, v2, every):
        killed.append(point)
        reference_client.run(machine.state, None)
        is_new = points.index(point) >= points.index("journal-applying")
        assert content_of(machine.roots["saves"]) == (after if is_new else before), point
    assert killed == points[::every]
    assert content_of(machine.roots["saves"]) == after

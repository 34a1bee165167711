"""A client that is killed at any point of an apply leaves the version before or the new one."""

import shutil
import signal
import sys
from pathlib import Path

import pytest
from gameshelf.savesync.conformance import KitDevice, content_of

TOY = (sys.executable, str(Path(__file__).with_name("toy_client.py")))
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
def machine(tmp_path):
    """A device that has v1, and files of the game itself."""
    machine = KitDevice(tmp_path / "device", TOY)
    done = machine.run(machine.version(1, V1))
    assert done.returncode == 0, done.stderr
    (machine.roots["saves"] / "w2" / "cache.bin").write_bytes(b"the game's own")
    (machine.roots["saves"] / "settings.ini").write_bytes(b"the game's own")
    return machine


def test_a_kill_at_every_point_leaves_v1_or_v2(machine, tmp_path):
    shutil.copytree(machine.home, tmp_path / "kept")
    before = content_of(machine.home / "disk")
    v2 = machine.version(2, V2)
    points = machine.points(v2)
    after = content_of(machine.home / "disk")
    assert before != after
    assert len(points) == len(set(points)) > 20
    seen = {}
    for point in points:
        shutil.rmtree(machine.home)
        shutil.copytree(tmp_path / "kept", machine.home)
        v2 = machine.version(2, V2)
        assert machine.run(v2, point).returncode == -signal.SIGKILL, point
        recovered = machine.run()
        assert recovered.returncode == 0, (point, recovered.stderr)
        found = content_of(machine.home / "disk")
        assert found in (before, after), point
        seen[point] = found == after
        assert machine.run(v2).returncode == 0
        assert content_of(machine.home / "disk") == after, point
        assert machine.reported()[-1] == "2"
    # As soon as everything is staged, the way leads to the new version.
    assert seen == {point: points.index(point) >= points.index("journal-applying") for point in points}

"""A file of a service that was restored from an older backup: the last copy is never replaced."""

import json
from hashlib import sha256

import pytest
from gameshelf.client.saves.tickets import Ticket
from gameshelf.savesync.errors import ServiceRefusal
from gameshelf.savesync.report import SyncAction
from gameshelf.savesync.single_file import SingleFile, SingleFileSync
from gameshelf.savesync.wire import CloudVersion

MINE = b"version 5, which the service has lost"


def version(number, status="history"):
    return CloudVersion("s1", "save.dat", number, None, status, "aa", 1, None, None, None, None, None, False, None)


class RestoredApi:
    """Has the versions of a backup, and perhaps newer ones with higher numbers."""

    def __init__(self, *numbers):
        self.numbers, self.begun = numbers, []

    async def saves(self, _product):
        return [version(self.numbers[-1], "head")]

    async def versions(self, _savegame_id):
        for number in self.numbers:
            yield version(number)

    async def begin_file(self, attributes):
        self.begun.append(attributes["base_version"])
        if attributes["base_version"] > self.numbers[-1]:
            raise ServiceRefusal(404, "SAVEGAME_VERSION_NOT_FOUND")
        return Ticket("u1", "open", 0, 0, ())

    async def confirm_file(self, _upload_id):
        side = {"id": "s1", "attributes": {"slot_name": "save.dat", "content_identity": "aa", "file_size_bytes": 1}}
        sides = {
            name: {**side, "attributes": {**side["attributes"], "version": number}}
            for name, number in (("head", self.numbers[-1]), ("branch", self.numbers[-1] + 1))
        }
        raise ServiceRefusal(409, "SAVEGAME_VERSION_CONFLICT", "", {"conflict_id": "c1", "savegame_id": "s1", **sides})


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "save.dat"
    file.write_bytes(MINE)
    notes = {"savegame_id": "s1", "version": 5, "sha256": sha256(MINE).hexdigest(), "device_id": "deck"}
    (tmp_path / "save.dat.sync").write_text(json.dumps(notes))
    return file


@pytest.mark.parametrize("numbers", [(1, 2, 3), (1, 2, 3, 1001)])
@pytest.mark.parametrize("is_changed", [False, True])
async def test_a_version_that_the_service_has_lost_is_uploaded(file, numbers, is_changed):
    if is_changed:
        file.write_bytes(MINE + b", further")
    before = file.read_bytes()
    api = RestoredApi(*numbers)
    report = await SingleFileSync(SingleFile("p1", file), api, None, decide=lambda _conflict: None).run()
    assert (report.action, report.reason) == (SyncAction.CONFLICT, "open")
    assert file.read_bytes() == before
    if not is_changed or numbers[-1] < 5:
        assert api.begun[-1] == 0

"""A disk without room is named before anything is written to it."""

import pytest
from gameshelf.devstack import disk


def test_a_disk_with_room_is_accepted_also_for_a_folder_to_be_made(tmp_path):
    assert disk.free_mib(tmp_path / "not" / "yet" / "made") == disk.free_mib(tmp_path) > 0


@pytest.mark.parametrize(("needed", "refused"), [(0, False), (2**40, True)])
def test_a_disk_without_room_is_refused_in_one_line(tmp_path, monkeypatch, needed, refused):
    monkeypatch.setattr(disk, "MIB_NEEDED", needed)
    refusal = disk.refusal_of_full(tmp_path / "data")
    assert (refusal is not None) == refused
    if refusal:
        assert f"{tmp_path / 'data'}" in refusal
        assert "GAMESHELF_DEV_DATA" in refusal
        assert "\n" not in refusal

"""Where the client keeps its files."""

import os
from pathlib import Path

import pytest
from gameshelf.savesync.errors import HomeUnknown
from gameshelf.savesync.installation import XDG_FOLDERS, home_of, state_home
from gameshelf.savesync.paths import System


@pytest.fixture
def homeless(monkeypatch):
    """A user whom no file of accounts names."""

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)


def test_a_user_without_a_home_folder_is_asked_for_folders(homeless):
    with pytest.raises(HomeUnknown, match="XDG_STATE_HOME"):
        home_of({"XDG_STATE_HOME": "/state", "XDG_CACHE_HOME": "/cache"})


def test_no_home_folder_is_needed_where_all_folders_are_set(homeless):
    variables = {name: f"/{name}" for name in XDG_FOLDERS}
    home = home_of(variables)
    assert state_home(variables, home, System.LINUX) == Path("/XDG_STATE_HOME/gameshelf/savesync")
    assert not (home / ".config").exists()
    with pytest.raises(OSError, match=os.devnull):
        (home / ".config").mkdir()

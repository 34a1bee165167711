"""Pages that are generated from the code are up to date."""

from pathlib import Path

import pytest
from gameshelf.gateway.configuration import FIELDS, load_settings
from gameshelf.gateway.docs import PAGES

ROOT = next(folder for folder in Path(__file__).parents if (folder / "docs" / "configuration.md").exists())


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_the_one_that_the_code_makes(path):
    committed = (ROOT / path).read_text(encoding="utf-8")
    assert committed == PAGES[path](), "run `.venv/bin/python -m gameshelf.gateway.docs`"


def test_the_file_changes_nothing_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    least = {
        "LIBRARY_SERVICE_ROLES": "jobs",
        "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
        "ERASURE_HASH_KEY": "0" * 32,
    }
    with_file = {**least, "LIBRARY_SERVICE_CONFIG": str(ROOT / "configs" / "library_config.yaml")}
    assert load_settings(with_file) == load_settings(least)


def test_every_setting_says_what_it_is():
    assert [name for name, field in FIELDS.items() if not field.description] == []


def test_no_two_settings_have_one_name():
    names = list(FIELDS)
    assert len(set(names)) == len(names)

"""The ids that were shown last: which are kept, and how many."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from gameshelf.libctl import shown


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "shown.json"
    monkeypatch.setenv("LIBCTL_SHOWN", str(path))
    return path


def remember(data):
    shown.remember(shown.ids_in(data))


def test_ids_are_kept_with_their_titles_the_newest_first(file):
    remember({"items": [{"product_id": "p1", "title": "Deep Blue", "grants": [{"user_id": "u1"}]}]})
    remember({"objects": [{"kind": "save", "id": "s1", "name": "slot", "title": "", "user_id": "u1"}]})
    found = [(one.kind, one.id, one.label) for one in shown.load()]
    assert found == [("save", "s1", "slot"), ("user", "u1", ""), ("product", "p1", "Deep Blue")]


def test_only_the_newest_are_kept(file):
    for number in range(shown.MOST + 50):
        remember({"user_id": f"u{number}"})
    kept = shown.load()
    assert (len(kept), kept[0].id, kept[-1].id) == (shown.MOST, f"u{shown.MOST + 49}", "u50")


def test_a_long_title_is_cut(file):
    remember({"product_id": "p", "title": "x" * 1000})
    assert len(shown.load()[0].label) == 60


@pytest.mark.parametrize("damaged", ["", "{", "[1]", '[{"kind": "user"}]', "null"])
def test_a_damaged_file_is_as_none(file, damaged):
    file.write_text(damaged)
    assert shown.load() == []
    remember({"user_id": "u"})
    assert [one.id for one in shown.load()] == ["u"]
    assert json.loads(file.read_text())


def test_a_file_that_can_t_be_written_stops_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for place in (str(tmp_path / "file" / "shown.json"), os.devnull):
        monkeypatch.setenv("LIBCTL_SHOWN", place)
        remember({"user_id": "u"})
        assert shown.load() == []


def test_a_user_is_kept_without_a_name(file):
    remember({"objects": [{"kind": "user", "id": "u1", "name": "Anna Лебедева", "user_id": "u1"}]})
    assert [(one.kind, one.id, one.label) for one in shown.load()] == [("user", "u1", "")]
    assert "Anna" not in file.read_text()


def test_an_id_is_kept_for_a_month_after_it_was_shown_last(file):
    remember({"product_id": "old"})
    remember({"product_id": "again"})
    kept = json.loads(file.read_text())
    today = datetime.now(UTC).date()
    for days, left in ((shown.KEPT_DAYS, ["again", "old"]), (shown.KEPT_DAYS + 1, [])):
        day = (today - timedelta(days=days)).isoformat()
        file.write_text(json.dumps([{**one, "day": day} for one in kept]))
        assert [one.id for one in shown.load()] == left
    remember({"product_id": "again"})
    assert [one["id"] for one in json.loads(file.read_text())] == ["again"]

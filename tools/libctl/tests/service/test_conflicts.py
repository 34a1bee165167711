"""``libctl conflicts list|show|resolve``."""

import re
from uuid import uuid4

import pytest


def test_conflicts_of_everybody_come_in_pages_the_oldest_first(support, saver):
    first, second = saver.diverges("a"), saver.diverges("b")
    own = support.data("conflicts", "list", "--user", saver.id)["conflicts"]
    assert [one["conflict"]["conflict_id"] for one in own] == [first[1], second[1]]
    found, cursor = [], ""
    while True:
        page = support.data("conflicts", "list", "--limit", 1, "--cursor", cursor)
        assert len(page["conflicts"]) == 1
        found += [one for one in page["conflicts"] if one["user_id"] == str(saver.id)]
        if not (cursor := page["next_cursor"]):
            break
    assert found == own
    shown = support.shows("conflicts", "list")
    assert first[1] in shown
    assert f"of {saver.id}" in shown
    assert f"of {saver.id}" not in support.shows("conflicts", "list", "--user", saver.id)
    assert support.refused("conflicts", "list", "--cursor", "nonsense") == (2, "VALIDATION_ERROR")
    assert "No open conflicts." in support.shows("conflicts", "list", "--user", uuid4())


def test_both_sides_stand_next_to_each_other(support, saver, tmp_path):
    save, conflict = saver.diverges(comment="после босса", playtime_seconds=7260)
    ran = support.run("conflicts", "show", saver.id, conflict)
    assert ran.code == 0, ran.err
    for line in (
        "≠ +version +v2 +v3",
        " +follows +v1 +v1",
        "≠ +device +pc +deck",
        "≠ +played +2h 01m",
        "≠ +comment +после босса",
    ):
        assert re.search(f"^ *{line} *$", ran.out, re.MULTILINE), ran.out
    assert "●─╯" in ran.out
    assert f"libctl saves download {saver.id} {save} --version 3" in ran.err
    file = tmp_path / "branch"
    support.shows("conflicts", "show", saver.id, conflict, "--download", "local", "--to", file)
    assert file.read_bytes() == b"slot three"
    assert support.refused("conflicts", "show", saver.id, uuid4()) == (3, "CONFLICT_NOT_FOUND")


@pytest.mark.parametrize(("keep", "head", "way_back"), [("local", b"slot three", 2), ("cloud", b"slot two", 3)])
def test_one_side_stays_and_the_other_one_can_be_restored(support, saver, tmp_path, keep, head, way_back):
    save, conflict = saver.diverges()
    words = ("conflicts", "resolve", saver.id, conflict, "--keep", keep)
    dry = support.data(*words)
    assert (dry["before"]["resolution"], dry["after"]["resolution"]) == (None, f"keep_{keep}")
    assert (dry["before"]["head"]["version"], dry["after"]["head"]["version"]) == (2, 4)
    assert support.data("conflicts", "list", "--user", saver.id)["conflicts"]
    ran = support.run(*words, "--apply", "--reason", "the player asked")
    assert ran.code == 0, ran.err
    assert f"To undo it: libctl saves restore {saver.id} {save} --version {way_back}" in ran.err
    assert "audit undo" not in ran.err
    assert support.data("conflicts", "list", "--user", saver.id)["conflicts"] == []
    support.shows("saves", "download", saver.id, save, "--to", tmp_path / "head")
    assert (tmp_path / "head").read_bytes() == head
    support.applies("saves", "restore", saver.id, save, "--version", way_back)
    assert support.refused(*words, "--apply", "--reason", "once again, please") == (3, "CONFLICT_NOT_FOUND")
    shown = support.shows("saves", "versions", saver.id, save)
    assert "◉─╮" not in shown
    assert "●─╮" in shown


def test_both_sides_stay_under_a_name_of_support_s_own(support, saver):
    _, conflict = saver.diverges()
    words = ("conflicts", "resolve", saver.id, conflict, "--keep", "both")
    assert support.data(*words)["after"]["other_saves_with_the_branch"] == ["slot (conflict v3)"]
    assert support.refused(*words, "--name", "slot") == (2, "VALIDATION_ERROR")
    done = support.applies(*words, "--name", "from the deck")
    assert done["after"]["other_saves_with_the_branch"] == ["from the deck"]
    assert not done["can_undo"]
    slots = {one["head"]["slot_name"] for one in support.data("saves", "list", saver.id)["saves"]}
    assert slots == {"slot", "from the deck"}
    assert support.refused("audit", "undo", done["audit_id"]) == (4, "PRECONDITION_FAILED")


def test_a_side_that_moved_since_it_was_looked_at_refuses(support, saver):
    _, conflict = saver.diverges()
    words = ("conflicts", "resolve", saver.id, conflict, "--keep", "local")
    seen = support.data(*words)["revision"]
    saver.save(b"the head resumes", base_version=2)
    applied = (*words, "--apply", "--reason", "as seen in the dry run", "--revision")
    assert support.refused(*applied, seen) == (4, "PRECONDITION_FAILED")
    seen = support.data(*words)["revision"]
    saver.save(b"the branch resumes", device="deck", base_version=3)
    assert support.refused(*applied, seen) == (4, "PRECONDITION_FAILED")
    done = support.applies(*words)
    assert (done["before"]["head"]["version"], done["before"]["branch"]["version"]) == (4, 5)


def test_options_that_contradict_each_other_are_named(support):
    words = ("conflicts", "resolve", uuid4(), uuid4(), "--keep", "local", "--name", "x")
    assert support.refused(*words) == (2, "USAGE")
    assert support.refused("conflicts", "show", uuid4(), uuid4(), "--to", "x") == (2, "USAGE")


def test_a_conflict_in_the_trash_says_so(support, saver):
    save, conflict = saver.diverges()
    saver.http.delete(f"/savegames/{save}")
    ran = support.run("conflicts", "resolve", saver.id, conflict, "--keep", "cloud")
    assert (ran.code, "in_trash" in ran.err) == (3, True)

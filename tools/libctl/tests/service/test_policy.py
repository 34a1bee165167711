"""``libctl policy show|lint|import``, and by it the way that a change of a product is made, audited and undone."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from ..shown_tables import tables_of

WORLDS = {
    "revision": 3,
    "merge": "units",
    "roots": {"saves": {"where": [{"path": "<winAppData>/Marsh"}], "include": ["**/*.sav"]}},
    "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
}
MANIFEST = """
Marsh Lanterns:
  steam: {id: 4711}
  files:
    <winAppData>/Marsh Lanterns/worlds: {tags: [save], when: [{os: windows}]}
    <xdgData>/marsh-lanterns/worlds: {tags: [save], when: [{os: linux}]}
    <home>/Library/Application Support/com.studio.marsh: {tags: [save], when: [{os: mac}]}
    <home>/marsh.sav: {tags: [save]}
    C:/Marsh/{a/*: {tags: [save]}
  registry: {HKEY_CURRENT_USER/Software/Marsh: {tags: [config]}}
"""


@pytest.fixture
def product():
    return uuid4()


@pytest.fixture
def file(tmp_path):
    def write(document, name="policy.json"):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def test_a_product_without_a_policy_has_the_default_one(support, product):
    found = support.data("policy", "show", product)
    assert (found["revision"], found["source"], found["policy"]) == (0, "default", {})
    assert "Any path" in support.shows("policy", "show", product)


def test_an_import_is_a_backup_until_somebody_approves(admin, support, product, file):
    path = file(WORLDS)
    dry = admin.run("policy", "import", product, path)
    assert (dry.code, "Nothing was changed" in dry.err) == (0, True)
    assert support.data("policy", "show", product)["revision"] == 0
    done = admin.applies("policy", "import", product, path)
    assert done["before"] == {"revision": 0, "source": "default", "policy": {}}
    assert done["after"]["policy"]["mode"] == "backup"
    admin.applies("policy", "import", product, path, "--approve")
    found = support.data("policy", "show", product)
    assert (found["revision"], found["source"]) == (4, "community")
    assert found["policy"] == {name: value for name, value in WORLDS.items() if name != "revision"}
    shown = support.shows("policy", "show", product)
    roots, units = tables_of(shown)
    assert roots == (["root", "folder", "files"], [["saves", "<winAppData>/Marsh", "**/*.sav"]])
    assert (units[0], units[1][0]) == (["unit", "files"], ["{w}", "saves/{w}/**"])
    switched_off = admin.applies("policy", "import", product, file({"mode": "off"}), "--approve")
    assert switched_off["after"]["policy"] == {"mode": "off"}


def test_an_import_is_audited_and_undone_once(admin, product, file):
    first = admin.applies("policy", "import", product, file(WORLDS), reason="the studio asked for it")
    second = admin.applies("policy", "import", product, file({"settle_seconds": 60}))
    [entry] = [one for one in admin.data("audit", "list")["entries"] if one["audit_id"] == first["audit_id"]]
    assert (entry["command"], entry["reason"], entry["user_id"]) == ("policy import", "the studio asked for it", "")
    digest = entry["target"].pop("digest")
    assert (len(digest), entry["target"]) == (16, {"product_id": str(product), "mode": "backup"})
    assert entry["can_undo"]
    overtaken = admin.refused("audit", "undo", first["audit_id"], "--apply", "--reason", "it was a mistake")
    assert overtaken == (4, "PRECONDITION_FAILED")
    undone = admin.applies("audit", "undo", second["audit_id"], reason="the wrong product")
    # The policy from before has a new revision: clients have seen the old one, and the one after it.
    assert undone["after"] == {**first["after"], "revision": second["after"]["revision"] + 1}
    assert not undone["can_undo"]
    again = admin.refused("audit", "undo", second["audit_id"], "--apply", "--reason", "once more, please")
    assert again == (4, "PRECONDITION_FAILED")


def test_the_undo_of_a_first_import_is_the_default_again(admin, support, product, file):
    done = admin.applies("policy", "import", product, file(WORLDS))
    imported = support.data("policy", "show", product)["revision"]
    assert admin.applies("audit", "undo", done["audit_id"])["after"]["source"] == "default"
    assert support.data("policy", "show", product)["revision"] == imported + 1  # none is used again


def test_of_imports_on_one_revision_one_is_made(admin, product, file):
    revision = admin.data("policy", "import", product, file(WORLDS))["revision"]
    paths = [file({"settle_seconds": seconds}, f"{seconds}.json") for seconds in range(1, 5)]
    words = ("--apply", "--reason", "ticket 4711", "--revision", revision)
    with ThreadPoolExecutor(4) as threads:
        codes = list(threads.map(lambda path: admin.process("policy", "import", product, path, *words), paths))
    assert sorted(codes) == [0, 4, 4, 4]


def test_an_import_that_is_repeated_on_its_revision_is_made_once(admin, product, file):
    words = ("policy", "import", product, file(WORLDS))
    because = ("--apply", "--reason", "ticket 4711", "--revision", admin.data(*words)["revision"])
    first, again = admin.data(*words, *because), admin.data(*words, *because)
    assert (again["applied"], again["audit_id"], again["after"]) == (True, first["audit_id"], first["after"])
    other = ("policy", "import", product, file({"settle_seconds": 61}, "other.json"))
    assert admin.refused(*other, *because) == (4, "PRECONDITION_FAILED")
    assert admin.data("policy", "show", product)["revision"] == first["after"]["revision"]


def test_only_an_admin_imports(support, product, file):
    ran = support.run("--json", "policy", "import", product, file(WORLDS))
    assert ran.error["code"] == "PERMISSION_DENIED"


def test_a_policy_with_errors_is_never_imported(admin, product, file):
    path = file({"roots": {"saves": {"where": [{"path": "<home>"}]}}, "mode": "everything"})
    found = admin.run("--json", "policy", "lint", path)
    assert found.code == 1
    errors = {(one["pointer"], one["rule"]) for one in found.data["findings"] if one["level"] == "error"}
    assert errors == {("roots/saves/where/0/path", "place_too_wide"), ("mode", "literal_error")}
    ran = admin.run("--json", "policy", "import", product, path)
    assert ran.code == 2
    assert "policy.roots.saves.where.0.path: This place would" in ran.error["message"]


def test_doubts_are_shown_and_do_not_hinder(support, file):
    found = support.data("policy", "lint", file("merge: units\n", "policy.yaml"))
    assert [(one["level"], one["rule"]) for one in found["findings"]] == [("warning", "merge_without_units")]
    headings, [row] = tables_of(support.shows("policy", "lint", file({"merge": "units"})))[-1]
    assert headings == ["level", "where", "rule"]
    assert (row[0], row[-1]) == ("warning", "merge_without_units")


@pytest.mark.parametrize(
    "text", ["[1]", "{", "a: &b [1]\nc: *b", "x: 2024-01-01", "1: 2", '{"settle_seconds": .nan}', "\x00"]
)
def test_what_is_no_policy_is_a_misuse(support, file, text):
    assert support.refused("policy", "lint", file(text)) == (2, "USAGE")


def test_a_game_of_a_manifest_is_taken_without_what_is_refused(admin, support, product, file):
    path = file(MANIFEST, "manifest.yaml")
    ran = support.run("--json", "policy", "lint", path, "--game", "Marsh Lanterns")
    assert ran.code == 0, ran.err
    assert ran.data["policy"]["mode"] == "backup"
    [root] = ran.data["policy"]["roots"].values()
    assert [place["path"] for place in root["where"]] == [
        "<winAppData>/Marsh Lanterns/worlds",
        "<xdgData>/marsh-lanterns/worlds",
        "<home>/Library/Application Support/com.studio.marsh",
    ]
    left_out = [one.rpartition(": ") for one in ran.data["left_out"]]
    assert {source for source, _, _ in left_out} == {"registry", "C:/Marsh/{a/*", "<home>/marsh.sav"}
    assert "Not taken over (3)" in ran.err
    done = admin.applies("policy", "import", product, path, "--steam", "4711")
    assert done["after"]["policy"] == ran.data["policy"]


def test_a_game_that_is_not_named_or_not_there(support, file):
    path = file(MANIFEST, "manifest.yaml")
    assert support.refused("policy", "lint", path) == (2, "USAGE")
    ran = support.run("--json", "policy", "lint", path, "--game", "Marsh Lantern")
    assert (ran.code, ran.error["try"]) == (3, '--game "Marsh Lanterns"')
    assert support.refused("policy", "lint", path, "--game", "a", "--steam", "1") == (2, "USAGE")
    assert support.refused("policy", "lint", path.with_name("other")) == (2, "USAGE")

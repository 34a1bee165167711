"""docs/savesync.md lists the scenarios of saves that are sets of files, with the tests that have their numbers."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("packages/savegames/tests", "services/gateway/tests", "tools/savesync/tests")
TEST = re.compile(r"^ *(?:async )?def test_scenario_(\d+)_(\w+)", re.MULTILINE)
ROW = re.compile(r"^\| (\d+) \|.*\| (`[^|]*) \|$", re.MULTILINE)


def scenarios_of_tests():
    found = {}
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("test_*.py"):
            for number, name in TEST.findall(file.read_text(encoding="utf-8")):
                found.setdefault(int(number), set()).add(name)
    return found


def test_the_table_of_scenarios_has_every_test_of_each():
    rows = ROW.findall((ROOT / "docs" / "savesync.md").read_text(encoding="utf-8"))
    assert [int(number) for number, _ in rows] == list(range(1, 26))
    assert {int(number): set(re.findall(r"`(\w+)`", names)) for number, names in rows} == scenarios_of_tests()


def test_the_script_of_the_page_has_the_same_table():
    page, script = (ROOT / "docs" / f"savesync.{kind}" for kind in ("md", "sh"))
    assert ROW.findall(page.read_text(encoding="utf-8")) == ROW.findall(script.read_text(encoding="utf-8"))

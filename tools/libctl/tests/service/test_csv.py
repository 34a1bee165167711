"""``--csv`` of lists, as a spreadsheet reads it."""

import csv
import io


def rows(ran):
    assert ran.code == 0, ran.err
    return list(csv.DictReader(io.StringIO(ran.out)))


def test_saves_are_rows_with_the_fields_of_their_json(support, saver):
    saver.saves(b"one", b"two", slot="=1+1")
    [of] = support.data("saves", "list", saver.id)["saves"]
    [row] = rows(support.run("saves", "list", saver.id, "--csv"))
    assert row["head.savegame_id"] == of["head"]["savegame_id"]
    assert row["head.version"] == "2"
    assert row["head.slot_name"] == "'=1+1"


def test_an_empty_list_has_its_columns(support, saver):
    ran = support.run("uploads", "list", saver.id, "--csv")
    assert rows(ran) == []
    assert ran.out.startswith("upload.upload_id,")


def test_the_audit_has_lists_as_json(support, saver):
    support.applies("quota", "set", saver.id, "2GiB")
    [row] = rows(support.run("audit", "list", "--user", saver.id, "--csv"))
    assert (row["command"], row["actor_roles"], row["after"]) == (
        "quota set",
        '["support"]',
        '{"limit_bytes": 2147483648}',
    )

"""Which backups of a bucket are deleted: never the last good one, and nothing while backups have stopped."""

from datetime import UTC, datetime, timedelta

import pytest
from gameshelf.libctl.backup.bucket import MIB, part_size
from gameshelf.libctl.backup.places import parse
from gameshelf.libctl.backup.remote import new_id, point_of
from gameshelf.libctl.backup.retention import Policy, Stored, expired, newest_good
from gameshelf.libctl.errors import Usage

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def backup(days_ago, state="good", name=""):
    return Stored(name or f"{days_ago}", NOW - timedelta(days=days_ago), state, 1, ())


def gone(found, policy=Policy(), now=NOW):  # noqa: B008, it is frozen
    return [one.id for one in expired(found, policy, now)]


def test_daily_backups_are_kept_for_thirty_days():
    assert gone([backup(days) for days in range(34)]) == ["33", "32", "31"]


def test_the_newest_of_each_week_and_month_is_kept_beyond():
    found = [backup(days) for days in range(200)]
    kept = {one.id for one in found} - set(gone(found, Policy(days=7, weekly=3, monthly=4)))
    # Sundays end ISO weeks: 22 November is 5 days ago and 15 November 12. October ends 27 days ago, September 58.
    assert kept == {*map(str, range(8)), "12", "27", "58", "88"}


@pytest.mark.parametrize("state", ["damaged", "unreadable", "incomplete"])
def test_the_last_good_one_stays_whatever_came_after_it(state):
    found = [backup(400), backup(300), *(backup(days, state) for days in range(10))]
    assert newest_good(found, NOW).id == "300"
    assert gone(found) == ["400"]


def test_where_no_backup_is_good_nothing_is_deleted():
    assert gone([backup(90, "damaged"), backup(80, "unreadable"), backup(70, "incomplete")]) == []


def test_only_what_can_be_read_is_deleted_and_the_rest_does_not_stop_it():
    found = [backup(90), backup(80, "unreadable"), backup(70, "incomplete"), backup(60, "damaged"), backup(0)]
    assert gone(found) == ["90", "60"]


def test_where_backups_have_stopped_deletions_stop_too():
    assert gone([backup(days) for days in range(100, 130)]) == []


def test_a_clock_that_is_years_ahead_deletes_nothing():
    assert gone([backup(days) for days in range(30)], now=NOW + timedelta(days=2000)) == []


def test_one_of_the_future_expires_nothing_and_is_restored_last():
    found = [backup(-500), backup(0), backup(20)]
    assert newest_good(found, NOW).id == "0"
    assert gone(found) == []


def test_names_that_are_not_ours_are_no_backups():
    assert point_of(new_id(NOW)) == NOW
    for name in ("", "20261127T120000Z", "20261327T120000Z-00000000", "x20261127T120000Z-00000000", "wal"):
        assert point_of(name) is None


def test_an_address_names_a_place_or_one_backup():
    name = new_id(NOW)
    assert str(parse("s3://backups/library/")) == "s3://backups/library"
    assert parse(f"s3://backups/a/b/{name}").backup_id == name
    assert str(parse(f"s3://backups/{name}")) == f"s3://backups/{name}"
    for text in ("s3://", "s3://UPPER/x", "s3://b", "s3://backups/../x", "s3://backups/a b"):
        with pytest.raises(Usage):
            parse(text)


@pytest.mark.parametrize("gib", [0, 1, 7, 8, 50, 56, 57, 300, 5000])
def test_parts_are_few_enough_for_stores_and_small_enough_for_memory(gib):
    size = gib << 30
    part = part_size(size)
    assert 8 * MIB <= part <= max(64 * MIB, size / 8000)
    assert size / part <= (1000 if gib <= 56 else 10_000)

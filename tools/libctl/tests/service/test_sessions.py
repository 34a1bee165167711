"""``libctl sessions``: sessions that run, and the end of one that is stuck."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import wait_for


@pytest.fixture
def session(saver):
    """A session of a player on their desk."""
    started = saver.post("/playtime/sessions/start", product_id=str(saver.product), device_id="desk", platform="linux")
    assert started.status_code == 201, started.text
    return started.json()["data"]["id"]


def test_running_sessions_are_listed_with_their_newest_heartbeat(saver, session, support):
    def found():
        return support.data("sessions", "list", saver.id)

    [first] = found()["sessions"]
    beat = saver.http.post(f"/playtime/sessions/{session}/heartbeat")
    assert beat.status_code == 204, beat.text
    wait_for(lambda: found()["sessions"][0]["last_heartbeat_at"] > first["last_heartbeat_at"])
    listed = found()
    [one] = listed["sessions"]
    assert (one["session"]["session"]["session_id"], listed["has_newest_heartbeats"]) == (session, True)
    ends = datetime.fromisoformat(one["times_out_at"]) - datetime.fromisoformat(one["last_heartbeat_at"])
    assert ends.total_seconds() == listed["timeout_seconds"]
    for columns in (80, 120):
        support.columns = columns
        shown = support.shows("sessions", "list", saver.id)
        for words in (session, str(saver.product), "on desk, linux", "last heartbeat"):
            assert words in shown
        assert max(map(len, shown.splitlines())) <= columns


def test_a_session_is_ended_once_and_its_heartbeats_are_refused(saver, session, support):
    end = ("sessions", "end", saver.id, session)
    seen = support.data(*end)
    assert (seen["applied"], seen["before"]["ended_at"]) == (False, None)
    assert len(support.data("sessions", "list", saver.id)["sessions"]) == 1
    done = support.applies(*end, "--ticket", "ZD-1")
    assert (done["before"]["end_reason"], done["after"]["end_reason"]) == (None, "completed")
    assert datetime.fromisoformat(done["after"]["ended_at"]) <= datetime.now(UTC)
    assert not done["can_undo"]
    assert support.data("sessions", "list", saver.id)["sessions"] == []
    wait_for(lambda: saver.http.post(f"/playtime/sessions/{session}/heartbeat").status_code != 204)
    again = support.run(*end, "--apply", "--reason", "end it once more")
    assert again.code == 0
    assert "Nothing to change" in again.err
    [entry] = support.data("audit", "list", "--user", saver.id)["entries"]
    assert (entry["command"], entry["ticket"]) == ("sessions end", "ZD-1")


def test_a_silent_session_ends_at_its_last_sign_of_life(saver, session, support, platform, execute, fetch):
    execute(
        platform.dsn,
        "UPDATE playtime.playtime_sessions SET start_time = start_time - interval '3 h', "
        f"last_heartbeat_at = last_heartbeat_at - interval '2 h' WHERE id = '{session}'",
    )
    done = support.applies("sessions", "end", saver.id, session)
    assert done["after"]["end_reason"] == "timeout"
    query = "SELECT duration_seconds FROM playtime.playtime_sessions WHERE id = $1"
    [row] = fetch(platform.dsn, query, session)
    assert 3500 <= row["duration_seconds"] <= 3700


def test_nobody_elses_session_is_ended(saver, session, support):
    assert support.refused("sessions", "end", uuid4(), session) == (3, "SESSION_NOT_FOUND")
    assert "none" in support.shows("sessions", "list", uuid4())
    assert len(support.data("sessions", "list", saver.id)["sessions"]) == 1

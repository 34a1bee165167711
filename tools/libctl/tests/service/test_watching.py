"""``--watch``: each look is a line of JSON, or on a terminal takes the place of the one before; Ctrl-C ends it."""

import json
import os
import signal
import subprocess
import sys
import time
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS

WATCHED = [
    (("events", "outbox"), "pending"),
    (("events", "dlq", "list"), "dead_letters"),
    (("sessions", "list", uuid4()), "sessions"),
]
IDS = ["outbox", "dlq", "sessions"]


@pytest.fixture
def start():
    """Starts libctl in a process of its own."""
    started = []

    def make(somebody, *words, **streams):
        command = [sys.executable, "-m", "gameshelf.libctl", *map(str, words), "--watch", "--every", "1"]
        environment = {**os.environ, **somebody.environment, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        started.append(subprocess.Popen(command, env=environment, **streams))
        return started[-1]

    yield make
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("words", "field"), WATCHED, ids=IDS)
def test_with_json_each_look_is_a_document_in_a_line(start, support, words, field):
    process = start(support, "--json", *words, stdout=subprocess.PIPE)
    looks = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [field in look for look in looks] == [True, True]
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(("words", "field"), WATCHED, ids=IDS)
def test_on_a_terminal_a_look_takes_the_place_of_the_one_before(start, support, words, field):
    terminal, theirs = os.openpty()
    process = start(support, *words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen, deadline = b"", time.monotonic() + PATIENCE_SECONDS
    while seen.count(b"every 1 s; Ctrl-C ends") < 2:
        assert time.monotonic() < deadline, seen
        seen += os.read(terminal, 65536)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 0
    os.close(terminal)
    assert seen.startswith(b"\x1b[?1049h"), "it has a screen of its own, and leaves that of the shell as it was"


def test_a_service_that_is_away_is_watched_on(start, support):
    support.environment["LIBCTL_ENDPOINT"] = "127.0.0.1:9"
    process = start(support, "--json", "events", "outbox", stderr=subprocess.PIPE)
    for _ in range(2):
        assert json.loads(process.stderr.readline())["error"]["code"] == "UNAVAILABLE"
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 143


def test_a_refusal_ends_the_watch(start, staff):
    process = start(staff("user"), "events", "outbox", stderr=subprocess.PIPE)
    assert process.wait(PATIENCE_SECONDS) == 1
    assert b"permission denied" in process.stderr.read()


def test_all_letters_are_not_watched(support):
    assert support.refused("events", "dlq", "list", "--all", "--watch") == (2, "USAGE")

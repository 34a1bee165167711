"""The watch itself: it sees the failures that the other modules rely on it to see."""

import json

import httpx


def test_the_watch_sends_requests_that_succeed(watch):
    assert not watch.failures


def test_a_request_that_the_service_refuses_is_no_failure_of_the_service(target):
    assert httpx.get(f"{target.api}/items").status_code == 401


def test_errors_and_tracebacks_of_a_log_are_found(tmp_path, errors_of_log):
    log = tmp_path / "service.log"
    lines = [
        json.dumps({"level": "INFO", "message": "all is well"}),
        json.dumps({"level": "ERROR", "message": "no"}),
        json.dumps({"level": "WARNING", "error.stack": "Traceback (most recent call last):\n  …"}),
        "Exception ignored in: <coroutine>",
    ]
    log.write_text("\n".join(lines), encoding="utf-8")
    assert errors_of_log(log) == [json.dumps({"level": "ERROR", "message": "no"}), *lines[2:]]

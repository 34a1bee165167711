"""What a program reads of an answer, whatever a proxy has made of it."""

import httpx
import pytest
from gameshelf.client import LibraryAnswer, SaveOutcome
from gameshelf.client.saves.uploads import CommitPending


@pytest.mark.parametrize(("said", "expected"), [('"5.a"', '"5.a"'), ('W/"5.a"', '"5.a"'), (None, None)])
def test_an_etag_that_a_proxy_has_weakened_is_one_for_changes(said, expected):
    """hapijs/hapi#3956: it compresses, and says so; a strong comparison would never match."""
    headers = httpx.Headers({"ETag": said} if said else {})
    assert LibraryAnswer(None, 200, headers=headers).etag == expected


@pytest.mark.parametrize(("said", "expected"), [("5", 5), ("86400", 60), ("", 2), ("0", 2)])
def test_a_commit_is_asked_for_again_within_a_minute(said, expected):
    answer = LibraryAnswer(None, 202, {"verified_count": 1}, headers={"Retry-After": said})
    assert CommitPending.of(answer).retry_after == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [("head", 7), ("identical", 7), ("behind", None), ("resolved", None), ("deleted", None), ("conflict", 9)],
)
def test_the_next_upload_is_based_on_the_version_that_has_the_bytes(result, expected):
    """The others name a version whose bytes this device does not have; a conflict has this device's as a side."""
    save = None if result == "conflict" else {"attributes": {"version": 7}}
    meta = {"branch": {"attributes": {"version": 9}}} if result == "conflict" else {}
    assert SaveOutcome(result, save, meta).own_version == expected

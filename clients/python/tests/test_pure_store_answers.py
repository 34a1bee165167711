"""Answers of the object store: what is sent again, with what signature, and what is final."""

import pytest
from gameshelf.client.saves.store_answers import StoreMeaning, code_of, meaning_of
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (200, "", "DONE"),
        (206, "", "DONE"),
        (400, "RequestTimeout", "AGAIN"),
        (408, "", "AGAIN"),
        (429, "", "AGAIN"),
        (503, "SlowDown", "AGAIN"),
        (507, "XMinioStorageFull", "AGAIN"),
        (400, "ExpiredToken", "SIGN"),
        (400, "InvalidToken", "SIGN"),
        (401, "", "SIGN"),
        (403, "AccessDenied", "SIGN"),
        (403, "RequestTimeTooSkewed", "SIGN"),
        (404, "NoSuchUpload", "SIGN"),
        (400, "BadDigest", "OTHER_BYTES"),
        (400, "XAmzContentSHA256Mismatch", "OTHER_BYTES"),
        (400, "EntityTooLarge", "REFUSED"),
        (400, "", "REFUSED"),
        (403, "QuotaExceeded", "REFUSED"),
        (307, "TemporaryRedirect", "REFUSED"),
        (302, "", "REFUSED"),
        (409, "", "REFUSED"),
    ],
)
def test_an_answer_means(status, code, expected):
    assert meaning_of(status, code) is StoreMeaning[expected]


@settings(max_examples=25)
@given(st.binary(max_size=50))
def test_any_body_may_come(noise):
    assert code_of(noise.replace(b"<", b"") + b"<Error><Code>ExpiredToken</Code></Error>") == "ExpiredToken"
    assert code_of(noise.replace(b"<", b"")) == ""

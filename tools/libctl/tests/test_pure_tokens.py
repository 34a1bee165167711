"""What a refused token says of itself."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from gameshelf.libctl.tokens import problem_of

NOW = datetime(2026, 11, 28, 17, tzinfo=UTC)


def token(**claims):
    parts = ({"alg": "ES256"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "signature"])


def test_an_expired_token_says_when_and_how_long_ago():
    expired = token(exp=int((NOW - timedelta(hours=26, minutes=5)).timestamp()))
    assert problem_of(expired, NOW) == "expired 2026-11-27 14:55 UTC, 26h 05m 00s ago"
    assert problem_of(token(exp=int(NOW.timestamp())), NOW) == "expired 2026-11-28 17:00 UTC, 0h 00m 00s ago"


def test_a_token_of_the_future_names_the_clock_of_this_machine():
    early = token(nbf=int((NOW + timedelta(minutes=5)).timestamp()), exp=2**40)
    assert (
        problem_of(early, NOW)
        == "is valid only from 2026-11-28 17:05 UTC; this machine's clock says 2026-11-28 17:00 UTC"
    )


@pytest.mark.parametrize("text", ["nonsense", "a.b", "a.b.c", "..", "a.YWJj.c", "a.WzFd.c", "a.!!!!.c", "я.я.я"])
def test_what_is_no_token_is_named(text):
    assert problem_of(text, NOW) == "is not a JWT"


@pytest.mark.parametrize("exp", [None, "tomorrow", True, 1e300, float("inf"), [], 2**40])
def test_of_other_tokens_nothing_is_guessed(exp):
    assert problem_of(token(exp=exp), NOW) is None

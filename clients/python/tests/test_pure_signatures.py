"""Logs of requests: signed addresses are shortened, and all others stay."""

import logging

import httpx
import pytest
from gameshelf.client.saves.signatures import SignaturesHidden, hide_signatures


@pytest.mark.parametrize("name", ["X-Amz-Signature", "X-Goog-Signature", "Signature", "sig"])
def test_a_signed_address_is_shortened(caplog, name):
    hide_signatures()
    hide_signatures()
    log = logging.getLogger("httpx")
    assert sum(isinstance(one, SignaturesHidden) for one in log.filters) == 1
    caplog.set_level(logging.INFO, logger="httpx")
    log.info("HTTP Request: %s %s", "PUT", httpx.URL(f"https://store/bucket/a%20b?X-Amz-Date=1&{name}=s3cret"))
    log.info("HTTP Request: %s %s", "GET", httpx.URL("https://library/items?limit=2"))
    log.info("no arguments")
    assert caplog.messages == [
        "HTTP Request: PUT https://store/bucket/a%20b?signed",
        "HTTP Request: GET https://library/items?limit=2",
        "no arguments",
    ]

"""Origins of pages: which are valid, how browsers write them, and how refusals are counted and logged."""

import logging

import pytest
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.origins import AllowedOrigins, parse_origin

AS_SENT = {
    "https://shop.example": "https://shop.example",
    "https://Shop.EXAMPLE": "https://shop.example",
    "HTTPS://shop.example": "https://shop.example",
    "https://shop.example:443": "https://shop.example",
    "http://shop.example:80": "http://shop.example",
    "http://shop.example:443": "http://shop.example:443",
    "http://localhost:5173": "http://localhost:5173",
    "http://[::1]:3000": "http://[::1]:3000",
    "https://магазин.example": "https://xn--80aairftm.example",
    "tauri://localhost": "tauri://localhost",
    "http://tauri.localhost": "http://tauri.localhost",
    "app://-": "app://-",
    "capacitor://localhost": "capacitor://localhost",
    "vscode-webview://0a1b": "vscode-webview://0a1b",
    "null": "null",
}
NEVER_SENT = (
    "*",
    "https://*",
    "https://*.shop.example",
    "app://*",
    "shop.example",
    "//shop.example",
    "https://",
    "https://:8443",
    "https://shop.example/",
    "https://shop.example/path",
    "https://shop.example?a",
    "https://shop.example#a",
    "https://user@shop.example",
    "https://shop.example:port",
    "https://shop.example:70000",
    "https://a b",
    "https://straße.example",
    "https://STRAẞE.example",
    "wss://shop.example",
    "file://",
    "file://localhost",
    "NULL",
    "",
)


@pytest.mark.parametrize("written", AS_SENT)
def test_an_origin_is_brought_into_the_form_that_browsers_send(written):
    assert parse_origin(written) == AS_SENT[written]


@pytest.mark.parametrize("written", NEVER_SENT)
def test_what_no_page_ever_sends_is_refused(written):
    with pytest.raises(ValueError, match="origin"):
        parse_origin(written)


def test_refused_origins_are_counted_each_and_logged_once_a_minute(caplog):
    now = 0.0
    metrics = Metrics()
    origins = AllowedOrigins(["https://shop.example"], metrics, clock=lambda: now)
    assert "https://shop.example" in origins
    assert "null" not in origins
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            origins.refuse("https://evil.example\n" + "x" * 10_000, "http")
        origins.refuse("https://other.example", "websocket")
        now = 61.0
        origins.refuse("https://evil.example", "http")
    first, second = (record for record in caplog.records if record.name == "gameshelf.gateway.runtime.origins")
    assert "\n" not in first.getMessage()
    assert len(first.getMessage()) < 400
    assert second.fields["http.origins_refused"] == 4
    samples = [sample for metric in metrics.registry.collect() for sample in metric.samples]
    counted = {one.labels["transport"]: one.value for one in samples if one.name == "origins_refused_total"}
    assert counted == {"http": 4, "websocket": 1}

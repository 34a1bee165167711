"""CloudEvents in the forms that producers send: binary mode, data in Base64, a byte order mark, numbers as ids."""

import json
from base64 import b64encode
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from gameshelf.gateway.runtime.kafka.incoming import Malformed
from gameshelf.gateway.runtime.kafka.named_user import named_user
from gameshelf.gateway.runtime.kafka.received import event_of
from gameshelf.gateway.runtime.kafka.received import read_event as read_any
from gameshelf.gateway.runtime.kafka.structured import structured
from gameshelf.gateway.wiring import CONSUMED

PAYMENTS = "com.platform.payment.events.v1"
PURCHASED = "com.platform.payment.purchase.completed.v1"
PRICED = "com.platform.catalog.price.updated.v1"
USER, PRODUCT = (
    UUID("37151c2f-9820-4050-91fd-1d7e03a3276e"),
    UUID("f6ab3f54-42d8-4b1c-9a55-0d1f1d9d3c10"),
)  # names of tests have them


@dataclass
class Received:
    value: bytes | None
    headers: tuple = ()
    topic: str = PAYMENTS
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None


def order(**more):
    items = [{"productId": str(PRODUCT)}]
    return {"userId": str(USER), "orderId": "o-1", "items": items, **more}


def envelope(kind=PURCHASED, **more):
    return {"specversion": "1.0", "id": "e", "source": "s", "type": kind, **more}


def headers(kind=PURCHASED, **more):
    named = {"ce_specversion": "1.0", "ce_id": "e", "ce_source": "s", "ce_type": kind, **more}
    return tuple((name.replace("content_type", "content-type"), text.encode()) for name, text in named.items())


def text(document):
    return json.dumps(document).encode()


def read(record):
    return read_any(record, CONSUMED)


def event(value, *given, **more):
    return read(structured(Received(value, *given, **more)))


def data_of(found):
    [reading] = found.readings
    return reading.data


FORMS = {
    "structured": Received(text(envelope(data=order()))),
    "byte order mark": Received(b"\xef\xbb\xbf" + text(envelope(data=order()))),
    "binary": Received(text(order()), headers()),
    "binary, its type said": Received(text(order()), headers(content_type="application/json; charset=utf-8")),
    "binary and byte order mark": Received(b"\xef\xbb\xbf" + text(order()), headers()),
    "Base64": Received(text(envelope(data_base64=b64encode(text(order())).decode()))),
    "Base64 beside null": Received(text(envelope(data=None, data_base64=b64encode(text(order())).decode()))),
    "structured with headers": Received(
        text(envelope(data=order())), headers(content_type="application/cloudevents+json")
    ),
    "structured with headers and no content type": Received(text(envelope(data=order())), headers()),
}


@pytest.mark.parametrize("name", FORMS)
def test_an_event_is_the_same_in_every_form(name):
    found, plain = read(structured(FORMS[name])), read(FORMS["structured"])
    assert (data_of(found), found.envelope.id, found.envelope.source) == (data_of(plain), "e", "s")
    assert named_user(found.record, CONSUMED.product_topics) == USER


def test_an_event_in_structured_json_stays_the_record_that_it_is():
    assert structured(FORMS["structured"]) is FORMS["structured"]
    for value in (None, b"", b"no JSON"):
        record = Received(value)
        assert structured(record) is record


def test_headers_of_binary_mode_are_the_attributes():
    traced = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    given = event(text(order()), headers(ce_time="2026-03-01T12:00:00Z", traceparent=traced)).envelope
    assert (given.time.isoformat(), given.traceparent) == ("2026-03-01T12:00:00+00:00", traced)


def test_an_event_in_another_form_is_stored_as_structured_json():
    data = order(items=[{"productId": "x"}, {"productId": str(PRODUCT)}])
    for found in (
        event(text(data), headers()),
        event(text(envelope(data_base64=b64encode(text(data)).decode()))),
    ):
        name, alone = event_of(found, found.bad_elements[0])
        assert name == "#items[0]"
        assert json.loads(alone) == envelope(id="e#items[0]", data={**data, "items": [{"productId": "x"}]})


@pytest.mark.parametrize(
    "record",
    [
        Received(b"no JSON", headers()),
        Received(b"", headers()),
        Received(b'{}, "type": "x"', headers()),
        Received(text(order()), headers(ce_id="")),
        Received(text(order()), (*headers(), ("ce_id", None))),
        Received(text(envelope(data_base64="!"))),
        Received(text(envelope(data_base64=5))),
        Received(text(envelope(data_base64=b64encode(b"no JSON").decode()))),
        Received(b"[" * 50_000 + b'"data_base64"'),
    ],
    ids=repr,
)
def test_what_is_no_event_in_any_form_is_malformed(record):
    with pytest.raises(Malformed):
        read(structured(record))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (17, "17"),
        (0, "0"),
        ("17", "17"),
        (2**70, str(2**70)),
        (5.0, "5"),
        (-0.0, "0"),
        (1e3, "1000"),
        (2.0**53 - 1, str(2**53 - 1)),
        ("5.0", "5.0"),
    ],
)
def test_an_id_may_be_a_number(sent, kept):
    assert data_of(event(text(envelope(data=order(orderId=sent))))).order_id == kept


# Of 2.0**53 and more a double may stand for several whole numbers: two orders would be one.
@pytest.mark.parametrize("sent", [True, 1.5, 5.5, None, [], "", 10**300, 2.0**53, 1e300, -1e16])
def test_an_id_is_nothing_else(sent):
    with pytest.raises(Malformed, match="orderId"):
        event(text(envelope(data=order(orderId=sent))))


def price(**more):
    data = {"productId": str(PRODUCT), "priceMinor": 100, "currency": "RUB", **more}
    return data_of(event(text(envelope(PRICED, data=data)), topic="com.platform.catalog.events.v1"))


@pytest.mark.parametrize(("sent", "kept"), [(33.3, 33), (33, 33), (99.99, 99), (0.4, 0), (100.0, 100), (0, 0)])
def test_a_discount_is_rounded_down(sent, kept):
    assert price(discountPercent=sent).discount_percent == kept


@pytest.mark.parametrize("sent", [100.5e3, -0.5, -1, 101, True, "33"])
def test_a_discount_beyond_all_discounts_is_malformed(sent):
    with pytest.raises(Malformed):
        price(discountPercent=sent)


def test_an_amount_may_be_written_with_a_point():
    assert price(priceMinor=100.0, oldPriceMinor=200.0).old_price_minor == 200
    with pytest.raises(Malformed):
        price(priceMinor=100.5)


async def test_events_in_every_form_are_applied(player, send, owns):
    games = [uuid4() for _ in range(3)]
    orders = [
        {"userId": str(player.id), "orderId": f"order-{game}", "items": [{"productId": str(game)}]} for game in games
    ]
    await send(PAYMENTS, b"k", b"\xef\xbb\xbf" + text(envelope(id=str(uuid4()), data=orders[0])))
    await send(PAYMENTS, b"k", text(orders[1]), headers=list(headers(ce_id=str(uuid4()))))
    encoded = b64encode(text(orders[2])).decode()
    await send(PAYMENTS, b"k", text(envelope(id=str(uuid4()), data_base64=encoded)))
    await owns(player, *games)


async def test_a_dead_letter_of_binary_mode_is_kept_as_one_event(player, send, letters_with):
    marker = f"order-{uuid4()}"
    await send(PAYMENTS, b"k", text(order(orderId=marker, userId="x")), headers=list(headers(ce_id=marker)))
    [letter] = await letters_with(marker, 1)
    assert json.loads(letter["value"]) == envelope(id=marker, data=order(orderId=marker, userId="x"))

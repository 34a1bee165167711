"""Reading of events: absent values, and errors in one element of a list."""

import gc
import json
import weakref
from dataclasses import fields
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from gameshelf.gateway.runtime.kafka.incoming import Malformed
from gameshelf.gateway.runtime.kafka.received import StoredRecord, event_of, parts_of
from gameshelf.gateway.runtime.kafka.received import read_event as read_any
from gameshelf.gateway.wiring import CONSUMED

ABOUT = {"userId": str(uuid4()), "productId": "00000000-0000-4000-8000-000000000001"}
TYPES = {
    "purchase": ("payment.purchase.completed", {**ABOUT, "orderId": "o", "items": [{"productId": str(uuid4())}]}),
    "key": ("payment.key.activated", {**ABOUT, "keyId": "k"}),
    "installation": ("download.game.status.changed", {**ABOUT, "status": "installed"}),
    "review": ("social.review.submitted", {**ABOUT, "rating": 5}),
    "product": ("catalog.product.updated", ABOUT),
    "price": ("catalog.price.updated", {**ABOUT, "priceMinor": 100, "currency": "RUB"}),
    "deleted": ("account.user.deleted", ABOUT),
}


def record_of(name, *, timestamp=0, envelope=None, **more):
    kind, data = TYPES[name]
    document = {"specversion": "1.0", "id": "e", "source": "s", "type": f"com.platform.{kind}.v1"}
    value = json.dumps({**document, **(envelope or {}), "data": {**data, **more}}).encode()
    return StoredRecord(f"com.platform.{kind.split('.')[0]}.events.v1", 0, 0, timestamp, None, value)


def read(record):
    return read_any(record, CONSUMED)


def data_of(event):
    """The data of an event that one domain consumes."""
    [reading] = event.readings
    return reading.data


def product_of(event):
    """The data of an event about a product as the library reads it, and as achievements do."""
    product, achievements, _ = event.readings
    return product.data, achievements.data.achievements


def policy_of(event):
    """The policy of saves in an event about a product."""
    return event.readings[-1].data.savegame_policy


def test_an_optional_field_of_an_element_that_is_empty_was_not_said():
    names = ("apiName", "name", "description", "iconUrlLocked", "iconUrlUnlocked", "targetProgress")
    event = read(
        record_of(
            "product", achievements=[{"id": str(uuid4()), name: nothing} for name in names for nothing in ("", 0)]
        )
    )
    _, achievements = product_of(event)
    assert len(achievements) == 2 * len(names)
    assert not event.bad_elements
    assert {value for one in achievements for key, value in one if key != "id"} == {None}


def test_no_discount_and_false_are_said():
    assert data_of(read(record_of("price", discountPercent=0))).discount_percent == 0
    product, _ = product_of(read(record_of("product", isFreeToPlay=False)))
    assert product.is_free_to_play is False


@pytest.mark.parametrize(("rating", "said"), [(0, 0), (100, 100), (-1, None), (100.5, None), (None, None)])
def test_a_rating_outside_of_its_range_was_not_said(rating, said):
    assert data_of(read(record_of("review", rating=rating))).rating == said


def test_an_event_counts_from_its_time_else_from_its_record_s():
    said = "2026-03-01T12:00:00Z"
    assert read(record_of("key", timestamp=5, envelope={"time": said})).time == datetime(2026, 3, 1, 12, tzinfo=UTC)
    sent = int(datetime(2026, 4, 1, tzinfo=UTC).timestamp() * 1000)
    for nothing in ("", 0, None, "0001-01-01T00:00:00Z"):
        event = read(record_of("key", timestamp=sent, envelope={"time": nothing}))
        assert event.time == datetime(2026, 4, 1, tzinfo=UTC)
    assert read(record_of("key", timestamp=-1)).time is None


@pytest.mark.parametrize(
    "bad", [{"productId": "x"}, {}, None, 5, {"productId": ABOUT["productId"], "productType": "a\n"}], ids=repr
)
def test_what_is_wrong_with_one_element_keeps_back_that_element_alone(bad):
    good = [{"productId": str(uuid4())} for _ in range(2)]
    event = read(record_of("purchase", items=[good[0], bad, good[1]]))
    assert [str(item.product_id) for item in data_of(event).items] == [one["productId"] for one in good]
    [element] = event.bad_elements
    assert (element.field, element.index) == ("items", 1)
    assert element.detail.startswith("items.1")
    name, value = event_of(event, element)
    assert name == "#items[1]"
    alone, whole = json.loads(value), json.loads(event.record.value)
    assert alone == {**whole, "id": "e#items[1]", "data": {**whole["data"], "items": [bad]}}


def test_an_element_that_was_mended_is_an_event_like_any_other():
    event = read(record_of("product", achievements=[{"id": "x"}, {"id": str(uuid4())}]))
    _, value = event_of(event, event.bad_elements[0])
    mended = value.replace(b'"x"', json.dumps(str(uuid4())).encode())
    again = read(StoredRecord(event.record.topic, 0, 0, 0, None, mended))
    assert again.envelope.id == "e#achievements[0]"
    assert len(product_of(again)[1]) == 1


def test_the_id_of_an_element_fits_like_any_other():
    event = read(record_of("purchase", items=[{}, {"productId": str(uuid4())}], envelope={"id": "e" * 500}))
    _, value = event_of(event, event.bad_elements[0])
    assert json.loads(value)["id"] == "e" * 491 + "#items[0]"


def test_where_nothing_is_left_the_event_is_kept_back_as_a_whole():
    for items in ([{}], [{}, {}], [], [{}] * 500, [{"productId": str(uuid4())}] * 2001):
        with pytest.raises(Malformed):
            read(record_of("purchase", items=items))


def test_another_field_that_is_wrong_keeps_back_the_event_as_a_whole():
    with pytest.raises(Malformed):
        read(record_of("purchase", orderId="", items=[{}, {"productId": str(uuid4())}]))


def test_however_many_elements_are_wrong_the_good_ones_count():
    good = {"productId": str(uuid4())}
    event = read(record_of("purchase", items=[good, *[{"productId": "x", "quantity": 0}] * 999]))
    assert len(data_of(event).items) == 1
    parts = list(parts_of(event))
    assert [part.name for part in parts] == [f"#items[{index}]" for index in range(1, 1000)]
    assert {part.detail[: len("items.1")] for part in parts[:1]} == {"items.1"}
    achievements = [{"id": str(uuid4())}, *[{"id": "x", "targetProgress": -1, "isHidden": 5}] * 9_999]
    event = read(record_of("product", achievements=achievements))
    assert (len(product_of(event)[1]), len(event.bad_elements)) == (1, 9_999)


def test_what_an_event_says_beside_its_only_element_counts():
    event = read(record_of("product", newTitle="T", achievements=[{"id": "x"}]))
    product, achievements = product_of(event)
    assert (product.new_title.ru, achievements) == ("T", None)
    [part] = parts_of(event)
    assert part.name == "#achievements[0]"
    # The part alone is invalid as a whole: it is not split again.
    with pytest.raises(Malformed, match=r"achievements\.0\.id"):
        read(StoredRecord(event.record.topic, 0, 0, 0, None, part.value))


def test_a_policy_that_is_invalid_keeps_back_that_policy_alone():
    policy = {"roots": {"saves": {"include": ["../**"]}}}
    event = read(record_of("product", newTitle="T", savegamePolicy=policy))
    assert (product_of(event)[0].new_title.ru, policy_of(event)) == ("T", None)
    [part] = parts_of(event)
    assert (part.name, json.loads(part.value)["data"]["savegamePolicy"]) == ("#savegamePolicy", policy)
    assert part.detail.startswith("savegamePolicy.roots.saves.include.0: ")
    with pytest.raises(Malformed, match=r"savegamePolicy\.roots"):
        read(StoredRecord(event.record.topic, 0, 0, 0, None, part.value))
    mended = read(StoredRecord(event.record.topic, 0, 0, 0, None, part.value.replace(b"../", b"a/")))
    assert policy_of(mended).roots["saves"].include == ("a/**",)
    assert not mended.bad_elements


@pytest.mark.parametrize("bad", [5, "sync", [{}], {"mode": "x"}, {"revision": -1}, {"units": [{}]}], ids=repr)
def test_a_policy_of_any_wrong_form_is_kept_back(bad):
    event = read(record_of("product", savegamePolicy=bad))
    assert policy_of(event) is None
    assert [one.field for one in event.bad_elements] == ["savegamePolicy"]


def test_parts_of_one_event_do_not_repeat_what_is_wrong_elsewhere():
    event = read(record_of("product", savegamePolicy={"mode": "x"}, achievements=[{"id": "x"}, {"id": str(uuid4())}]))
    assert len(product_of(event)[1]) == 1
    parts = {part.name: json.loads(part.value)["data"] for part in parts_of(event)}
    assert parts == {
        "#achievements[0]": {**ABOUT, "achievements": [{"id": "x"}]},
        "#savegamePolicy": {**ABOUT, "savegamePolicy": {"mode": "x"}},
    }


def test_equal_products_of_an_order_stand_together_in_a_part():
    one, other = str(uuid4()), str(uuid4())
    items = [
        {"productId": one},
        {"productId": other, "quantity": -1},
        {"productId": one.upper(), "quantity": "x"},
        {"product_id": one, "quantity": 0.5},
        {"productId": "x"},
    ]
    event = read(record_of("purchase", items=items))
    parts = {part.name: json.loads(part.value) for part in parts_of(event)}
    assert {name: part["data"]["items"] for name, part in parts.items()} == {
        "#items[1]": [items[1]],
        "#items[2]": [items[0], items[2], items[3]],
        "#items[4]": [items[4]],
    }
    assert {name: part.get("partof") for name, part in parts.items()} == {
        "#items[1]": None,
        "#items[2]": "e",
        "#items[4]": None,
    }
    # A part that was corrected is read in the same way, and still belongs to the first event.
    again = read(StoredRecord(event.record.topic, 0, 0, 0, None, encoded(parts["#items[2]"], quantity=2)))
    assert [item.quantity for item in data_of(again).items] == [None, 2]
    [part] = parts_of(again)
    assert (part.name, json.loads(part.value)["partof"]) == ("#items[2]", "e")


def encoded(document, quantity):
    """The event with this quantity in the second of its items."""
    document["data"]["items"][1]["quantity"] = quantity
    return json.dumps(document).encode()


@pytest.mark.parametrize("partof", [5, "", "x" * 501, None, {}])
def test_another_s_attribute_of_this_name_keeps_nothing_back(partof):
    assert read(record_of("key", envelope={"partof": partof})).envelope.partof is None


def test_a_part_has_no_more_of_a_long_event_than_is_read():
    long = {"note": "x" * 20_000}
    event = read(record_of("purchase", items=[{}, {"productId": str(uuid4())}], envelope=long, **long))
    [part] = parts_of(event)
    document = json.loads(part.value)
    assert set(document) == {"specversion", "id", "source", "type", "data"}
    assert set(document["data"]) == {"userId", "orderId", "items"}


def test_a_game_may_have_thousands_of_achievements():
    definitions = [{"id": str(uuid4()), "name": "x" * (501 if number == 17 else 5)} for number in range(10_001)]
    event = read(record_of("product", achievements=definitions))
    assert len(product_of(event)[1]) == 10_000
    assert [(one.field, one.index) for one in event.bad_elements] == [("achievements", 17)]


def test_a_type_of_two_domains_is_refused_with_what_is_wrong_for_either():
    record = record_of("product", productId="x", newTitle={"ru": 5}, achievements={"a": 1})
    with pytest.raises(Malformed) as refusal:
        read(record)
    wrong = [detail.partition(":")[0] for detail in refusal.value.details]
    assert wrong == ["productId", "newTitle.ru", "achievements"]  # an error that both find is reported once
    record = record_of("product", isFreeToPlay=5, achievements=[{"id": "x"}, {"id": str(uuid4())}])
    with pytest.raises(Malformed, match=r"isFreeToPlay: .*; achievements\.0\.id"):
        read(record)


@pytest.mark.parametrize(
    ("wrong", "detail"),
    [
        ({"items": "one"}, "items: Input should be a valid list"),
        ({"items": {}}, "items: Input should be a valid list"),
        ({"items": []}, "items: List should have at least 1 item after validation, not 0"),
        ({"items": [{"productId": str(uuid4())}, 5], "userId": 5}, "items.1: Input should be a valid object"),
    ],
)
def test_what_is_wrong_is_described_in_the_words_of_json(wrong, detail):
    with pytest.raises(Malformed) as refusal:
        read(record_of("purchase", **wrong))
    assert detail in refusal.value.details


def test_a_malformed_record_is_not_kept_in_memory_by_its_refusal():
    class Watched(StoredRecord):
        """A record that a weak reference can be made to."""

    record = Watched(*(getattr(record_of("price", priceMinor="x"), field.name) for field in fields(StoredRecord)))
    kept = weakref.ref(record)
    gc.disable()
    try:
        with pytest.raises(Malformed):
            read(record)
        del record
        assert kept() is None
    finally:
        gc.enable()

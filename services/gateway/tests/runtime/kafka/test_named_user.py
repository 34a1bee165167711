"""Whom a record that can't be applied is about, however it says so: nothing of an erased account may stay with it."""

from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from gameshelf.gateway.runtime.kafka import named_user as module
from gameshelf.gateway.runtime.kafka.received import StoredRecord

USER = UUID("0f8fad5b-d9cb-469f-a165-b70867728950")
OTHER = uuid4()
PLAIN = str(USER).encode()
CATALOG = "com.platform.catalog.events.v1"
FORMS = {
    "plain": PLAIN,
    "upper case": PLAIN.upper(),
    "mixed case": PLAIN[:18].upper() + PLAIN[18:],
    "no hyphens": USER.hex.encode(),
    "braces": b"{" + PLAIN + b"}",
    "urn": USER.urn.encode(),
}


def named_user(record):
    return module.named_user(record, {CATALOG})


def record(key=None, value=None, topic="com.platform.payment.events.v1"):
    return StoredRecord(topic, 0, 0, 0, key, value)


@pytest.mark.parametrize("form", FORMS)
def test_an_id_is_found_in_every_form_it_is_written_in(form):
    written = FORMS[form]
    assert named_user(record(value=b'{"data": {"userId": "%s"}}' % written)) == USER
    assert named_user(record(value=b'{"data": {"user_id": "%s", broken' % written)) == USER
    assert named_user(record(key=written, value=b"{")) == USER


@pytest.mark.parametrize(
    "key",
    [
        b'"' + PLAIN + b'"',
        b" " + PLAIN + b"\n",
        b"user:" + PLAIN,
        USER.bytes,
        str(USER).encode("utf-16-le"),
        quote(f'"{USER}"').encode(),
        PLAIN.replace(b"-", b"%2D"),
    ],
)
def test_a_key_may_be_serialised_in_many_ways(key):
    assert named_user(record(key, b"{")) == USER


@pytest.mark.parametrize(
    "value",
    [
        b"userId=" + PLAIN + b"&x=1",
        b'"{\\"userId\\": \\"' + PLAIN + b'\\"}"',
        quote(f'{{"userId": "{USER}"').encode(),
        f'{{"userId": "{USER}"'.encode("utf-16-be"),
        b"{'USER_ID': '" + PLAIN + b"'",
        b'{"data": {"toUserId": "' + PLAIN + b'"}}',
    ],
)
def test_a_value_that_is_no_json_still_says_it(value):
    assert named_user(record(value=value)) == USER


def test_data_outweighs_the_key_and_both_outweigh_a_guess():
    other = str(OTHER).encode()
    assert named_user(record(other, b'{"data": {"userId": "%s"}}' % PLAIN)) == USER
    assert named_user(record(other, b'{"userId": "%s", broken' % PLAIN)) == USER
    assert named_user(record(PLAIN, b'{"fromUserId": "%s", broken' % other)) == USER


@pytest.mark.parametrize(
    ("key", "value"),
    [(None, None), (b"", b""), (b"k", b"{}"), (b"0123456789abcdef", b""), (b"f" * 33, b'"userId": "%s"' % (b"f" * 40))],
)
def test_what_names_nobody_is_about_nobody(key, value):
    assert named_user(record(key, value)) is None


def test_the_key_of_the_catalog_is_a_product():
    assert named_user(record(PLAIN, b"{", CATALOG)) is None


def test_a_long_record_is_looked_through_in_no_time():
    long = (b'"userId": "' + b"0f8fad5b-" * 4) * 20_000 + b"%" + b"\0"
    assert named_user(record(long, long)) is None

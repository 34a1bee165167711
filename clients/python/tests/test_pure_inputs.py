"""What can never be sent is named at once, and is no network that has failed."""

import pytest
from gameshelf.client import LibraryClient

URL = "http://127.0.0.1:9/api/v1/library"


@pytest.mark.parametrize(
    "url", ["", "library.example/api", "localhost:8084/api", "ftp://library.example", "http://[::"]
)
def test_an_address_of_something_else(url):
    with pytest.raises(ValueError, match="no address"):
        LibraryClient(url, "token")


@pytest.mark.parametrize("token", ["", "token\n", "to ken", "ключ"])
def test_a_token_that_cannot_be_sent(token):
    with pytest.raises(ValueError, match="token") as found:
        LibraryClient(URL, token)
    assert not token or token not in str(found.value), "messages are logged"


@pytest.mark.parametrize("option", ["client_id", "client_version", "language"])
@pytest.mark.parametrize("value", ["Дом", "a\nb"])
def test_a_header_that_cannot_be_sent(option, value):
    with pytest.raises(ValueError, match="printable"):
        LibraryClient(URL, "token", **{option: value})


async def test_a_key_and_a_request_id_that_cannot_be_sent():
    async with LibraryClient(URL, "token") as client:
        with pytest.raises(ValueError, match="Idempotency-Key"):
            await client.library.create_category({"name": "RPG"}, key="ключ")
        with pytest.raises(ValueError, match="X-Request-ID"):
            client.library.with_options(request_id="a\r\nb")

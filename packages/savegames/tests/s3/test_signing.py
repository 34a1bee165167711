"""Signed URLs and headers, without anything that a client would not know to send."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from gameshelf.savegames import StoreUnavailable
from gameshelf.savegames.s3 import S3Config, SignedHash

AMAZON = S3Config(bucket="saves", region="eu-central-1", access_key_id="library", secret_access_key="hunter2hunter2")

HELLO = sha256(b"hello").digest()


@pytest.fixture
def signed(opened):
    """Signs an upload and a download, without any network."""

    async def sign(**changed):
        async with opened(replace(AMAZON, **changed)) as objects:
            return await objects.sign_upload("staging/1", 5, 60), await objects.sign_download("a/b", 60, "save.sav")

    return sign


def test_the_secret_key_is_not_in_the_text_of_a_config():
    assert "hunter2" not in repr(AMAZON)


async def test_the_bucket_is_in_the_host_name_of_amazon_and_else_in_the_path(signed):
    for request in await signed():
        assert request.url.startswith("https://saves.s3.eu-central-1.amazonaws.com/")
    upload, _ = await signed(endpoint="https://s3.example:9000")
    assert upload.url.startswith("https://s3.example:9000/saves/staging/1?")
    upload, download = await signed(endpoint="http://10.0.0.1:9000", public_endpoint="http://saves.example")
    assert upload.url.startswith("http://saves.example/saves/staging/1?")
    assert download.url.startswith("http://saves.example/saves/a/b?")


@pytest.mark.parametrize(
    ("encryption", "headers"),
    [(None, {}), *((way, {"x-amz-server-side-encryption": way}) for way in ("AES256", "aws:kms"))],
)
async def test_exactly_the_returned_headers_are_signed(signed, encryption, headers, monkeypatch):
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://elsewhere.example")
    upload, download = await signed(server_side_encryption=encryption)
    assert upload.headers == {"Content-Length": "5", **headers}
    assert download.headers == {}
    query = parse_qs(urlsplit(upload.url).query)
    assert query["X-Amz-SignedHeaders"] == [";".join(["content-length", "host", *headers])]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["60"]
    assert "checksum" not in upload.url.lower()
    assert "elsewhere" not in upload.url
    assert "hunter2" not in upload.url


async def test_an_upload_without_a_hash_is_signed_as_botocore_does(signed, monkeypatch):
    now = datetime(2026, 11, 27, 2, 30, tzinfo=UTC)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: now)
    upload, _ = await signed()
    request = AWSRequest("PUT", upload.url.partition("?")[0], headers=dict(upload.headers))
    keys = ReadOnlyCredentials(AMAZON.access_key_id, AMAZON.secret_access_key, None)
    auth.S3SigV4QueryAuth(keys, "s3", AMAZON.region, expires=60).add_auth(request)
    assert upload.url == request.url


HASH_HEADERS = {
    SignedHash.CHECKSUM: {"x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="},
    SignedHash.PAYLOAD: {"x-amz-content-sha256": HELLO.hex()},
    SignedHash.NONE: {},
}


@pytest.mark.parametrize("signed_hash", HASH_HEADERS)
async def test_a_signed_hash_is_in_the_header_that_the_store_verifies(opened, signed_hash):
    headers = {"Content-Length": "5", **HASH_HEADERS[signed_hash]}
    async with opened(replace(AMAZON, signed_hash=signed_hash)) as objects:
        upload = await objects.sign_upload("incoming/1/2", 5, 60, HELLO)
        part = await objects.sign_part("incoming/1/2", "an id+/=", 7, 5, 60, HELLO)
    for request in (upload, part):
        assert (request.method, request.headers) == ("PUT", headers)
        signed = parse_qs(urlsplit(request.url).query)["X-Amz-SignedHeaders"]
        assert signed == [";".join(sorted(["host", *(name.lower() for name in headers)]))]
    query = parse_qs(urlsplit(part.url).query)
    assert (query["partNumber"], query["uploadId"]) == (["7"], ["an id+/="])


@pytest.mark.parametrize("signed_hash", [SignedHash.CHECKSUM, SignedHash.PAYLOAD])
async def test_a_url_with_another_hash_has_another_signature(opened, signed_hash):
    async with opened(replace(AMAZON, signed_hash=signed_hash)) as objects:
        urls = {
            parse_qs(urlsplit((await objects.sign_upload("a", 5, 60, given)).url).query)["X-Amz-Signature"][0]
            for given in (None, HELLO, bytes(32))
        }
    assert len(urls) == 3


async def test_signed_urls_begin_with_the_public_endpoint(new_bucket, s3):
    bucket = await new_bucket(s3, public_endpoint=f"http://localhost:{s3.port}")
    request = await bucket.objects.sign_upload("staging/1", 5, 60)
    assert request.url.startswith("http://localhost:")
    assert (await bucket.send(request, b"bytes")).status == 200
    inside = replace(request, url=request.url.replace("localhost", "127.0.0.1"))
    assert (await bucket.send(inside, b"bytes")).status == 403


async def test_an_upload_without_a_length_is_refused(new_bucket, s3):
    bucket = await new_bucket(s3)
    request = await bucket.objects.sign_upload("staging/1", 5, 60)

    async def pieces():
        yield b"bytes"

    answer = await bucket.http.put(request.url, content=pieces())
    assert 400 <= answer.status_code < 500
    assert await bucket.read("staging/1") is None


async def test_every_object_is_encrypted_or_refused_by_the_store(new_bucket, moto, s3):
    bucket = await new_bucket(moto, server_side_encryption="AES256")
    request = await bucket.objects.sign_upload("staging/1", 5, 60)
    assert (await bucket.send(request, b"bytes")).status == 200
    assert await bucket.objects.copy("staging/1", "final", {})
    for key in ("staging/1", "final"):
        found = await bucket.client.head_object(Bucket=bucket.name, Key=key)
        assert found["ServerSideEncryption"] == "AES256"

    bucket = await new_bucket(s3, server_side_encryption="AES256")
    await bucket.put("staging/1", b"bytes")
    with pytest.raises(StoreUnavailable):
        await bucket.objects.copy("staging/1", "final", {})


async def test_a_copy_has_no_content_type_of_the_client(new_bucket, s3, moto):
    for server in (s3, moto):
        bucket = await new_bucket(server)
        await bucket.client.put_object(Bucket=bucket.name, Key="staging/1", Body=b"<html>", ContentType="text/html")
        assert await bucket.objects.copy("staging/1", "final", {})
        found = await bucket.client.head_object(Bucket=bucket.name, Key="final")
        assert found["ContentType"] == "application/octet-stream"

"""What is signed: addresses, headers, and nothing that a client would not know to send."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from gameshelf.gateway.domains.savegames.s3.store import connect
from gameshelf.gateway.runtime.settings import load_settings
from gameshelf.savegames import StoreUnavailable

AMAZON = {
    "POSTGRES_DSN": "postgresql://library@127.0.0.1/library",
    "ERASURE_HASH_KEY": "0" * 32,
    "LIBRARY_SERVICE_ROLES": "jobs",
    "S3_ACCESS_KEY_ID": "library",
    "S3_SECRET_ACCESS_KEY": "hunter2hunter2",
    "S3_BUCKET_SAVEGAMES": "saves",
    "S3_REGION": "eu-central-1",
}


async def signed(**changed):
    """A signed upload and download of settings, without any network."""
    objects = connect(load_settings({**AMAZON, **changed}))
    await objects.open()
    try:
        return await objects.sign_upload("staging/1", 5, 60), await objects.sign_download("a/b", 60, "save.sav")
    finally:
        await objects.close()


def test_without_a_bucket_there_is_no_store():
    none = {name: "" for name in AMAZON if name.startswith("S3_")}
    assert connect(load_settings({**AMAZON, **none})) is None


async def test_amazon_has_the_bucket_in_its_name_and_other_stores_in_the_path():
    for request in await signed():
        assert request.url.startswith("https://saves.s3.eu-central-1.amazonaws.com/")
    upload, _ = await signed(S3_ENDPOINT="s3.example:9000")
    assert upload.url.startswith("https://s3.example:9000/saves/staging/1?")
    upload, download = await signed(S3_ENDPOINT="10.0.0.1:9000", S3_PUBLIC_ENDPOINT="http://saves.example")
    assert upload.url.startswith("http://saves.example/saves/staging/1?")
    assert download.url.startswith("http://saves.example/saves/a/b?")


@pytest.mark.parametrize(
    ("encryption", "told"),
    [("none", {}), *((way, {"x-amz-server-side-encryption": way}) for way in ("AES256", "aws:kms"))],
)
async def test_what_is_signed_is_what_the_client_is_told_and_no_more(encryption, told, monkeypatch):
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://elsewhere.example")
    upload, download = await signed(S3_SERVER_SIDE_ENCRYPTION=encryption)
    assert upload.headers == {"Content-Length": "5", **told}
    assert download.headers == {}
    query = parse_qs(urlsplit(upload.url).query)
    assert query["X-Amz-SignedHeaders"] == [";".join(["content-length", "host", *told])]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["60"]
    assert "checksum" not in upload.url.lower()
    assert "elsewhere" not in upload.url
    assert "hunter2" not in upload.url


async def test_clients_reach_the_store_by_its_public_address(new_bucket, s3):
    bucket = await new_bucket(s3, S3_PUBLIC_ENDPOINT=f"http://localhost:{s3.port}")
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


async def test_encryption_is_asked_for_with_every_object_and_a_store_without_it_refuses(new_bucket, moto, s3):
    bucket = await new_bucket(moto, S3_SERVER_SIDE_ENCRYPTION="AES256")
    request = await bucket.objects.sign_upload("staging/1", 5, 60)
    assert (await bucket.send(request, b"bytes")).status == 200
    assert await bucket.objects.copy("staging/1", "final", {})
    for key in ("staging/1", "final"):
        found = await bucket.client.head_object(Bucket=bucket.name, Key=key)
        assert found["ServerSideEncryption"] == "AES256"

    bucket = await new_bucket(s3, S3_SERVER_SIDE_ENCRYPTION="AES256")
    await bucket.put("staging/1", b"bytes")
    with pytest.raises(StoreUnavailable):
        await bucket.objects.copy("staging/1", "final", {})


async def test_a_copy_is_no_page_whatever_the_client_called_it(new_bucket, s3, moto):
    for server in (s3, moto):
        bucket = await new_bucket(server)
        await bucket.client.put_object(Bucket=bucket.name, Key="staging/1", Body=b"<html>", ContentType="text/html")
        assert await bucket.objects.copy("staging/1", "final", {})
        found = await bucket.client.head_object(Bucket=bucket.name, Key="final")
        assert found["ContentType"] == "application/octet-stream"

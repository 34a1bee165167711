"""Keys of the instance's role: they come from a local endpoint, change, and may be unavailable."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from gameshelf.devstack.ports import HOST
from gameshelf.savegames import StoreUnavailable
from gameshelf.savegames.s3 import _client as s3_client

NO_KEYS = {"access_key_id": None, "secret_access_key": None}
CONTENT = b"saved"


@pytest.fixture(autouse=True)
def no_other_keys(monkeypatch, tmp_path):
    """No keys of this machine or of another test are found."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3_client._session.cache_clear()
    yield
    s3_client._session.cache_clear()


@asynccontextmanager
async def role(monkeypatch, *answers):
    """Serves the keys of a container's role, as Amazon's agent does: each answer once, and the last one again."""
    requested = []

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        key_id, secret, token, lives = answers[min(len(requested), len(answers) - 1)]
        requested.append(key_id)
        ends = (datetime.now(UTC) + lives).strftime("%Y-%m-%dT%H:%M:%SZ")
        keys = {"AccessKeyId": key_id, "SecretAccessKey": secret, "Token": token, "Expiration": ends}
        body = json.dumps(keys).encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{HOST}:{port}/keys")
        yield requested


async def test_the_keys_of_a_role_are_renewed(monkeypatch, config_of, opened, s3, new_bucket):
    bucket = await new_bucket(s3)
    old = ("old", "old", None, timedelta(minutes=1))
    new = (s3.access_key, s3.secret_key, None, timedelta(hours=1))
    config = config_of(s3, bucket=bucket.name, **NO_KEYS)
    async with role(monkeypatch, old, new) as requested, opened(config) as objects:
        upload = await objects.sign_upload("a", len(CONTENT), 60)
        async with httpx.AsyncClient() as client:
            put = await client.put(upload.url, content=CONTENT, headers=dict(upload.headers))
            assert put.status_code == 200, put.text
            download = await objects.sign_download("a", 60, "a.sav")
            assert (await client.get(download.url)).content == CONTENT
        assert (await objects.digest("a", len(CONTENT))).size == len(CONTENT)
        assert requested == ["old", s3.access_key]


async def test_the_token_of_a_role_is_signed(monkeypatch, config_of, opened, s3):
    keys = ("id", "secret", "a token", timedelta(hours=1))
    async with role(monkeypatch, keys), opened(config_of(s3, **NO_KEYS)) as objects:
        for signed in (await objects.sign_upload("a", 1, 60), await objects.sign_download("a", 60, "a.sav")):
            assert parse_qs(urlsplit(signed.url).query)["X-Amz-Security-Token"] == ["a token"]


async def test_a_line_is_logged_where_there_are_no_keys(monkeypatch, config_of, opened, s3, caplog):
    async with opened(config_of(s3, **NO_KEYS)) as objects:
        assert [one.message for one in caplog.records if "no access key is configured" in one.message]
        with pytest.raises(StoreUnavailable):
            await objects.sign_upload("a", 1, 60)
        with pytest.raises(StoreUnavailable):
            await objects.digest("a", 1)
        async with role(monkeypatch, ("id", "secret", None, timedelta(hours=1))):
            assert (await objects.sign_upload("a", 1, 60)).url  # without a restart

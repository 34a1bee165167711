"""Finds out whether a store verifies the hash that a signed upload has, by two uploads of a few bytes."""

import asyncio
import os
import re
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from ssl import create_default_context
from typing import Any
from uuid import uuid4

import aiohttp
from botocore.httpsession import get_cert_path
from gameshelf.savegames._ports import SignedRequest, StoreUnavailable
from gameshelf.savegames.s3._client import CALL_SECONDS
from gameshelf.savegames.s3._config import S3Config
from gameshelf.savegames.s3._store import S3ObjectStore

_RIGHT, _WRONG = b"right", b"wrong"


class SignedHashRefused(Exception):
    """The store refuses uploads that have their hash in the configured header. The message is the store's code."""


async def verifies_signed_hash(config: S3Config) -> bool | None:
    """Returns whether the store refuses other bytes than those that were signed; None if these keys may not write.

    Raises SignedHashRefused where it refuses the right bytes too, and StoreUnavailable.
    """
    # From here the store may be reached by this address only.
    objects = S3ObjectStore(replace(config, public_endpoint=None))
    await objects.open()
    key = f"staging/{uuid4()}"  # as of an upload that was given up: it is swept even if the deletion fails
    try:
        signed = await objects.sign_upload(key, len(_RIGHT), 60, sha256(_RIGHT).digest())
        status, code = await _send(signed, _RIGHT)
        if code == "AccessDenied":
            return None
        if status >= 400:
            raise SignedHashRefused(code or str(status))
        status, _ = await _send(signed, _WRONG)
        with suppress(StoreUnavailable):
            await objects.delete([key])
    finally:
        await objects.close()
    return 400 <= status < 500


async def _send(request: SignedRequest, body: bytes) -> tuple[int, str]:
    """Returns the status of the response, and the store's code for an error. Raises StoreUnavailable."""
    authorities = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True)  # those that the clients of S3 trust
    options: dict[str, Any] = {"headers": request.headers, "skip_auto_headers": ["Content-Type"]}
    try:
        async with (
            asyncio.timeout(CALL_SECONDS),
            aiohttp.ClientSession(trust_env=True) as session,
            session.put(request.url, data=body, ssl=create_default_context(cafile=authorities), **options) as response,
        ):
            found = re.search(r"<Code>(\w+)</Code>", await response.text(errors="replace"))
            code = found[1] if found else ""
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise StoreUnavailable(f"PutObject: {type(error).__name__}") from error
    if response.status >= 500 and response.status != HTTPStatus.NOT_IMPLEMENTED:
        raise StoreUnavailable(f"PutObject: {code or response.status}")
    return response.status, code

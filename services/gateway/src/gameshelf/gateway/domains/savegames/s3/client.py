"""Clients of an S3 object store: how they are set up, and what their failures mean.

Importing this takes half a second and 45 MB, so a process without an object store doesn't.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any

import aioboto3
import aiohttp
from aiobotocore.config import AioConfig
from botocore import UNSIGNED
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.savegames import StoreUnavailable

CONNECTIONS = 32
CALL_SECONDS = 6.0
"""How long one request may take with everything: the wait for a free connection, and a second attempt."""

_CONNECT_SECONDS = 1.0
_READ_SECONDS = 5.0
_FAILURES = (ClientError, BotoCoreError, ResponseParserError, aiohttp.ClientError, TimeoutError, OSError)


def new_client(
    settings: Settings, url: str | None, *, signs: bool = True, read_seconds: float = _READ_SECONDS
) -> AbstractAsyncContextManager[Any]:
    """A client of the store at ``url``, or of Amazon's own; the network is not touched before its first call.

    One that doesn't sign needs no keys, and can do nothing but make addresses. ``read_seconds`` is how long the store
    may be silent within a call.
    """
    config = AioConfig(
        signature_version="s3v4" if signs else UNSIGNED,
        # Only Amazon's own names are sure to resolve with the bucket in front of them.
        s3={"addressing_style": "path" if url else "virtual"},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=CONNECTIONS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        # Checksum headers are newer than many stores, and in a signed URL they would bind what a client sends.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        ignore_configured_endpoint_urls=True,
    )
    keys = _own_keys(settings)  # without any the client asks for those of the instance's role, and renews them
    made: AbstractAsyncContextManager[Any] = _session().client(
        "s3",
        region_name=settings.s3_region,
        endpoint_url=url,
        aws_access_key_id=keys and keys.access_key,
        aws_secret_access_key=keys and keys.secret_key,
        config=config,
    )
    return made


async def keys_of(settings: Settings) -> ReadOnlyCredentials:
    """The keys to sign with just now: those of the settings, else of the instance's role. Raises StoreUnavailable.

    A role (of a container, a pod or a machine) is found as Amazon's own tools find it; its keys are good for ten
    minutes more at least.
    """
    if own := _own_keys(settings):
        return own
    async with answered("keys of the role", CALL_SECONDS):
        found = await _session().get_credentials()
        if found is None:
            raise StoreUnavailable("keys of the role: there is none")
        current: ReadOnlyCredentials = await found.get_frozen_credentials()
    return current


def _own_keys(settings: Settings) -> ReadOnlyCredentials | None:
    key_id, secret = settings.s3_access_key_id, settings.s3_secret_access_key
    return ReadOnlyCredentials(key_id, secret.get_secret_value(), None) if key_id and secret else None


@cache
def _session() -> aioboto3.Session:
    return aioboto3.Session()  # reads what S3 is from a megabyte of JSON, once


@asynccontextmanager
async def answered(operation: str, seconds: float) -> AsyncIterator[None]:
    """Whatever fails inside, or takes longer than ``seconds``, becomes StoreUnavailable; a mistake of ours does not."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except ParamValidationError:
        raise
    except _FAILURES as error:
        # Only the kind: a message may hold the address with the key, which names a user.
        raise StoreUnavailable(f"{operation}: {error_code(error) or type(error).__name__}") from error


def error_code(error: BaseException) -> str:
    """The store's own word for what is wrong, such as NoSuchKey; empty when it said nothing."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def lacks(error: ClientError) -> bool:
    """Whether the store doesn't have what it was asked for at all."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (405, 501)

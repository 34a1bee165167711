"""Clients of an S3 object store: their configuration, and the meaning of their failures."""

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
from gameshelf.savegames._ports import StoreUnavailable
from gameshelf.savegames.s3._config import S3Config

CONNECTIONS = 32
CALL_SECONDS = 6.0
"""Time limit of one request, with the wait for a free connection and a second attempt."""

_CONNECT_SECONDS = 1.0
_READ_SECONDS = 5.0
FAILURES = (ClientError, BotoCoreError, ResponseParserError, aiohttp.ClientError, TimeoutError, OSError)
"""What a client raises when the store fails or refuses."""


def new_client(config: S3Config, *, read_seconds: float = _READ_SECONDS) -> AbstractAsyncContextManager[Any]:
    """A client of the store; the network is not used before its first call.

    ``read_seconds`` is how long the store may send nothing within a call.
    """
    return _client(config, config.endpoint, "s3v4", read_seconds)


def new_public_client(config: S3Config) -> AbstractAsyncContextManager[Any]:
    """A client that needs no keys and can only make unsigned URLs, with the public endpoint."""
    return _client(config, config.public_endpoint or config.endpoint, UNSIGNED, _READ_SECONDS)


def _client(config: S3Config, url: str | None, signature: Any, read_seconds: float) -> AbstractAsyncContextManager[Any]:
    options = AioConfig(
        signature_version=signature,
        # Only Amazon's own host names are sure to resolve with the bucket in front of them.
        s3={"addressing_style": "path" if url else "virtual"},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=CONNECTIONS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        # Many stores are older than checksum headers, and in a signed URL these would restrict what a client sends.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        ignore_configured_endpoint_urls=True,
    )
    keys = _configured_keys(config)  # without any, the client fetches those of the instance's role, and renews them
    made: AbstractAsyncContextManager[Any] = _session().client(
        "s3",
        region_name=config.region,
        endpoint_url=url,
        aws_access_key_id=keys and keys.access_key,
        aws_secret_access_key=keys and keys.secret_key,
        config=options,
    )
    return made


async def current_keys(config: S3Config) -> ReadOnlyCredentials:
    """The keys to sign with now: those of the config, else of the instance's role. Raises StoreUnavailable.

    A role (of a container, a pod or a machine) is found as Amazon's own tools find it; its keys stay valid for ten more
    minutes at least.
    """
    if keys := _configured_keys(config):
        return keys
    async with failures_as_unavailable("keys of the role", CALL_SECONDS):
        found = await _session().get_credentials()
        if found is None:
            raise StoreUnavailable("keys of the role: there is none")
        current: ReadOnlyCredentials = await found.get_frozen_credentials()
    return current


def _configured_keys(config: S3Config) -> ReadOnlyCredentials | None:
    key_id, secret = config.access_key_id, config.secret_access_key
    return ReadOnlyCredentials(key_id, secret, None) if key_id and secret else None


@cache
def _session() -> aioboto3.Session:
    return aioboto3.Session()  # parses the description of S3's API, a megabyte of JSON, once


@asynccontextmanager
async def failures_as_unavailable(operation: str, seconds: float) -> AsyncIterator[None]:
    """Raises StoreUnavailable for each failure within, or after ``seconds``. An invalid call raises its own error."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except ParamValidationError:
        raise
    except FAILURES as error:
        # Only the kind of error: its message may contain the URL with the key, which names a user.
        raise StoreUnavailable(f"{operation}: {error_code(error) or type(error).__name__}") from error


def error_code(error: BaseException) -> str:
    """The store's own code for the error, such as NoSuchKey; empty when the store gave none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_unsupported(error: ClientError) -> bool:
    """Whether the store does not have the requested feature at all."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (405, 501)

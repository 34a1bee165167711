"""Health and reflection: calls that need no token. They are limited by address, message size and open streams."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import grpc
from gameshelf.gateway.runtime.grpc.identify import Callers
from gameshelf.gateway.runtime.grpc.open_streams import OpenStreams
from gameshelf.gateway.runtime.grpc.refusals import abort
from gameshelf.gateway.runtime.grpc.requests import decoding, each_decoded
from gameshelf.kernel.errors import DomainError

_MAX_BYTES = 4096
"""Size limit of their messages, which hold only a name."""
_CHECK = "/grpc.health.v1.Health/Check"
_WATCH = "/grpc.health.v1.Health/Watch"


REFLECTION_SECONDS = 60.0
"""How long a reflection stream may stay open."""


def open_handler(method: str, handler: Any, callers: Callers, streams: OpenStreams) -> Any:
    """Wraps a handler with its limits; returns None for an unknown method, which gRPC answers with UNIMPLEMENTED."""
    decode = decoding(handler.request_deserializer, _MAX_BYTES)
    serializer = handler.response_serializer

    async def check(request: bytes, context: Any) -> Any:
        # Health checks are never rate limited (contract, section 3).
        try:
            decoded = decode(request)
        except DomainError as refusal:
            return await abort(context, refusal)
        return await handler.unary_unary(decoded, context)

    async def watch(request: bytes, context: Any) -> None:
        try:
            await callers.limit_address(context)
            decoded = decode(request)
            with streams.held(callers.client_of(context)):
                await handler.unary_stream(decoded, context)
        except DomainError as refusal:
            await abort(context, refusal)

    async def reflect(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
        try:
            limited = partial(callers.limit_address, context)
            with streams.held(callers.client_of(context)):
                async with asyncio.timeout(REFLECTION_SECONDS):
                    async for answer in handler.stream_stream(each_decoded(requests, decode, limited), context):
                        yield answer
        except DomainError as refusal:
            await abort(context, refusal)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "a reflection stream ends after a minute")

    if method == _CHECK:
        return grpc.unary_unary_rpc_method_handler(check, None, serializer)
    if method == _WATCH:
        return grpc.unary_stream_rpc_method_handler(watch, None, serializer)
    if handler.stream_stream is not None:
        return grpc.stream_stream_rpc_method_handler(reflect, None, serializer)
    return None

"""Refusals in gRPC's form: a status, and ``google.rpc.ErrorInfo`` (contract, section 4)."""

from datetime import datetime
from typing import Any

import grpc
from gameshelf.gateway.runtime.encoding import timestamp
from gameshelf.gateway.runtime.errors import OWN_ERRORS, Code, ErrorTable, RateLimitExceeded
from gameshelf.gateway.runtime.problems import WHOLE_BODY
from gameshelf.kernel.errors import DomainError, InvalidInput, Problem
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

DOMAIN = "library.platform"
NOT_SERVED = rpc_status.to_status(Status(code=grpc.StatusCode.UNIMPLEMENTED.value[0], message="not served"))
"""The answer to a method that a service declares and does not serve."""
_MAX_PROBLEMS = 20
"""How many problems an error lists: gRPC clients refuse metadata above a small size."""


async def abort(context: Any, refusal: DomainError) -> Any:
    """Ends a call with a refusal of the runtime. Always raises."""
    return await context.abort_with_status(answer_of(refusal, OWN_ERRORS)[1])


def answer_of(refusal: DomainError, errors: ErrorTable) -> tuple[str, grpc.Status]:
    """Returns the name of a refusal's status, and the status with its details as gRPC sends it."""
    code = errors.code(refusal)
    return code.grpc, rpc_status.to_status(_status(refusal, code))


def _status(refusal: DomainError, code: Code) -> Status:
    info = ErrorInfo(reason=refusal.code, domain=DOMAIN)
    for name, value in refusal.meta.items():
        if isinstance(value, list | tuple | dict):
            continue  # clients refuse metadata above a small size; the number of the elements stands beside a list
        info.metadata[name] = timestamp(value) if isinstance(value, datetime) else str(value)
    if isinstance(refusal, RateLimitExceeded):
        info.metadata["retry_after"] = str(refusal.retry_after)
    detail = code.detailed("en")
    if isinstance(refusal, InvalidInput):
        detail = "; ".join(map(_described, refusal.problems[:_MAX_PROBLEMS]))
    packed = AnyMessage()
    packed.Pack(info)
    return Status(code=getattr(grpc.StatusCode, code.grpc).value[0], message=detail, details=[packed])


def _described(problem: Problem) -> str:
    """Describes a problem by the field of the message and the rule that it breaks."""
    field = _in_message(problem.pointer) if problem.pointer else problem.parameter
    return f"{field}: {problem.rule}" if field else problem.rule


def _in_message(path: str) -> str:
    """Returns the place of a field in a message: ``files.3.path`` for the path ``files/3/path`` of a problem.

    The key of a map is as the client wrote it.
    """
    if path == WHOLE_BODY:
        return ""
    return ".".join(step.replace("~1", "/").replace("~0", "~") for step in path.removeprefix("/").split("/"))

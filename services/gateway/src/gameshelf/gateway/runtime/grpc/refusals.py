"""Refusals in gRPC's form: a status with ``google.rpc.ErrorInfo`` (contract, section 4).

Invalid input has ``google.rpc.BadRequest`` beside it: a sentence for each field.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any
from urllib.parse import quote

import grpc
from gameshelf.gateway.runtime.encoding import timestamp
from gameshelf.gateway.runtime.errors import OWN_ERRORS, Code, ErrorTable, RateLimitExceeded
from gameshelf.gateway.runtime.problems import WHOLE_BODY
from gameshelf.kernel.errors import DomainError, InvalidInput, Problem
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

DOMAIN = "library.platform"
NOT_SERVED = rpc_status.to_status(Status(code=grpc.StatusCode.UNIMPLEMENTED.value[0], message="not served"))
"""The answer to a method that a service declares and does not serve."""
_MAX_PROBLEMS = 20
"""How many problems an error lists: gRPC clients refuse metadata above a small size."""
_MAX_MESSAGE_BYTES = 2_500
_MAX_DESCRIBED_BYTES = 2_000
"""The sizes of the message in a header, and of all descriptions: together they fit into the 8 KiB that clients accept.

The message is sent twice, and what is not ASCII in it becomes three times as long.
"""


async def abort(context: Any, refusal: DomainError) -> Any:
    """Ends a call with a refusal of the runtime. Always raises."""
    return await context.abort_with_status(answer_of(refusal, OWN_ERRORS)[1])


def answer_of(refusal: DomainError, errors: ErrorTable) -> tuple[str, grpc.Status]:
    """Returns the name of a refusal's status, and the status with its details as gRPC sends it."""
    code = errors.code(refusal)
    return code.grpc, rpc_status.to_status(_status(refusal, code, errors))


def _status(refusal: DomainError, code: Code, errors: ErrorTable) -> Status:
    info = ErrorInfo(reason=refusal.code, domain=DOMAIN)
    for name, value in refusal.meta.items():
        if isinstance(value, list | tuple | dict):
            continue  # clients refuse metadata above a small size; the number of the elements stands beside a list
        info.metadata[name] = timestamp(value) if isinstance(value, datetime) else str(value)
    if isinstance(refusal, RateLimitExceeded):
        info.metadata["retry_after"] = str(refusal.retry_after)
    message, details = code.detailed("en"), [_packed(info)]
    if isinstance(refusal, InvalidInput):
        problems = refusal.problems[:_MAX_PROBLEMS]
        message = _summary(problems)
        details.append(_packed(_described(problems, errors)))
    return Status(code=getattr(grpc.StatusCode, code.grpc).value[0], message=message, details=details)


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed


def _summary(problems: Sequence[Problem]) -> str:
    """Names as many problems as there is room for."""
    sizes = accumulate(len(quote(f"; {_named(problem)}")) for problem in problems)
    count = sum(size <= _MAX_MESSAGE_BYTES for size in sizes)
    return "; ".join(map(_named, problems[: max(count, 1)]))


def _named(problem: Problem) -> str:
    """Names a problem by the field of the message and the rule that it breaks."""
    field = _field(problem)
    return f"{field}: {problem.rule}" if field else problem.rule


def _described(problems: Sequence[Problem], errors: ErrorTable) -> BadRequest:
    """Returns as many problems as there is room for, each with its rule and what is wrong in English."""
    found = BadRequest()
    for problem in problems:
        text = errors.text(problem.rule, problem.params, "en")
        found.field_violations.add(field=_field(problem), description=text, reason=problem.rule)
        if found.ByteSize() > _MAX_DESCRIBED_BYTES:
            del found.field_violations[-1]
            break
    return found


def _field(problem: Problem) -> str:
    return _in_message(problem.pointer) if problem.pointer else problem.parameter or ""


def _in_message(path: str) -> str:
    """Returns the place of a field in a message: ``files.3.path`` for the path ``files/3/path`` of a problem.

    The key of a map is as the client wrote it.
    """
    if path == WHOLE_BODY:
        return ""
    return ".".join(step.replace("~1", "/").replace("~0", "~") for step in path.removeprefix("/").split("/"))

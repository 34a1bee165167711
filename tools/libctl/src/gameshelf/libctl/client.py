"""Calls of ``LibraryAdminService``. What the service refuses becomes a ``Refused`` that says what to try next."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import grpc
from gameshelf.libctl import diagnosis, tokens
from gameshelf.libctl.errors import NothingFound, Precondition, Refused, Unavailable, Usage
from gameshelf.libctl.languages import of_locale
from gameshelf.libctl.profiles import Profile, load
from gameshelf.libctl.wording import misused, worded
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import LibraryAdminServiceStub
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

SECONDS = 60.0
"""For how long a call is waited for; the service bounds each one."""
_PATIENCE = 20
"""The number of attempts for a call that the rate limit refuses: long work may need more than a minute's calls."""
_DOMAIN = "library.platform"
RATE_LIMITED = "RATE_LIMIT_EXCEEDED"
PERMISSION_DENIED, UNAUTHENTICATED, UNIMPLEMENTED = "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED"
"""Codes of what no other request would get another answer to, from the service or from a proxy, which gives none."""
_Detail = TypeVar("_Detail", bound=Message)
_NO_SERVICE = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}
)
"""How gRPC reports a port where no gRPC service of the expected kind answers."""
_OPTIONS = (("grpc.max_receive_message_length", 64 * 1024**2),)
"""The service bounds what it answers, but one row of an export may be larger than gRPC's usual 4 MiB."""


def _wait_for_limit(seconds: float) -> None:
    click.echo(f"libctl: rate limit reached, retrying in {seconds:.0f} s", err=True)
    time.sleep(seconds)


class Client:
    """A connection to the service.

    ``seconds``: for how long a call is waited for. ``at_limit`` is called with the seconds after which a call that the
    rate limit refused may be repeated; by default it announces and waits for them.
    """

    def __init__(
        self,
        profile: Profile,
        language: str = "en",
        *,
        seconds: float = SECONDS,
        at_limit: Callable[[float], None] = _wait_for_limit,
    ) -> None:
        self._profile = profile
        self._seconds, self._at_limit = seconds, at_limit
        self._metadata = (("authorization", f"Bearer {profile.token}"), ("accept-language", language))
        self._channel = _channel(profile)
        self._stub: Any = LibraryAdminServiceStub(self._channel)  # type: ignore[no-untyped-call]

    @property
    def address(self) -> str:
        """The address of the service."""
        return self._profile.address

    def call(self, name: str, request: Message) -> Any:
        """The response of a call; a limit of requests is waited for. Raises Refused."""
        for _ in range(_PATIENCE):
            try:
                return getattr(self._stub, name)(request, metadata=self._metadata, timeout=self._seconds)
            except grpc.RpcError as error:
                seconds = _retry_after(error)
                if seconds is None:
                    raise _refused(error, self._profile, self._seconds) from None
                self._at_limit(seconds)
        raise Unavailable("the rate limit was reached too often", "try again later", code=RATE_LIMITED)

    def close(self) -> None:
        """Ends the connection, and the calls under way."""
        self._channel.close()


def connect(**options: Any) -> Client:
    """A client of the profile and in the language that the command line names; ``options`` are those of Client."""
    given = click.get_current_context().find_root().params
    return Client(load(given.get("profile")), given.get("language") or of_locale(os.environ), **options)


def _channel(profile: Profile) -> grpc.Channel:
    if not profile.is_encrypted:
        return grpc.insecure_channel(profile.address, _OPTIONS)
    files = (profile.ca_file, profile.key_file, profile.cert_file)
    return grpc.secure_channel(profile.address, grpc.ssl_channel_credentials(*map(_read, files)), _OPTIONS)


def _read(file: Path | None) -> bytes | None:
    try:
        return file.read_bytes() if file else None
    except OSError as error:
        raise Usage(f"{file} can't be read: {error.strerror}", "name a PEM file in the profile") from None


def _retry_after(error: Any) -> float | None:
    """Returns the seconds after which a call that the rate limit refused may be repeated; None for other refusals."""
    if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
        return None
    retry_after = _info(error).metadata.get("retry_after")
    return min(max(float(retry_after), 0.1), 60.0) if retry_after else None


def _refused(error: Any, profile: Profile, seconds: float) -> Refused:
    code, info = error.code(), _info(error)
    reason, context = info.reason, dict(info.metadata)
    detail = error.details() or code.name
    if (
        not reason
        and code in _NO_SERVICE
        and (problem := diagnosis.problem_of(profile, is_answered=code is not grpc.StatusCode.UNAVAILABLE))
    ):
        return Unavailable(*problem)
    if code is grpc.StatusCode.UNAVAILABLE and not reason:
        return Unavailable(f"the service can't be reached at {profile.address}", "check LIBCTL_ENDPOINT, and try again")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unavailable(f"no answer within {seconds:.0f} s", "try again")
    if code is grpc.StatusCode.UNAVAILABLE:
        away = context.get("dependency", "a dependency")
        return Unavailable(f"the service can't do this now: {away} is unavailable", "try again later", code=reason)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return _distrusted(profile, reason)
    if code is grpc.StatusCode.PERMISSION_DENIED:
        needs = context.get("needs", "support or admin")
        said = f"permission denied: this needs the role {needs}"
        return Refused(said, "ask an admin", code=reason or PERMISSION_DENIED)
    if code is grpc.StatusCode.NOT_FOUND:
        return NothingFound(*worded(reason, detail, context, "check the ids: libctl user show USER"), code=reason)
    if code in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED, grpc.StatusCode.ALREADY_EXISTS):
        again = "run it again without --apply and check the result"
        return Precondition(*worded(reason, detail, context, again), code=reason)
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return Usage(*misused(_sentences(error) or detail, context, "the command's --help"), code=reason)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return Refused(
            "the service doesn't know this command",
            "check that LIBCTL_ENDPOINT is its gRPC port, and that it is not older than this libctl",
            code=UNIMPLEMENTED,
        )
    return Refused(*worded(reason, detail, context, "the service's log"), code=reason)


def _distrusted(profile: Profile, reason: str) -> Refused:
    """Says which token was refused, and why as far as the token itself shows it: the service does not say."""
    place = profile.token_place
    hint = f"set a new token in {place}"
    if place == "LIBCTL_TOKEN":
        hint += "; unset it to use the token of a profile"
    problem = tokens.problem_of(profile.token, datetime.now(UTC))
    said = f": it {problem}" if problem else ""
    return Refused(f"the token of {place} was not accepted{said}", hint, code=reason or UNAUTHENTICATED)


def _info(error: Any) -> ErrorInfo:
    """Returns what the service says of its refusal; an empty message if the answer came from elsewhere."""
    found = (info for info in _details(error, ErrorInfo) if info.domain == _DOMAIN)
    return next(found, ErrorInfo())


def _sentences(error: Any) -> str:
    """Returns what is wrong with each field; "" if the service names none, as an older one does."""
    problems = [one for found in _details(error, BadRequest) for one in found.field_violations]
    return "; ".join(f"{one.field}: {one.description}" if one.field else one.description for one in problems)


def _details(error: Any, kind: type[_Detail]) -> Iterator[_Detail]:
    """Yields the details of this kind that stand beside the status."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        return
    for detail in status.details if status else ():
        found = kind()
        if detail.Unpack(found):
            yield found

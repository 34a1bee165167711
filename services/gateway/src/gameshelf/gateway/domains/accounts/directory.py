"""A client of the Account service over gRPC, by which support finds users by name or e-mail address.

What support looks for, and what is found, is neither stored nor logged here.
"""

import logging
from collections.abc import Sequence

import grpc.aio
from gameshelf.gateway.runtime.identity import parse_uuid
from gameshelf.gateway.runtime.support.finding import AccountsUnavailable, FoundThing
from gameshelf.protos.external.account.v1 import account_service_pb2 as messages
from gameshelf.protos.external.account.v1.account_service_pb2_grpc import AccountServiceStub

_log = logging.getLogger(__name__)

_SECONDS = 2.0
_LONGEST_NAME = 200
# By default gRPC's pause between attempts to connect grows to two minutes, and all calls fail meanwhile.
_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 500), ("grpc.max_reconnect_backoff_ms", 5000)]


class Directory:
    """A client of ``AccountService``."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=_RECONNECT)
        self._stub = AccountServiceStub(self._channel)  # type: ignore[no-untyped-call]

    async def search(self, query: str, limit: int) -> Sequence[FoundThing]:
        """Returns the users of this name or e-mail address. Raises AccountsUnavailable."""
        request = messages.SearchUsersRequest(query=query, limit=limit)
        try:
            response = await self._stub.SearchUsers(request, timeout=_SECONDS)
        except grpc.aio.AioRpcError as error:
            _log.warning("the Account service did not answer a search: %s", error.code().name)
            raise AccountsUnavailable from None
        return [found for user in response.users[:limit] if (found := _found(user))]

    async def close(self) -> None:
        await self._channel.close()


def _found(user: messages.User) -> FoundThing | None:
    """Returns a user as they are found; None for one without a valid id, which does not affect the others."""
    try:
        user_id = parse_uuid(user.user_id)
    except ValueError:
        _log.warning("the Account service sent an invalid user")
        return None
    return FoundThing(kind="user", id=str(user_id), user_id=user_id, name=user.display_name[:_LONGEST_NAME])

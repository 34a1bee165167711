"""A small Account service for ``./dev``: it finds the demo's players by name and e-mail address, over gRPC."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from gameshelf.devstack.people import Person
from gameshelf.devstack.process import StartFailed
from gameshelf.protos.external.account.v1 import account_service_pb2 as messages
from gameshelf.protos.external.account.v1.account_service_pb2_grpc import (
    AccountServiceServicer,
    add_AccountServiceServicer_to_server,
)


class AccountServer(AccountServiceServicer):
    """People by their names, in threads of this process. It ends with the process, whatever happens to that."""

    def __init__(self, port: int, people: Sequence[Person]) -> None:
        self.address = f"127.0.0.1:{port}"
        self._people = people
        self._server: grpc.Server | None = None

    def SearchUsers(self, request: Any, context: Any) -> messages.SearchUsersResponse:
        found = [person for person in self._people if person.is_meant_by(request.query)]
        return messages.SearchUsersResponse(
            users=[messages.User(user_id=str(one.user_id), display_name=one.name) for one in found[: request.limit]]
        )

    def start(self) -> None:
        """Raises StartFailed where the port is taken."""
        # Without the option a second server could share the port.
        server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
        add_AccountServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        try:
            server.add_insecure_port(self.address)
        except RuntimeError:
            raise StartFailed(f"the demo's Account service: {self.address} can't be bound") from None
        server.start()
        self._server = server

    def stop(self) -> None:
        if self._server:
            self._server.stop(None)

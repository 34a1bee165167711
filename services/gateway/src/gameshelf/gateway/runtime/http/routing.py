"""Declarations of routes: input, responses and refusals of each call. The OpenAPI document is made from them.

A handler gets validated input, calls one method of a service, and renders a reply. A ``read`` gets a connection and the
state of the user, a ``write`` the user's transaction, which commits when the handler returns, and a ``signal`` no
access to the database. An ``action`` (``action.py``) opens connections and transactions itself, since it also works
outside of them.

A handler gets an object of which a process has one by a parameter of its type: ``async def get_quota(read: Read, saves:
Saves)``. ``bind`` passes these objects when the process starts.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial, update_wrapper
from typing import Any, Literal, TypeVar
from uuid import UUID

from gameshelf.gateway.runtime.errors import ErrorTable, Language
from gameshelf.gateway.runtime.http.components import Component
from gameshelf.gateway.runtime.http.page_cache import PageCache
from gameshelf.gateway.runtime.http.reply import BASE, Reply, render_refusal
from gameshelf.gateway.runtime.observability.traces import current_trace_id
from gameshelf.gateway.runtime.products import ProductNames
from gameshelf.gateway.runtime.streams import StreamState
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.gateway.runtime.unit_of_work.opening import LOCKED, Opening
from gameshelf.gateway.runtime.unit_of_work.units import OptimisticUnit
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import DomainError
from pydantic import BaseModel

Q = TypeVar("Q")
Queries = Mapping[type[Any], Callable[[Connection], Any]]
"""Factories of queries that need more than a connection, or that implement a port such as ``ProductNames``."""
H = TypeVar("H", bound=Callable[..., Awaitable[Any]])
Handler = Callable[..., Awaitable[Reply]]

_GIVEN = frozenset({"query", "body"})
"""Names of parameters that a call passes, besides the first one and the ids of the path."""
_ID = re.compile(r"<(uuid|int|text)(?:\([^)]*\))?:(\w+)>")


@dataclass(slots=True)
class Read:
    """A GET of one user's data."""

    connection: Connection
    user_id: UUID
    state: StreamState
    language: Language
    if_none_match: str | None
    pages: PageCache
    now: datetime
    queries: Queries

    def of(self, queries: type[Q]) -> Q:
        """Returns a domain's queries over this request's connection, for example ``read.of(LibraryQueries)``."""
        return _make(self.queries, queries, self.connection)

    def together(self) -> "Read":
        """Returns this read over a connection that reads in one round trip what ``look_ahead`` names, whatever domains
        it is of.
        """
        return replace(self, connection=OptimisticUnit(self.connection))

    @property
    def product_names(self) -> ProductNames:
        """Returns the reader of titles and covers over this request's connection."""
        return _product_names(self.queries, self.connection)


@dataclass(slots=True)
class Write:
    """A change of one user's data."""

    transaction: Transaction
    language: Language
    queries: Queries
    errors: ErrorTable
    if_match: str | None = None
    if_none_match: str | None = None

    @property
    def user_id(self) -> UUID:
        return self.transaction.user_id

    def of(self, service: type[Q]) -> Q:
        """Returns a domain's service over this request's transaction, for example ``write.of(LibraryService)``."""
        return self.transaction.of(service)

    def reads(self, queries: type[Q]) -> Q:
        """Returns a domain's queries over this request's transaction, which see its writes."""
        return _make(self.queries, queries, self.transaction.connection)

    @property
    def product_names(self) -> ProductNames:
        """Returns the reader of titles and covers in this request's transaction."""
        return _product_names(self.queries, self.transaction.connection)

    def refuse(self, error: DomainError) -> Reply:
        """Makes the reply of a refusal that is a result: writes of the handler are committed. To roll them back, a
        handler raises the error instead.
        """
        return render_refusal(error, self.language, current_trace_id(), self.errors)


RestWork = Callable[[Write], Awaitable[Reply]]
"""Runs a use case in the user's transaction and renders its reply. It runs again when it loses a race, so it must have
no other effect.
"""


def _make(made: Queries, queries: type[Q], connection: Connection) -> Q:
    make: Callable[[Connection], Q] = made.get(queries, queries)
    return make(connection)


def _product_names(made: Queries, connection: Connection) -> ProductNames:
    names: ProductNames = made[ProductNames](connection)
    return names


@dataclass(slots=True)
class Signal:
    """A heartbeat: it changes nothing in PostgreSQL, and so has no Idempotency-Key."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the REST API."""

    kind: Literal["read", "write", "action", "signal"]
    method: str
    path: str
    """Below the base, with ``<uuid:name>`` for ids, ``<int:name>`` for numbers, ``<text:name>`` for any text."""
    handler: Handler
    summary: str
    tag: str
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answers: Component | None = None
    """The component of the response, made by ``resources.py``; None for 204."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of a request, for the documentation."""
    status: int = 200
    also: Mapping[int, str | Component] = field(default_factory=dict)
    """Other status of success → the condition for it, if the body is the same; for 202, its component."""
    sends: tuple[str, ...] = ()
    """Headers of its responses that no other call has."""
    has_etag: bool = False
    """Whether a read answers 304, and a write accepts If-Match."""
    takes_if_absent: bool = False
    """Whether a write accepts ``If-None-Match: *``, which allows only to create."""
    takes_large: bool = False
    """Whether its body may be larger than others, by the settings of the service."""
    max_body_bytes: int | None = None
    """Size limit of its body, if it is neither the usual one nor a setting."""
    has_long_lists: bool = False
    """Whether its body has lists of thousands of objects, which are parsed in chunks beside the event loop."""
    opening: Callable[..., Opening] = lambda user_id, **_: LOCKED
    """Names what a write reads first: ``opening(user_id, **arguments of the handler)``."""
    is_question: bool = False
    """Whether a POST only asks, since its input is too large for a query. It takes no Idempotency-Key."""
    refuses: tuple[str, ...] = ()
    tag_description: str = ""
    path_ids: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Id in the path → its description and an example."""

    @property
    def is_change(self) -> bool:
        """Whether it changes the user's data in PostgreSQL."""
        return self.kind in ("write", "action") and self.method != "GET" and not self.is_question

    @property
    def takes_key(self) -> bool:
        """Whether it accepts an Idempotency-Key."""
        return self.is_change and self.method == "POST"

    @property
    def ids(self) -> list[str]:
        """The names of the ids in the path."""
        return [name for _, name in _ID.findall(self.path)]

    @property
    def texts(self) -> list[str]:
        """The ids in the path that are texts."""
        return [name for kind, name in _ID.findall(self.path) if kind == "text"]

    @property
    def numbers(self) -> list[str]:
        """The ids in the path that are numbers; those that are neither numbers nor texts are UUIDs."""
        return [name for kind, name in _ID.findall(self.path) if kind == "int"]

    @property
    def template(self) -> str:
        """The path in the form of documents and metrics, with ``{name}`` for ids."""
        return BASE + _ID.sub(r"{\2}", self.path)


@dataclass(slots=True)
class Routes:
    """The calls of one domain. ``ids`` describes the ids in their paths, each with an example."""

    tag: str
    description: str
    ids: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    all: list[Route] = field(default_factory=list)

    def read(self, path: str, **declared: Any) -> Callable[[H], H]:
        """Declares a GET: ``async def handler(read, **path_ids, query?)``."""
        return self._declare("read", "GET", path, declared)

    def write(self, method: str, path: str, **declared: Any) -> Callable[[H], H]:
        """Declares a POST, PATCH, PUT or DELETE: ``async def handler(write, **path_ids, query?, body?)``."""
        return self._declare("write", method, path, declared)

    def action(self, method: str, path: str, **declared: Any) -> Callable[[H], H]:
        """Declares a call that opens its transactions: ``async def handler(action, **path_ids, query?, body?)``."""
        return self._declare("action", method, path, declared)

    def ask(self, path: str, **declared: Any) -> Callable[[H], H]:
        """Declares a POST that only reads: ``async def handler(action, **path_ids, query?, body)``."""
        return self._declare("action", "POST", path, {**declared, "is_question": True})

    def signal(self, path: str, **declared: Any) -> Callable[[H], H]:
        """Declares a POST that is a heartbeat: ``async def handler(signal, **path_ids)``."""
        return self._declare("signal", "POST", path, declared)

    def _declare(self, kind: Any, method: str, path: str, declared: Any) -> Callable[[H], H]:
        def register(handler: H) -> H:
            shared: dict[str, Any] = {"tag_description": self.description, "path_ids": self.ids}
            self.all.append(Route(kind, method, path, handler, handler.__doc__ or "", self.tag, **shared, **declared))
            return handler

        return register


def bind(route: Route, resources: Mapping[type[Any], Any]) -> Route:
    """Returns the route with a handler that gets its other parameters from ``resources``.

    Raises TypeError that names the route and the type, if there is no such resource.
    """
    handler = route.handler
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    needed = [one for one in parameters if one.name not in _GIVEN and one.name not in route.ids]
    for one in needed:
        if one.annotation not in resources:
            raise TypeError(f"{route.tag}.{handler.__name__}: nothing in this process is {one.annotation!r}")
    if not needed:
        return route
    given = {one.name: resources[one.annotation] for one in needed}
    return replace(route, handler=update_wrapper(partial(handler, **given), handler))

"""The description of a domain: ``Domain`` before anything runs, ``DomainInstance`` in a running process.

A domain registers itself in two places. The ``__init__.py`` of its folder makes one ``Domain`` from the declarations of
its modules, and ``domains/__init__.py`` lists it in ``DOMAINS``. ``composed`` then builds tables from ``DOMAINS`` for
the parts of the runtime that use them. No module of the runtime imports a domain.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from gameshelf.gateway.runtime.after_commit import AfterCommitHandlers
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.errors import Code
from gameshelf.gateway.runtime.grpc.requests import LargeRequest
from gameshelf.gateway.runtime.grpc.server import Servicer
from gameshelf.gateway.runtime.health import ReadinessCheck
from gameshelf.gateway.runtime.http.routing import Queries, Route
from gameshelf.gateway.runtime.identity import TokenVerifier
from gameshelf.gateway.runtime.jobs.erasure import Erasing
from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.observability.metrics import DomainMetrics, Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.outbox.forwarded import Forwarded
from gameshelf.gateway.runtime.outbox.messages import EventForms
from gameshelf.gateway.runtime.products import MakeProductNames
from gameshelf.gateway.runtime.setting_fields import SettingsSection
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.streams import UserStreams, Versions
from gameshelf.gateway.runtime.support.commands import Command
from gameshelf.gateway.runtime.support.devices import DeviceReader
from gameshelf.gateway.runtime.support.export import SignFile
from gameshelf.gateway.runtime.support.export_tables import NO_RULES, ExportRules
from gameshelf.gateway.runtime.support.finding import AccountSearch, Finder
from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.gateway.runtime.support.rpc.context import SupportContext
from gameshelf.gateway.runtime.transaction import Reactions, Services, Transactions
from gameshelf.gateway.runtime.ws.hub import Hub
from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.migrations import Migrations
from redis.asyncio import Redis
from sqlalchemy import MetaData


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of one process that a domain builds its instance from."""

    settings: Settings
    acquire: Acquire
    streams: UserStreams
    services: Services
    transactions: Transactions
    redis: Redis
    hub: Hub
    limits: RateLimits
    verifier: TokenVerifier | None
    metrics: Metrics
    tracing: Tracing
    stopping: asyncio.Event
    """Set when the process shuts down."""


@dataclass(frozen=True, slots=True)
class DomainInstance:
    """A domain in one process."""

    resources: Mapping[type[Any], Any] = field(default_factory=dict)
    """Objects of which a process has one, by type: a handler of a route gets them by a parameter of that type."""
    servicers: Sequence[Servicer] = ()
    """Its gRPC services."""
    large_requests: Mapping[str, LargeRequest] = field(default_factory=dict)
    """Methods of these whose messages may be larger than others, by their full names."""
    support: Sequence[Callable[[SupportContext], object]] = ()
    """Factories of the objects that serve its support commands, with a method for the RPC of each ``Command``."""
    after_commit: AfterCommitHandlers = field(default_factory=dict)
    """Handlers of committed events, for example to count them."""
    overview: Overview | None = None
    """Its counts of a user's data for ``user show``."""
    devices: DeviceReader | None = None
    """Its part of ``devices list``."""
    search_accounts: AccountSearch | None = None
    """Finds users by what another service knows of them; at most one domain has it."""
    finders: Sequence[Finder] = ()
    """Its parts of ``find``."""
    export_files: Mapping[str, SignFile] = field(default_factory=dict)
    """Table → a function that signs the download of a file, for the tables of ``Domain.export.files``."""
    jobs: Sequence[Job] = ()
    """Its periodic work."""
    background: Sequence[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = ()
    """Name → a coroutine that runs until the process ends, and is stopped after everything else."""
    erasing: Erasing = field(default_factory=Erasing)
    """Its part in the erasure of an account."""
    checks: Mapping[str, ReadinessCheck] = field(default_factory=dict)
    """Dependency → a check for readiness, which returns the problem or None. Raises OSError if it is unreachable."""
    measure: Callable[[], Awaitable[None]] | None = None
    """Sets its gauges, every 2 seconds."""
    large_body_bytes: int = 0
    """Size of the largest request body of its routes that take a large one."""
    close: Callable[[], Awaitable[None]] | None = None
    """Closes everything that ``create`` opened."""


def no_services(settings: Settings) -> Services:
    return {}


def no_queries(settings: Settings) -> Queries:
    return {}


@dataclass(frozen=True, slots=True)
class Domain:
    """The declarations of a domain, which the runtime reads before anything runs."""

    name: str
    create: Callable[[Runtime], Awaitable[DomainInstance]]
    """Builds the domain's part of a process. Errors such as SettingsError stop the start."""
    migrations: Migrations | None = None
    metadata: MetaData | None = None
    """The tables of its schema; None if they are in another domain's schema, or if it has none."""
    services: Callable[[Settings], Services] = no_services
    """Factories of its services, with implementations of their ports."""
    queries: Callable[[Settings], Queries] = no_queries
    """Factories of the queries that depend on settings; other queries need only a connection."""
    routes: Sequence[Route] = ()
    """Its calls of the REST API."""
    published: EventForms = field(default_factory=dict)
    """The published form of each of its events."""
    bulk_topics: Set[str] = frozenset()
    """Topics to which it publishes many records at once."""
    forwarded: Sequence[Forwarded] = ()
    """Its events that a change of one user makes for another user."""
    reactions: Reactions = field(default_factory=dict)
    """Its handlers of events, also of other domains, in the transaction that recorded them."""
    consumed: Mapping[str, ConsumedEvent] = field(default_factory=dict)
    """The events that it consumes, by type."""
    commands: Sequence[Command] = ()
    """Its support commands."""
    export: ExportRules = NO_RULES
    """Rules for the export of a user that do not follow from the tables."""
    codes: Mapping[str, Code] = field(default_factory=dict)
    """Its error codes."""
    rules: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The message for each violated rule of its input, in Russian and English."""
    product_names: MakeProductNames | None = None
    """Makes the reader of titles and covers of products; exactly one domain has it."""
    retention: Sequence[RetentionRule] = ()
    """Rules for rows that it keeps for a limited time."""
    timeline: Sequence[Happenings] = ()
    """What happened to a user, by kinds, for ``user timeline``."""
    versions: Versions | None = None
    """The versions that pages depend on besides those of users; at most one domain has them."""
    settings: type[SettingsSection] | None = None
    """Its settings, which ``Settings.of`` returns."""
    metrics: type[DomainMetrics] | None = None
    """Its metrics, which ``Metrics.of`` returns."""

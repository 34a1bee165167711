"""What the runtime knows of a domain: ``Domain`` before anything runs, ``DomainInstance`` in a running process.

A domain registers itself in two places. The ``__init__.py`` of its folder makes one ``Domain`` from what the modules
beside it declare, and ``domains/__init__.py`` names it in ``DOMAINS``. Everything else follows from there: ``composed``
builds tables from ``DOMAINS``, which are handed to the parts of the runtime that serve them. No module of the runtime
imports a domain.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from gameshelf.gateway.runtime.after_commit import AfterCommitHandlers
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.errors import Code
from gameshelf.gateway.runtime.grpc.server import Servicer
from gameshelf.gateway.runtime.http.routing import Queries, Route
from gameshelf.gateway.runtime.identity import TokenVerifier
from gameshelf.gateway.runtime.jobs.erasure import Erasing
from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvent
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.outbox.forwarded import Forwarded
from gameshelf.gateway.runtime.outbox.messages import EventForms
from gameshelf.gateway.runtime.products import MakeProductNames
from gameshelf.gateway.runtime.setting_fields import Section
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.streams import UserStreams, Versions
from gameshelf.gateway.runtime.support.commands import Command
from gameshelf.gateway.runtime.support.export import SignFile
from gameshelf.gateway.runtime.support.export_tables import NO_RULES, ExportRules
from gameshelf.gateway.runtime.support.overview import Overview
from gameshelf.gateway.runtime.support.rpc.context import SupportContext
from gameshelf.gateway.runtime.transaction import Reactions, Services, Transactions
from gameshelf.gateway.runtime.ws.hub import Hub
from gameshelf.kernel.migrations import Migrations
from redis.asyncio import Redis
from sqlalchemy import MetaData


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a domain builds its instance from: one process of the service."""

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
    """Set when the process ends."""


@dataclass(frozen=True, slots=True)
class DomainInstance:
    """What one process has of a domain."""

    resources: Mapping[type[Any], Any] = field(default_factory=dict)
    """What there is once in a process, by type: handlers of its routes ask for it by a parameter of that type."""
    servicers: Sequence[Servicer] = ()
    """Its gRPC services."""
    support: Sequence[Callable[[SupportContext], object]] = ()
    """Make the objects that serve its support commands: they have a method for the RPC of each ``Command``."""
    after_commit: AfterCommitHandlers = field(default_factory=dict)
    """What it does about committed events, such as counting them."""
    overview: Overview | None = None
    """What it counts of a user for ``user show``."""
    export_files: Mapping[str, SignFile] = field(default_factory=dict)
    """By table, for those of ``Domain.export.files``: signs the download of a file."""
    jobs: Sequence[Job] = ()
    """Its periodic work."""
    background: Sequence[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = ()
    """By name what runs until the process ends, after everything else has stopped."""
    erasing: Erasing = field(default_factory=Erasing)
    """Its part in the erasure of an account."""
    checks: Mapping[str, Callable[[], Awaitable[str | None]]] = field(default_factory=dict)
    """Of each of its dependencies what is wrong, for readiness; None if nothing is. OSError: it is unreachable."""
    measure: Callable[[], Awaitable[None]] | None = None
    """Sets its gauges, every 2 seconds."""
    large_body_bytes: int = 0
    """Size of the largest request body of its routes that take a large one."""
    close: Callable[[], Awaitable[None]] | None = None
    """Closes what ``create`` opened."""


def no_services(settings: Settings) -> Services:
    return {}


def no_queries(settings: Settings) -> Queries:
    return {}


@dataclass(frozen=True, slots=True)
class Domain:
    """What the runtime has to know of a domain before anything runs."""

    name: str
    create: Callable[[Runtime], Awaitable[DomainInstance]]
    """Builds the domain's part of a process. Raises what stops the start, such as SettingsError."""
    migrations: Migrations | None = None
    metadata: MetaData | None = None
    """The tables of its schema; None where another domain's schema has them, or where it keeps nothing."""
    services: Callable[[Settings], Services] = no_services
    """How its services are made, with the answers to their ports."""
    queries: Callable[[Settings], Queries] = no_queries
    """How those of its reads are made that depend on settings; others need a connection alone."""
    routes: Sequence[Route] = ()
    """Its calls of the REST API."""
    published: EventForms = field(default_factory=dict)
    """How each of its events is published."""
    bulk_topics: Set[str] = frozenset()
    """Topics to which it publishes many records at once."""
    forwarded: Sequence[Forwarded] = ()
    """Its events that one user's change makes for another."""
    reactions: Reactions = field(default_factory=dict)
    """What it does about events, of other domains too, in the transaction that recorded them."""
    consumed: Mapping[str, ConsumedEvent] = field(default_factory=dict)
    """The events that it consumes, by type."""
    commands: Sequence[Command] = ()
    """Its support commands."""
    export: ExportRules = NO_RULES
    """What an export of a user cannot tell from the tables alone."""
    codes: Mapping[str, Code] = field(default_factory=dict)
    """Its error codes."""
    rules: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What each rule of its input says when it is broken, in Russian and English."""
    product_names: MakeProductNames | None = None
    """How titles and covers of products are read; exactly one of all domains knows them."""
    retention: Sequence[RetentionRule] = ()
    """What it keeps for a limited time only."""
    versions: Versions | None = None
    """The versions on which pages depend beside those of users; at most one of all domains has some."""
    settings: type[Section] | None = None
    """Its settings, which ``Settings.of`` returns."""

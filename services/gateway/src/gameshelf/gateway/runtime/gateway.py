"""Builds one process of the service from its parts."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

from gameshelf.gateway.runtime.after_commit import AfterCommit
from gameshelf.gateway.runtime.commit_listeners import CommitListeners
from gameshelf.gateway.runtime.composed import (
    bound_routes_of,
    checks_of,
    queries_of,
)
from gameshelf.gateway.runtime.composition import Composition
from gameshelf.gateway.runtime.database import Database
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.grpc.calls import Calls
from gameshelf.gateway.runtime.grpc.identify import Callers, ServiceCertificates
from gameshelf.gateway.runtime.grpc.server import GrpcServer
from gameshelf.gateway.runtime.health import Health
from gameshelf.gateway.runtime.http import events as events_http
from gameshelf.gateway.runtime.http import meta, openapi
from gameshelf.gateway.runtime.http.action import CallContext
from gameshelf.gateway.runtime.http.app import RestApi, create_app
from gameshelf.gateway.runtime.http.authenticate import Authenticate, by_proxy, by_token
from gameshelf.gateway.runtime.http.drain import Asgi
from gameshelf.gateway.runtime.http.observe import Observed
from gameshelf.gateway.runtime.http.page_cache import PageCache
from gameshelf.gateway.runtime.identity import TrustedProxies
from gameshelf.gateway.runtime.jobs.erasure import AccountErasure
from gameshelf.gateway.runtime.jobs.forwarding import Forwarding
from gameshelf.gateway.runtime.jobs.retention import Retention
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.kafka.applier import Applier
from gameshelf.gateway.runtime.kafka.client import connection_options
from gameshelf.gateway.runtime.kafka.consumer import Consumer
from gameshelf.gateway.runtime.kafka.dead_letters import DeadLetters
from gameshelf.gateway.runtime.kafka.intake import Intake
from gameshelf.gateway.runtime.kafka.probe import KafkaProbe
from gameshelf.gateway.runtime.kafka.relay import Relay
from gameshelf.gateway.runtime.kafka.retry import Retry
from gameshelf.gateway.runtime.origins import AllowedOrigins
from gameshelf.gateway.runtime.products import ProductNames
from gameshelf.gateway.runtime.replaced import ReplacedDatabase
from gameshelf.gateway.runtime.restores import DeletionGate
from gameshelf.gateway.runtime.settings import ServiceRole, SettingsError
from gameshelf.gateway.runtime.support.audit import AuditLog
from gameshelf.gateway.runtime.support.changes import SupportChanges
from gameshelf.gateway.runtime.support.export import Export
from gameshelf.gateway.runtime.support.overview import OWN_OVERVIEW, UserOverview
from gameshelf.gateway.runtime.support.rpc.audit import Audits
from gameshelf.gateway.runtime.support.rpc.context import SupportContext
from gameshelf.gateway.runtime.support.rpc.devices import Devices
from gameshelf.gateway.runtime.support.rpc.events import Events
from gameshelf.gateway.runtime.support.rpc.finding import Finding
from gameshelf.gateway.runtime.support.rpc.service import LibraryAdmin
from gameshelf.gateway.runtime.support.timeline import UserTimeline
from gameshelf.gateway.runtime.transaction import Committed
from gameshelf.gateway.runtime.ws.connection import LibraryUpdates
from gameshelf.kernel.events import Event


class Gateway:
    """One process of the service. All parts are built, and none is started."""

    def __init__(
        self,
        composition: Composition,
        runtime: Runtime,
        instances: Sequence[DomainInstance],
        commits: CommitListeners,
        database: Database,
    ) -> None:
        settings, metrics = runtime.settings, runtime.metrics
        for role in settings.roles:
            metrics.service_role.labels(role).set(1)
        self.composition = composition
        self.instances = instances
        self.settings = settings
        self.database = database
        self.acquire = runtime.acquire
        self.metrics = metrics
        self.tracing = runtime.tracing
        self.draining = asyncio.Event()
        """Set when the process shuts down: readiness answers 503, and requests are still served."""
        self.stopping = runtime.stopping
        self.grpc_listens = asyncio.Event()
        """Set once gRPC is served; REST, and with it readiness, starts afterwards."""
        self.redis = runtime.redis
        self.streams = runtime.streams
        self.hub = runtime.hub
        self.transactions = runtime.transactions
        commits.on_commit.append(self._committed)
        commits.on_forwarded.append(self._forwarded)
        self.after_commit = AfterCommit(instance.after_commit for instance in instances)
        self.limits = runtime.limits
        self.verifier = runtime.verifier
        self.replaced = ReplacedDatabase(self.acquire, self.redis, metrics)
        self.kafka_probe = self._kafka_probe()
        self.health = Health(
            settings,
            database,
            self.redis,
            self.kafka_probe,
            self.hub,
            metrics,
            composition.migrations,
            self.replaced,
            self.draining,
            lambda: self.consumer is not None and self.consumer.refused,
            checks_of(composition.domains, instances),
            [instance.measure for instance in instances if instance.measure],
        )
        self.relay = self._relay()
        self.consumer = self._consumer()
        self.deletion_gate = DeletionGate(self.acquire, metrics, self.replaced)
        erasing = [instance.erasing for instance in instances]
        self.erasure = AccountErasure(self.acquire, self.streams, erasing, metrics=metrics)
        self.forwarding = Forwarding(self.acquire, self.transactions, erasing, metrics)
        self.retention = Retention(self.acquire, composition.retention, metrics=metrics)
        self.jobs: Sequence[Job] = (*self._own_jobs(), *(job for instance in instances for job in instance.jobs))
        """The periodic jobs of all roles; a process runs those of its own roles."""
        self.updates: LibraryUpdates | None = None

    def _own_jobs(self) -> Iterator[Job]:
        every = frozenset(ServiceRole)
        yield Job("gauges", self.health.measure, 2.0, roles=every)
        yield Job("dependencies", self.health.measure_dependencies, 15.0, roles=every)
        yield Job("database identity", self.replaced.look, 2.0, roles=every)
        if self.relay:
            yield Job("refused records", self.relay.return_refused, 60.0, roles=frozenset({ServiceRole.RELAY}))
        yield Job("forwarding", self.forwarding.run_once, 0.25, woken=self.forwarding.woken)
        yield Job("erasure", self.erasure.run_once, 1.0)
        yield Job("retention", self.retention.run_once, 60.0, waits_for_restore=True)

    def drain(self) -> None:
        """Starts the shutdown; a second call skips the waiting time."""
        if self.draining.is_set():
            self.stopping.set()
        self.draining.set()

    def app(self) -> Asgi:
        """Returns the ASGI application: REST, WebSocket, health, OpenAPI."""
        settings, composition = self.settings, self.composition
        authenticate = self._authenticate()
        context = CallContext(
            self.acquire,
            self.streams,
            self.transactions,
            PageCache(settings.page_cache_bytes),
            {**queries_of(composition.domains, settings), ProductNames: composition.product_names},
            composition.errors,
        )
        api = RestApi(
            (*bound_routes_of(composition.domains, self.instances), *events_http.routes.all),
            authenticate,
            self.limits,
            self.tracing,
            context,
            large_body_bytes=max((instance.large_body_bytes for instance in self.instances), default=0),
        )
        app = create_app(api)
        meta.install(app, partial(openapi.document, composition.routes, composition.errors.codes), self.health.ready)
        origins = AllowedOrigins(settings.cors_allowed_origins, self.metrics)
        self.updates = LibraryUpdates(
            self.hub, self.streams, self.acquire, authenticate, self.verifier, self.limits, origins
        )
        return Observed(
            app,
            self.updates,
            self.tracing,
            self.metrics,
            self.limits,
            origins,
            self.draining,
        )

    def grpc_server(self) -> GrpcServer:
        """Returns the gRPC server of the settings."""
        certificates = ServiceCertificates(self.settings.grpc_tls_required, self.settings.grpc_service_identities)
        callers = Callers(self.verifier, certificates, self.limits)
        large = {name: bounds for one in self.instances for name, bounds in one.large_requests.items()}
        calls = Calls(callers, self.metrics, self.tracing, self.composition.errors, large)
        servicers = [servicer for instance in self.instances for servicer in instance.servicers]
        servicers.append(self._support())
        return GrpcServer(self.settings, calls, servicers)

    def _support(self) -> LibraryAdmin:
        composition, audit = self.composition, AuditLog(self.streams)
        signers = {table: sign for one in self.instances for table, sign in one.export_files.items()}
        context = SupportContext(
            self.acquire,
            self.streams,
            self.transactions,
            SupportChanges(self.transactions, self.acquire, audit, composition.commands),
            audit,
            composition.commands,
            UserOverview([*(one.overview for one in self.instances if one.overview), OWN_OVERVIEW]),
            Export(composition.metadata, self.streams, composition.export, signers),
            composition.product_names,
            UserTimeline(self.streams, composition.timeline),
        )
        makers = [Events, Audits, *(make for instance in self.instances for make in instance.support)]
        finders = [finder for instance in self.instances for finder in instance.finders]
        devices = [instance.devices for instance in self.instances if instance.devices]
        search = next((one.search_accounts for one in self.instances if one.search_accounts), None)
        own = [Finding(context, finders, search), Devices(context, self.hub, devices)]
        return LibraryAdmin(context, [*own, *(make(context) for make in makers)])

    def _authenticate(self) -> Authenticate:
        if self.settings.auth_mode == "gateway":
            return by_proxy(TrustedProxies(self.settings.trusted_proxies))
        if self.verifier is None:
            raise SettingsError("AUTH_JWT_PUBLIC_KEY_FILE: needed to verify tokens")
        return by_token(self.verifier)

    def _committed(self, commit: Committed) -> None:
        self.hub.committed(commit)
        self.after_commit.handle(commit.events)
        if commit.to_kafka and self.relay:
            self.relay.wake()

    def _forwarded(self, events: Sequence[Event]) -> None:
        self.after_commit.handle(events)
        self.forwarding.wake()

    def _relay(self) -> Relay | None:
        if ServiceRole.RELAY not in self.settings.roles:
            return None
        settings = self.settings
        bulk_topics = sorted(self.composition.event_rules.bulk_topics)
        topics = (settings.kafka_topic_events, settings.kafka_topic_dead_letters, *bulk_topics)
        options = connection_options(settings)
        return Relay(options, settings.kafka_idempotence, topics, self.acquire, self.metrics, self.tracing)

    def _kafka_probe(self) -> KafkaProbe | None:
        settings = self.settings
        if not settings.kafka_brokers:
            return None
        consumed, bulk_topics = self.composition.consumed.topics, self.composition.event_rules.bulk_topics
        topics = {*consumed, *bulk_topics, settings.kafka_topic_events, settings.kafka_topic_dead_letters}
        return KafkaProbe(connection_options(settings), topics)

    def _consumer(self) -> Consumer | None:
        if ServiceRole.CONSUMER not in self.settings.roles:
            return None
        consumed = self.composition.consumed
        dead_letters = DeadLetters(
            self.settings.kafka_topic_dead_letters, consumed.product_topics, self.acquire, self.streams, self.metrics
        )
        applier = Applier(
            consumed, self.acquire, self.transactions, self.streams, dead_letters, self.metrics, self.tracing
        )
        retry = Retry(applier, self.acquire, self.metrics)
        return Consumer(
            connection_options(self.settings),
            consumed.topics,
            self.settings.kafka_group,
            self.settings.kafka_session_timeout_ms,
            self.acquire,
            Intake(applier, self.acquire, retry.wake),
            retry,
            self.metrics,
        )

    async def close(self) -> None:
        """Closes all parts."""
        await close_instances(self.instances)
        await self.redis.aclose()
        if self.kafka_probe:
            await self.kafka_probe.close()
        await self.database.close()
        self.tracing.shutdown()


async def close_instances(instances: Sequence[DomainInstance]) -> None:
    """Closes the instances of all domains."""
    for instance in instances:
        if instance.close:
            await instance.close()

"""The composition root: which domains there are, and how the parts of the service fit together."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from gameshelf import achievements, library, playtime, savegames, wishlist
from gameshelf import settings as game_settings
from gameshelf.gateway.domains.achievements import rest as achievements_http
from gameshelf.gateway.domains.achievements.grpc import Achievements
from gameshelf.gateway.domains.achievements.jobs.rarity import RarityFold, RarityRecount
from gameshelf.gateway.domains.achievements.jobs.targets import LoweredTargets
from gameshelf.gateway.domains.after_commit import AfterCommit
from gameshelf.gateway.domains.family import rest as family_http
from gameshelf.gateway.domains.family.jobs.dissolution import Dissolution
from gameshelf.gateway.domains.family.jobs.family import FamilyClock, Forwarding, forget_seats
from gameshelf.gateway.domains.library import rest as library_http
from gameshelf.gateway.domains.library.catalog import Catalog
from gameshelf.gateway.domains.library.grpc import LibraryQuery
from gameshelf.gateway.domains.library.jobs.categories import CategoryFolding
from gameshelf.gateway.domains.library.jobs.item_ids import ItemIdRewriting
from gameshelf.gateway.domains.library.jobs.products import WantedProducts
from gameshelf.gateway.domains.library.jobs.titles import TitleFolding
from gameshelf.gateway.domains.playtime import rest as playtime_http
from gameshelf.gateway.domains.playtime.grpc import PlaytimeTracker
from gameshelf.gateway.domains.playtime.heartbeats import Heartbeats
from gameshelf.gateway.domains.playtime.jobs import SessionReaper, SessionWatch, forget_live
from gameshelf.gateway.domains.playtime.live_sessions import LiveSessions
from gameshelf.gateway.domains.playtime.lost_seats import LostSeats
from gameshelf.gateway.domains.savegames import rest as savegames_http
from gameshelf.gateway.domains.savegames.grpc import CloudSaves
from gameshelf.gateway.domains.savegames.jobs import ObjectSweeper, SaveKeeper, erase_objects
from gameshelf.gateway.domains.savegames.use_cases import Bucket, Saves
from gameshelf.gateway.domains.settings import rest as settings_http
from gameshelf.gateway.domains.settings.grpc import GameSettingsSync
from gameshelf.gateway.domains.undos import UNDOS
from gameshelf.gateway.domains.wishlist import rest as wishlist_http
from gameshelf.gateway.domains.wishlist.grpc import Wishlists
from gameshelf.gateway.domains.wishlist.jobs.old_prices import OldPriceTakeover
from gameshelf.gateway.domains.wishlist.jobs.sales import Sales
from gameshelf.gateway.runtime import tables
from gameshelf.gateway.runtime.database import Database, connect, first_connection
from gameshelf.gateway.runtime.grpc.calls import Calls
from gameshelf.gateway.runtime.grpc.identify import Callers, ServiceCertificates
from gameshelf.gateway.runtime.grpc.server import GrpcServer, Servicer
from gameshelf.gateway.runtime.health import Health
from gameshelf.gateway.runtime.http import events as events_http
from gameshelf.gateway.runtime.http import meta, openapi
from gameshelf.gateway.runtime.http.app import RestApi, create_app
from gameshelf.gateway.runtime.http.authenticate import Authenticate, by_proxy, by_token
from gameshelf.gateway.runtime.http.drain import Asgi
from gameshelf.gateway.runtime.http.observe import Observed
from gameshelf.gateway.runtime.http.page_cache import PageCache
from gameshelf.gateway.runtime.http.routing import Queries, Routes
from gameshelf.gateway.runtime.identity import KeySet, PemKeys, RemoteKeys, TokenVerifier, TrustedProxies
from gameshelf.gateway.runtime.jobs.erasure import EraseDomain, Erasure
from gameshelf.gateway.runtime.jobs.retention import Retention
from gameshelf.gateway.runtime.kafka.applier import Applier
from gameshelf.gateway.runtime.kafka.client import connection_options
from gameshelf.gateway.runtime.kafka.consumer import Consumer
from gameshelf.gateway.runtime.kafka.dead_letters import DeadLetters
from gameshelf.gateway.runtime.kafka.event_types import TOPICS
from gameshelf.gateway.runtime.kafka.intake import Intake
from gameshelf.gateway.runtime.kafka.probe import KafkaProbe
from gameshelf.gateway.runtime.kafka.relay import Relay
from gameshelf.gateway.runtime.kafka.retry import Retry
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.migrate import require_current
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.origins import AllowedOrigins
from gameshelf.gateway.runtime.outbox.messages import NOTIFICATIONS
from gameshelf.gateway.runtime.replaced import ReplacedDatabase
from gameshelf.gateway.runtime.restores import DeletionGuard
from gameshelf.gateway.runtime.settings import ServiceRole, Settings, SettingsError
from gameshelf.gateway.runtime.storage import redis as redis_adapter
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.support.audit import AuditLog
from gameshelf.gateway.runtime.support.changes import Changes
from gameshelf.gateway.runtime.support.export import Export
from gameshelf.gateway.runtime.support.rpc.desk import Desk
from gameshelf.gateway.runtime.support.rpc.service import LibraryAdmin
from gameshelf.gateway.runtime.transaction import Committed, MakeService, ServiceContext, Services, Transactions
from gameshelf.gateway.runtime.ws.connection import LibraryUpdates
from gameshelf.gateway.runtime.ws.hub import Hub
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import Connection
from gameshelf.kernel.events import Event
from gameshelf.kernel.migrations import Migrations
from gameshelf.library import AccessQueries, LibraryQueries
from sqlalchemy import MetaData


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain package, as far as the gateway composes it. Reactions and transports have files of their own."""

    migrations: Migrations
    metadata: MetaData
    service: type[Any]
    routes: Routes


DOMAINS: Sequence[Domain] = (
    Domain(library.MIGRATIONS, library.METADATA, library.LibraryService, library_http.routes),
    Domain(playtime.MIGRATIONS, playtime.METADATA, playtime.PlaytimeService, playtime_http.routes),
    Domain(achievements.MIGRATIONS, achievements.METADATA, achievements.AchievementService, achievements_http.routes),
    Domain(wishlist.MIGRATIONS, wishlist.METADATA, wishlist.WishlistService, wishlist_http.routes),
    Domain(game_settings.MIGRATIONS, game_settings.METADATA, game_settings.SettingsService, settings_http.routes),
    Domain(savegames.MIGRATIONS, savegames.METADATA, savegames.SavegameService, savegames_http.routes),
)
"""One line a domain."""


def make_services(settings: Settings) -> Services:
    """How each domain's service is made. What a domain asks of others, its ports, is answered here."""

    def make_library(context: ServiceContext) -> library.LibraryService:
        return library.LibraryService(context.connection, context.record, context.clock)

    def make_links(context: ServiceContext) -> library.FamilyLinks:
        return library.FamilyLinks(context.connection, context.record, context.clock, settings.family_max_members)

    def make_seats(context: ServiceContext) -> library.FamilySeats:
        players = playtime.CopyQueries(context.connection)
        grace = timedelta(seconds=settings.family_seat_grace_seconds)
        return library.FamilySeats(context.connection, context.record, players, context.clock, grace)

    def make_playtime(context: ServiceContext) -> playtime.PlaytimeService:
        return playtime.PlaytimeService(
            context.connection,
            context.record,
            AccessQueries(context.connection),
            make_seats(context),
            context.clock,
            timedelta(days=settings.import_max_age_days),
            _silence(settings),
        )

    def make_achievements(context: ServiceContext) -> achievements.AchievementService:
        access = AccessQueries(context.connection)
        return achievements.AchievementService(context.connection, context.record, access, context.clock)

    def make_wishlist(context: ServiceContext) -> wishlist.WishlistService:
        return wishlist.WishlistService(
            context.connection,
            context.record,
            _Products(context.connection),
            context.clock,
            settings.wishlist_max_items,
            settings.wishlist_default_currency,
            context.serialise,
        )

    def make_settings(context: ServiceContext) -> game_settings.SettingsService:
        access, max_bytes = AccessQueries(context.connection), settings.settings_max_bytes
        return game_settings.SettingsService(context.connection, context.record, access, context.clock, max_bytes)

    limits, bucket = settings.savegame_limits, settings.s3_bucket or ""

    def make_uploads(context: ServiceContext) -> savegames.SavegameUploads:
        access, clock = AccessQueries(context.connection), _one_moment(context.clock)
        return savegames.SavegameUploads(context.connection, context.record, access, clock, limits, bucket)

    def make_saves(context: ServiceContext) -> savegames.SavegameService:
        return savegames.SavegameService(context.connection, context.record, _one_moment(context.clock), limits)

    def make_conflicts(context: ServiceContext) -> savegames.SavegameConflicts:
        return savegames.SavegameConflicts(context.connection, context.record, _one_moment(context.clock), limits)

    def make_adoption(context: ServiceContext) -> savegames.SavegameAdoption:
        clock = _one_moment(context.clock)
        return savegames.SavegameAdoption(context.connection, context.record, clock, limits, bucket)

    return {
        library.LibraryService: make_library,
        library.FamilyLinks: make_links,
        library.FamilySeats: make_seats,
        playtime.PlaytimeService: make_playtime,
        achievements.AchievementService: make_achievements,
        wishlist.WishlistService: make_wishlist,
        game_settings.SettingsService: make_settings,
        savegames.SavegameService: make_saves,
        savegames.SavegameUploads: make_uploads,
        savegames.SavegameConflicts: make_conflicts,
        savegames.SavegameAdoption: make_adoption,
    }


def make_queries(settings: Settings) -> Queries:
    """How those reads of a domain are made that depend on settings; others need a connection alone."""
    return {wishlist.WishlistQueries: partial(_wishlist_queries, settings.wishlist_default_currency)}


def _wishlist_queries(default_currency: str, connection: Connection) -> wishlist.WishlistQueries:
    return wishlist.WishlistQueries(connection, default_currency)


def _silence(settings: Settings) -> timedelta:
    """How old the checkpoint of somebody who plays may be: a minute, and a heartbeat or two lost on their way."""
    return timedelta(seconds=60 + 2 * settings.heartbeat_interval_seconds)


def _one_moment(clock: Clock) -> Clock:
    """The clock of one transaction on saves: a version and the word of it have the same time."""
    now = clock()
    return lambda: now


class _Products:
    """Answers the wishlist's port: what the library knows of products."""

    def __init__(self, connection: Connection) -> None:
        self.owns = AccessQueries(connection).owns
        self.title = LibraryQueries(connection).title


MIGRATIONS = (tables.MIGRATIONS, *(domain.migrations for domain in DOMAINS))
METADATA = (tables.METADATA, *(domain.metadata for domain in DOMAINS))
ROUTES = (
    *(route for domain in DOMAINS for route in domain.routes.all),
    *family_http.routes.all,
    *events_http.routes.all,
)


class Gateway:
    """One process of the service: every part built, none started."""

    def __init__(
        self, settings: Settings, database: Database, metrics: Metrics, tracing: Tracing, bucket: Bucket | None = None
    ) -> None:
        self.settings = settings
        self.database = database
        self.acquire = database.acquire
        self.metrics = metrics
        self.tracing = tracing
        self.draining = asyncio.Event()
        """Set when the process is to end: readiness says so, and everything is still served."""
        self.stopping = asyncio.Event()
        self.grpc_listens = asyncio.Event()
        """Set once gRPC is served; REST, and so readiness, only comes after it."""
        self.redis = redis_adapter.connect(settings)
        self.streams = UserStreams(settings.erasure_hash_key.get_secret_value().encode())
        self.hub = Hub(self.redis, self.acquire)
        services = make_services(settings)
        self.transactions = Transactions(
            self.acquire, self.streams, services, settings.kafka_topic_events, self._committed, self._forwarded
        )
        self.bucket = bucket
        limits = settings.savegame_limits
        self.saves = Saves(bucket, self.transactions, metrics, settings.s3_url_ttl_seconds, limits.quota_bytes)
        self.save_keeper = SaveKeeper(self.acquire, self.transactions, limits, metrics=metrics)
        self.object_sweeper = ObjectSweeper(self.acquire, self.saves, metrics, limits)
        self.live = LiveSessions(self.redis)
        self.lost_seats = LostSeats(self.acquire)
        self.heartbeats = Heartbeats(
            self.live, self.acquire, self.streams, metrics, settings.session_timeout, self.lost_seats
        )
        self.after_commit = AfterCommit(self.heartbeats, metrics)
        self.session_watch = SessionWatch(self.live, self.acquire, settings.session_timeout, metrics=metrics)
        self.session_reaper = SessionReaper(
            self.live, self.acquire, self.transactions, settings.session_timeout, metrics=metrics
        )
        self.limits = RateLimits(
            self.redis,
            settings.limit_user,
            settings.limit_ip,
            settings.limit_service,
            metrics,
            tracing,
            settings.trusted_proxies,
        )
        self.verifier = _verifier(settings)
        self.replaced = ReplacedDatabase(self.acquire, self.redis, metrics)
        self.kafka_probe = self._kafka_probe()
        self.health = Health(
            settings,
            database,
            self.redis,
            self.kafka_probe,
            self.live,
            self.hub,
            metrics,
            MIGRATIONS,
            self.replaced,
            self.draining,
            lambda: self.consumer is not None and self.consumer.refused,
        )
        self.relay = self._relay()
        self.consumer = self._consumer()
        self.deletion_guard = DeletionGuard(self.acquire, metrics, self.replaced)
        self.erasure = Erasure(
            self.acquire,
            self.streams,
            Dissolution(self.acquire, self.transactions, metrics=metrics),
            [
                forget_live(self.live),
                forget_seats,
                *(_erase(services[domain.service]) for domain in DOMAINS),
            ],
            erase_objects(self.saves),
            metrics=metrics,
        )
        self.forwarding = Forwarding(self.acquire, self.transactions, metrics)
        self.family_clock = FamilyClock(self.acquire, self.transactions, _silence(settings), metrics=metrics)
        self.item_id_rewriting = ItemIdRewriting(self.transactions)
        self.rarity_fold = RarityFold(self.acquire, metrics)
        self.rarity_recount = RarityRecount(self.acquire, metrics)
        self.lowered_targets = LoweredTargets(self.acquire, self.transactions, metrics=metrics)
        currency = settings.wishlist_default_currency
        self.sales = Sales(self.acquire, self.transactions, metrics=metrics, default_currency=currency)
        self.old_prices = OldPriceTakeover(self.acquire)
        self.retention = Retention(self.acquire, metrics=metrics)
        self.catalog = Catalog(settings.catalog_grpc_addr) if settings.catalog_grpc_addr else None
        self.wanted = WantedProducts(self.acquire, self.catalog, metrics)
        self.title_folding = TitleFolding(self.acquire)
        self.category_folding = CategoryFolding(self.acquire, self.transactions, metrics)
        self.updates: LibraryUpdates | None = None

    def drain(self) -> None:
        """Begins to end; a second time there is no more waiting."""
        if self.draining.is_set():
            self.stopping.set()
        self.draining.set()

    def app(self) -> Asgi:
        """The ASGI application: REST, WebSocket, health, OpenAPI."""
        settings = self.settings
        authenticate = self._authenticate()
        pages = PageCache(settings.page_cache_bytes)
        api = RestApi(
            ROUTES,
            authenticate,
            self.limits,
            self.acquire,
            self.streams,
            self.transactions,
            self.heartbeats,
            pages,
            self.saves,
            self.tracing,
            make_queries(settings),
            # A character of two bytes takes six where JSON is sent in ASCII, and some indent it.
            large_body_bytes=4 * settings.settings_max_bytes,
        )
        app = create_app(api)
        meta.install(app, partial(openapi.document, ROUTES), self.health.ready)
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
        """The gRPC server of the settings."""
        certificates = ServiceCertificates(self.settings.grpc_tls_required, self.settings.grpc_service_identities)
        calls = Calls(Callers(self.verifier, certificates, self.limits), self.metrics, self.tracing)
        tracker = PlaytimeTracker(
            self.transactions,
            self.heartbeats,
            self.settings.heartbeat_interval_seconds,
            self.verifier,
            self.limits,
            self.hub,
            self.stopping,
        )
        servicers: list[Servicer] = [
            LibraryQuery(self.acquire, self.streams),
            tracker,
            Achievements(self.transactions, self.acquire, self.streams),
            GameSettingsSync(self.transactions, self.acquire, self.streams),
            Wishlists(self.transactions, self.acquire, self.streams),
            CloudSaves(self.transactions, self.acquire, self.streams, self.saves),
            LibraryAdmin(self._desk()),
        ]
        return GrpcServer(self.settings, calls, servicers)

    def _desk(self) -> Desk:
        audit = AuditLog(self.streams)
        changes = Changes(self.transactions, audit, UNDOS)
        limits = self.settings.savegame_limits
        return Desk(
            self.acquire,
            self.streams,
            self.transactions,
            changes,
            audit,
            self.saves,
            limits,
            Export(METADATA, self.streams),
        )

    def _authenticate(self) -> Authenticate:
        if self.settings.auth_mode == "gateway":
            return by_proxy(TrustedProxies(self.settings.trusted_proxies))
        if self.verifier is None:
            raise SettingsError("AUTH_JWT_PUBLIC_KEY_FILE: needed to verify tokens")
        return by_token(self.verifier)

    def _committed(self, commit: Committed) -> None:
        self.hub.committed(commit)
        self.after_commit.hear(commit.events)
        if commit.to_kafka and self.relay:
            self.relay.wake()

    def _forwarded(self, events: Sequence[Event]) -> None:
        self.after_commit.hear(events)
        self.forwarding.wake()

    def _relay(self) -> Relay | None:
        if ServiceRole.RELAY not in self.settings.roles:
            return None
        settings = self.settings
        topics = (settings.kafka_topic_events, settings.kafka_topic_dead_letters, NOTIFICATIONS)
        options = connection_options(settings)
        return Relay(options, settings.kafka_idempotence, topics, self.acquire, self.metrics, self.tracing)

    def _kafka_probe(self) -> KafkaProbe | None:
        settings = self.settings
        if not settings.kafka_brokers:
            return None
        topics = {*TOPICS, settings.kafka_topic_events, settings.kafka_topic_dead_letters, NOTIFICATIONS}
        return KafkaProbe(connection_options(settings), topics)

    def _consumer(self) -> Consumer | None:
        if ServiceRole.CONSUMER not in self.settings.roles:
            return None
        dead_letters = DeadLetters(self.settings.kafka_topic_dead_letters, self.acquire, self.streams, self.metrics)
        applier = Applier(self.acquire, self.transactions, self.streams, dead_letters, self.metrics, self.tracing)
        retry = Retry(applier, self.acquire, self.metrics)
        return Consumer(
            connection_options(self.settings),
            self.settings.kafka_group,
            self.settings.kafka_session_timeout_ms,
            self.acquire,
            Intake(applier, self.acquire, retry.wake),
            retry,
            self.metrics,
        )

    async def close(self) -> None:
        """Closes what was opened."""
        await self.redis.aclose()
        if self.kafka_probe:
            await self.kafka_probe.close()
        if self.bucket:
            await self.bucket.close()
        if self.catalog:
            await self.catalog.close()
        await self.database.close()
        self.tracing.shutdown()


async def build(settings: Settings) -> Gateway:
    """The gateway of these settings. Raises SchemaOutdated, SettingsError, DatabaseUnusable."""
    tracing = Tracing(settings.otlp_endpoint, instance=socket.gethostname())
    with first_connection():
        database = await connect(settings.postgres_dsn.get_secret_value(), settings.postgres_pool_size, tracing)
    try:
        async with database.acquire() as connection:
            await require_current(connection, MIGRATIONS)
        metrics = Metrics()
        bucket = await _open_bucket(settings, metrics, tracing)
        return Gateway(settings, database, metrics, tracing, bucket)
    except BaseException:
        database.terminate()
        raise


async def _open_bucket(settings: Settings, metrics: Metrics, tracing: Tracing) -> Bucket | None:
    if settings.s3_bucket is None:
        return None
    # Imported where it is used: the client takes half a second and 45 MB that a process without a store is spared.
    from gameshelf.gateway.domains.savegames.s3 import store as s3

    bucket = s3.connect(settings, metrics, tracing)
    if bucket:
        await bucket.open()
    return bucket


def _verifier(settings: Settings) -> TokenVerifier | None:
    if not (settings.jwt_issuer and settings.jwt_audience):
        return None
    try:
        if settings.jwt_public_key_file:
            keys: KeySet = PemKeys(settings.jwt_public_key_file)
        elif settings.jwks_url:
            keys = RemoteKeys(settings.jwks_url)
        else:
            return None
    except (OSError, ValueError) as error:
        raise SettingsError(f"AUTH_JWT_PUBLIC_KEY_FILE or AUTH_JWKS_URL: {error}") from None
    return TokenVerifier(keys, settings.jwt_issuer, settings.jwt_audience)


def _erase(make: MakeService) -> EraseDomain:
    async def erase(connection: Connection, user_id: UUID, limit: int) -> bool:
        context = ServiceContext(connection, _tell_nobody, utc_now, _erased_already)
        left: bool = await make(context).erase(user_id, limit)
        return left

    return erase


def _tell_nobody(event: Event) -> None:
    """Erasing is no news for the user's devices."""


async def _erased_already(user_id: UUID) -> None:
    """The tombstone of an erased user keeps everybody else from writing."""

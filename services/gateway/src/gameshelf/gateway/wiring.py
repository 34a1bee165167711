"""The composition root: builds the service from its domains."""

import asyncio
import socket

from gameshelf.gateway.domains import DOMAINS
from gameshelf.gateway.domains.wishlist.published import NOTIFICATIONS
from gameshelf.gateway.runtime.commit_listeners import CommitListeners
from gameshelf.gateway.runtime.composed import services_of
from gameshelf.gateway.runtime.composition import Composition, compose
from gameshelf.gateway.runtime.database import Database, connect, first_connection
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.event_loop import name_of_loop
from gameshelf.gateway.runtime.gateway import Gateway, close_instances
from gameshelf.gateway.runtime.identity.of_settings import token_verifier
from gameshelf.gateway.runtime.limits import RateLimits
from gameshelf.gateway.runtime.migrate import require_current
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.observability.traces import Tracing
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.storage import redis as redis_adapter
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.gateway.runtime.transaction import Services, Transactions
from gameshelf.gateway.runtime.ws.hub import Hub

COMPOSITION = compose(DOMAINS)
MIGRATIONS = COMPOSITION.migrations
STATE = COMPOSITION.state
CONSUMED = COMPOSITION.consumed
EVENT_RULES = COMPOSITION.event_rules
ROUTES = COMPOSITION.routes
ERRORS = COMPOSITION.errors
PUBLISHED_FOR_OTHERS = (NOTIFICATIONS,)
"""Topics of other services that this one writes to."""


def make_services(settings: Settings) -> Services:
    """Returns the factories of all services."""
    return services_of(DOMAINS, settings)


async def build(settings: Settings, composition: Composition = COMPOSITION) -> Gateway:
    """Builds the gateway of these settings. Raises SchemaOutdated, SettingsError, DatabaseUnusable."""
    tracing = Tracing(settings.otlp_endpoint, instance=socket.gethostname())
    with first_connection():
        database = await connect(settings.postgres_dsn.get_secret_value(), settings.postgres_pool_size, tracing)
    instances: list[DomainInstance] = []
    try:
        async with database.acquire() as connection:
            await require_current(connection, composition.migrations)
        commits = CommitListeners()
        runtime = _make_runtime(settings, composition, database, tracing, commits)
        for domain in composition.domains:
            instance = await domain.create(runtime)
            instances.append(instance)  # if a later one fails, these are closed
        return Gateway(composition, runtime, instances, commits, database)
    except BaseException:
        await close_instances(instances)
        database.terminate()
        raise


def _make_runtime(
    settings: Settings, composition: Composition, database: Database, tracing: Tracing, commits: CommitListeners
) -> Runtime:
    event_loop = name_of_loop(asyncio.get_running_loop())
    acquire, metrics = database.acquire, Metrics(composition.metrics, settings.revision, event_loop)
    redis = redis_adapter.connect(settings)
    streams = UserStreams(settings.erasure_hash_key.get_secret_value().encode(), composition.state)
    services, topic = services_of(composition.domains, settings), settings.kafka_topic_events
    transactions = Transactions(
        acquire, streams, services, composition.event_rules, topic, commits.committed, commits.forwarded
    )
    limits = RateLimits(
        redis,
        settings.limit_user,
        settings.limit_ip,
        settings.limit_service,
        metrics,
        tracing,
        settings.trusted_proxies,
    )
    return Runtime(
        settings=settings,
        acquire=acquire,
        streams=streams,
        services=services,
        transactions=transactions,
        redis=redis,
        hub=Hub(redis, acquire),
        limits=limits,
        verifier=token_verifier(settings),
        metrics=metrics,
        tracing=tracing,
        stopping=asyncio.Event(),
    )

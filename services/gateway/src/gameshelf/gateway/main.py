"""``python -m gameshelf.gateway serve``, which runs the service or a part of it in one process, and other commands."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Collection, Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from gameshelf.gateway import __version__
from gameshelf.gateway.configuration import load_settings
from gameshelf.gateway.runtime.database import DatabaseUnusable, first_connection
from gameshelf.gateway.runtime.event_loop import adapt_streams, loop_factory, name_of_loop
from gameshelf.gateway.runtime.gateway import Gateway
from gameshelf.gateway.runtime.jobs.schedule import repeat
from gameshelf.gateway.runtime.kafka.topics import TopicsRefused, add_topic_options, planned_topics, prepare_topics
from gameshelf.gateway.runtime.migrate import MigrationRefused, SchemaOutdated, require_current, upgrade
from gameshelf.gateway.runtime.observability.logs import configure_logging
from gameshelf.gateway.runtime.observability.metrics_server import MetricsServer
from gameshelf.gateway.runtime.serving import granian, hypercorn
from gameshelf.gateway.runtime.settings import ServiceRole, Settings, SettingsError
from gameshelf.gateway.wiring import CONSUMED, MIGRATIONS, PUBLISHED_FOR_OTHERS, build
from gameshelf.kernel.errors import DependencyUnavailable
from gameshelf.kernel.migrations import MigrationBlocked

_log = logging.getLogger(__name__)

_COLLECT_AFTER = 100_000
"""After how many new objects the garbage collector runs. A batch from Kafka makes tens of thousands that live until its
commit, and a collection meanwhile looks at all of them and frees none.
"""
_MARGIN_SECONDS = 2.0


class CannotListen(Exception):
    """A port can't be bound; the message is one line that names its variable."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="gameshelf-gateway", description="The Library Service.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="serve|migrate|check|prepare-…")
    commands.add_parser("serve", help="run the service (LIBRARY_SERVICE_ROLES says which parts)")
    commands.add_parser("migrate", help="bring the database's schemas up to date")
    commands.add_parser("check", help="check the settings and the schemas, and start nothing")
    commands.add_parser("prepare-bucket", help="make the bucket of cloud saves, with versions, expiry and CORS")
    add_topic_options(commands.add_parser("prepare-topics", help="make the missing topics of Kafka"))
    options = parser.parse_args(arguments)
    command = options.command
    try:
        settings = load_settings(os.environ)
        configure_logging(settings.log_level)
        if command == "migrate":
            asyncio.run(_reach(settings))
            upgrade(settings.postgres_dsn.get_secret_value(), MIGRATIONS)
        elif command == "prepare-bucket":
            return asyncio.run(_prepare_bucket(settings))
        elif command == "prepare-topics":
            return asyncio.run(_prepare_topics(settings, options))
        else:
            with asyncio.Runner(loop_factory=loop_factory(settings.event_loop)) as runner:
                runner.run(_serve(settings) if command == "serve" else _check(settings))
    except (SettingsError, SchemaOutdated, DatabaseUnusable, CannotListen, MigrationBlocked, MigrationRefused) as error:
        return _stop(str(error))
    except ExceptionGroup as failed:
        # One part could not start, which ended the others.
        reasons = _leaves(failed)
        if not all(isinstance(reason, SettingsError | CannotListen) for reason in reasons):
            raise
        return _stop(str(reasons[0]))
    return 0


def _stop(reason: str) -> int:
    sys.stderr.write(f"gameshelf-gateway: {reason}\n")
    return 1


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


async def _reach(settings: Settings) -> None:
    with first_connection():
        connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), timeout=10)
    await connection.close()


async def _check(settings: Settings) -> None:
    with first_connection():
        connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), timeout=10)
    try:
        await require_current(connection, MIGRATIONS)
    finally:
        await connection.close()


async def _prepare_bucket(settings: Settings) -> int:
    # Imported here because a service without an object store does not need it.
    from gameshelf.gateway.domains.savegames.object_store import s3_config
    from gameshelf.savegames.s3 import BucketUnusable, prepare_bucket

    config = s3_config(settings)
    if config is None:
        raise SettingsError("S3_BUCKET_SAVEGAMES: needed to prepare the bucket")
    try:
        report = await prepare_bucket(config, settings.cors_allowed_origins)
    except (BucketUnusable, DependencyUnavailable) as error:
        return _stop(str(error))
    for feature, outcome in report.features.items():
        sys.stdout.write(f"{report.bucket}: {feature}: {outcome}\n")
    return 0


async def _prepare_topics(settings: Settings, options: argparse.Namespace) -> int:
    if not settings.kafka_brokers:
        raise SettingsError("KAFKA_BROKERS: needed to prepare the topics")
    others = (*CONSUMED.topics, *PUBLISHED_FOR_OTHERS) if options.all else ()
    try:
        outcomes = await prepare_topics(settings, planned_topics(settings, others, options))
    except TopicsRefused as error:
        return _stop(str(error))
    for topic, outcome in outcomes.items():
        sys.stdout.write(f"{topic}: {outcome}\n")
    return 0


async def _serve(settings: Settings) -> None:
    adapt_streams()
    gateway = await build(settings)
    spare_the_collector()
    loop = asyncio.get_running_loop()
    # After SIGTERM readiness answers 503 for a while, so that load balancers notice; Ctrl-C ends without that delay.
    loop.add_signal_handler(signal.SIGTERM, gateway.drain)
    loop.add_signal_handler(signal.SIGINT, gateway.stopping.set)
    try:
        await run_gateway(gateway)
    finally:
        await gateway.close()


def spare_the_collector() -> None:
    """Prevents the garbage collector from scanning modules, models and statements repeatedly.

    Objects that exist now are never scanned again, and later ones less often. Otherwise a small request spends a fifth
    of its time there.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


async def run_gateway(gateway: Gateway, *, http: bool = True) -> None:
    """Runs every part of this process's roles until ``gateway.stopping`` is set, then drains.

    ``http=False`` leaves REST and WebSocket to the server that this runs in. Raises CannotListen, also in a group.
    """
    settings = gateway.settings
    metrics_server = await _serve_metrics(gateway)
    try:
        async with asyncio.TaskGroup() as outer:
            background = [outer.create_task(gateway.hub.run(), name="hub")] + [
                outer.create_task(run(), name=name)
                for instance in gateway.instances
                for name, run in instance.background
            ]
            async with asyncio.TaskGroup() as tasks:
                parts = [tasks.create_task(work, name=name) for name, work in _parts(gateway, http)]
                loop = name_of_loop(asyncio.get_running_loop())
                _log.info("serving", extra={"fields": {"roles": sorted(settings.roles), "event_loop": loop}})
                await _until_drained(gateway)
                _log.info("stopping")
                await _drain(parts, settings.shutdown_seconds + _MARGIN_SECONDS)
            for task in background:
                task.cancel()  # last, so that devices receive the last commits of other parts
    finally:
        metrics_server.close()


def _parts(gateway: Gateway, http: bool) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """Yields the parts of this process' roles by name; each one ends by itself once ``gateway.stopping`` is set."""
    roles, stopping = gateway.settings.roles, gateway.stopping
    if ServiceRole.API in roles:
        if http:
            yield "http", _serve_http(gateway)
        yield "grpc", _serve_grpc(gateway)
    if gateway.consumer:
        yield "consumer", gateway.consumer.run(stopping)
    if gateway.relay:
        yield "relay", gateway.relay.run(stopping)
    for job in gateway.jobs:
        if job.roles & roles:
            run = gateway.deletion_gate.unless_open(job.run) if job.waits_for_restore else job.run
            yield job.name, repeat(job.name, run, job.seconds, stopping, job.woken, gateway.metrics)


async def _until_drained(gateway: Gateway) -> None:
    """Waits until the process has to stop, or the time for draining is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in (gateway.draining, gateway.stopping)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if not gateway.stopping.is_set():
        _log.info("draining: readiness answers 503, requests are served")
        with suppress(TimeoutError):
            async with asyncio.timeout(gateway.settings.drain_seconds):
                await gateway.stopping.wait()
    gateway.draining.set()
    gateway.stopping.set()
    await asyncio.gather(*waits)


async def _drain(parts: Collection["asyncio.Task[None]"], seconds: float) -> None:
    """Waits for the parts to end, and cancels those that wait for a dependency: their transactions are rolled back and
    repeated later.
    """
    _, late = await asyncio.wait(parts, timeout=seconds)
    for part in late:
        _log.warning("%s does not end by itself and is cancelled", part.get_name())
        part.cancel()


async def _serve_http(gateway: Gateway) -> None:
    settings = gateway.settings
    app = gateway.app()

    async def stopped() -> None:
        await gateway.stopping.wait()
        if gateway.updates:
            await gateway.updates.drain()

    server = granian if settings.server == "granian" else hypercorn
    await gateway.grpc_listens.wait()  # an instance that reports readiness has to serve gRPC, too
    try:
        await server.serve(
            app,
            settings.host,
            settings.http_port,
            allow_h2c=settings.h2c,
            grace_seconds=settings.shutdown_seconds,
            stopped=stopped,
        )
    except OSError as error:
        address = f"{settings.host}:{settings.http_port}"
        raise CannotListen(f"LIBRARY_SERVICE_HTTP_PORT: {address} can't be bound: {_reason(error)}") from None


async def _serve_grpc(gateway: Gateway) -> None:
    server = gateway.grpc_server()
    try:
        await server.start()
    except OSError as error:
        raise CannotListen(str(error)) from None
    gateway.grpc_listens.set()
    try:
        await gateway.draining.wait()
        server.report_draining()
        await gateway.stopping.wait()
    finally:  # also if another part could not start: gRPC's threads would delay the end of the process
        await server.stop(gateway.settings.shutdown_seconds if gateway.stopping.is_set() else 0)


async def _serve_metrics(gateway: Gateway) -> MetricsServer:
    settings = gateway.settings
    server = MetricsServer(gateway.metrics.registry)
    try:
        await server.start(settings.host, settings.metrics_port)
    except OSError as error:
        address = f"{settings.host}:{settings.metrics_port}"
        raise CannotListen(f"LIBRARY_SERVICE_METRICS_PORT: {address} can't be bound: {_reason(error)}") from None
    return server


def _reason(error: OSError) -> str:
    """Returns the system's message without the sentence with the address that asyncio adds."""
    return os.strerror(error.errno) if error.errno else str(error)

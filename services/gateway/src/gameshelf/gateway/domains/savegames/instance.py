"""Cloud saves in one process: their bucket is opened here."""

from functools import partial

from gameshelf.gateway.domains.savegames.after_commit import after_commit
from gameshelf.gateway.domains.savegames.export import export_files
from gameshelf.gateway.domains.savegames.grpc import CloudSaves
from gameshelf.gateway.domains.savegames.grpc_sets import LARGE_REQUESTS
from gameshelf.gateway.domains.savegames.jobs import ObjectSweeper, SaveKeeper, erase_objects
from gameshelf.gateway.domains.savegames.list_writer import LISTS_SECONDS, ListWriter
from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.plans import GameVersionKeeper, PlanNotes
from gameshelf.gateway.domains.savegames.sets import SetCommits, SetSigner
from gameshelf.gateway.domains.savegames.settings import SavegameSection
from gameshelf.gateway.domains.savegames.support.conflicts import Conflicts
from gameshelf.gateway.domains.savegames.support.devices import devices_with_saves
from gameshelf.gateway.domains.savegames.support.finding import find_in_saves
from gameshelf.gateway.domains.savegames.support.overview import overview
from gameshelf.gateway.domains.savegames.support.policies import Policies
from gameshelf.gateway.domains.savegames.support.quota import Quotas
from gameshelf.gateway.domains.savegames.support.reconcile import Reconciles
from gameshelf.gateway.domains.savegames.support.saves import CloudSavesOfUsers
from gameshelf.gateway.domains.savegames.support.uploads import Uploads
from gameshelf.gateway.domains.savegames.use_cases import Bucket, Saves
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.http.routing import Queries
from gameshelf.gateway.runtime.jobs.erasure import Erasing, erase_rows
from gameshelf.gateway.runtime.jobs.schedule import Job
from gameshelf.gateway.runtime.probes import answers_http
from gameshelf.gateway.runtime.settings import ServiceRole, Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.kernel.clock import Clock
from gameshelf.kernel.database import Connection
from gameshelf.library import AccessQueries
from gameshelf.playtime import PlaytimeQueries
from gameshelf.savegames import (
    SavegameAdoption,
    SavegameConflicts,
    SavegameDevices,
    SavegamePlans,
    SavegamePreferences,
    SavegameService,
    SavegameSets,
    SavegameSummaries,
    SavegameUploads,
    SeenGameVersions,
    UploadQueries,
)

_WRITERS = frozenset({ServiceRole.API, ServiceRole.JOBS})
"""The roles of processes that write lists: where a set is committed, its list is written at once."""

_PLANNERS = frozenset({ServiceRole.API})
"""The roles of processes that make plans."""


async def create(runtime: Runtime) -> DomainInstance:
    """Raises SettingsError, StoreUnavailable."""
    settings, acquire, transactions, metrics = runtime.settings, runtime.acquire, runtime.transactions, runtime.metrics
    bucket, section = await _open_bucket(runtime), settings.of(SavegameSection)
    limits = section.limits
    own_metrics = metrics.of(SavegameMetrics)
    saves = Saves(bucket, transactions, own_metrics, section.s3_url_ttl_seconds, limits.quota_bytes)
    keeper = SaveKeeper(acquire, transactions, limits, metrics=metrics)
    seen = SeenGameVersions()
    game_versions = GameVersionKeeper(acquire, seen)
    sweeper = ObjectSweeper(acquire, saves, metrics, limits)
    lists = ListWriter(acquire, saves, metrics)
    commits = SetCommits(saves, transactions, acquire, own_metrics, lambda transaction: transaction.of(SavegameSets))
    notes = PlanNotes(transactions, seen, own_metrics)
    signer = SetSigner(saves, acquire, UploadQueries, own_metrics)
    return DomainInstance(
        resources={Saves: saves, SetCommits: commits, SetSigner: signer, PlanNotes: notes},
        servicers=[CloudSaves(transactions, acquire, runtime.streams, saves, commits, signer, _make_plans, notes)],
        large_requests=LARGE_REQUESTS,
        support=[
            lambda context: CloudSavesOfUsers(context, saves),
            lambda context: Reconciles(context, saves, limits),
            Conflicts,
            Policies,
            Uploads,
            lambda context: Quotas(context, saves, limits),
        ],
        overview=overview(limits),
        devices=devices_with_saves,
        finders=[find_in_saves],
        after_commit=after_commit(own_metrics, lists.woken),
        export_files=export_files(saves),
        jobs=[
            Job("saves", keeper.run_once, 10.0, waits_for_restore=True),
            Job("lists", lists.run_once, LISTS_SECONDS, woken=lists.woken, roles=_WRITERS),
            Job("game versions", game_versions.run_once, 5.0, roles=_PLANNERS),
            Job("objects", sweeper.run_once, 60.0, waits_for_restore=True),
        ],
        erasing=Erasing(rows=[erase_rows(runtime.services[SavegameService])], objects=erase_objects(saves)),
        checks={"s3": partial(answers_http, section.s3_url)} if section.s3_url else {},
        close=partial(_close, commits, bucket),
    )


async def _close(commits: SetCommits, bucket: Bucket | None) -> None:
    await commits.close()
    if bucket:
        await bucket.close()


async def _open_bucket(runtime: Runtime) -> Bucket | None:
    settings = runtime.settings
    if settings.of(SavegameSection).s3_bucket is None:
        return None
    # Imported here because the client takes half a second and 45 MB, which a process without a store saves.
    from gameshelf.gateway.domains.savegames.object_store import object_store

    bucket = object_store(settings, runtime.metrics, runtime.tracing)
    if bucket:
        await bucket.open()
    return bucket


def make_services(settings: Settings) -> Services:
    """Returns the factories of the services; the library decides who has access to a product."""
    section = settings.of(SavegameSection)
    limits, bucket = section.limits, section.s3_bucket or ""

    def make_uploads(context: ServiceContext) -> SavegameUploads:
        access, clock = AccessQueries(context.connection), _one_moment(context.clock)
        return SavegameUploads(context.connection, context.record, access, clock, limits, bucket, context.serialise)

    def make_sets(context: ServiceContext) -> SavegameSets:
        access, clock = AccessQueries(context.connection), _one_moment(context.clock)
        return SavegameSets(context.connection, context.record, access, clock, limits, bucket, context.serialise)

    def make_saves(context: ServiceContext) -> SavegameService:
        clock = _one_moment(context.clock)
        return SavegameService(context.connection, context.record, clock, limits, context.serialise)

    def make_conflicts(context: ServiceContext) -> SavegameConflicts:
        clock = _one_moment(context.clock)
        return SavegameConflicts(context.connection, context.record, clock, limits, context.serialise)

    def make_adoption(context: ServiceContext) -> SavegameAdoption:
        clock = _one_moment(context.clock)
        return SavegameAdoption(context.connection, context.record, clock, limits, bucket, context.serialise)

    def make_devices(context: ServiceContext) -> SavegameDevices:
        return SavegameDevices(context.connection, context.serialise)

    def make_preferences(context: ServiceContext) -> SavegamePreferences:
        return SavegamePreferences(context.connection, _one_moment(context.clock), context.serialise)

    return {
        SavegameDevices: make_devices,
        SavegamePreferences: make_preferences,
        SavegameService: make_saves,
        SavegameUploads: make_uploads,
        SavegameSets: make_sets,
        SavegameConflicts: make_conflicts,
        SavegameAdoption: make_adoption,
    }


def make_queries(settings: Settings) -> Queries:
    """Returns the factories of the queries that depend on settings or other packages: plans ask playtime what was
    played.
    """
    quota_bytes = settings.of(SavegameSection).savegame_quota_bytes

    def make_summaries(connection: Connection) -> SavegameSummaries:
        return SavegameSummaries(connection, quota_bytes)

    return {SavegamePlans: _make_plans, SavegameSummaries: make_summaries}


def _make_plans(connection: Connection) -> SavegamePlans:
    return SavegamePlans(connection, PlaytimeQueries(connection))


def _one_moment(clock: Clock) -> Clock:
    """Fixes the time of one transaction, so that a version and its event have the same time."""
    now = clock()
    return lambda: now

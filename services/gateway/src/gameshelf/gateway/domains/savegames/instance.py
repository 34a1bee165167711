"""Cloud saves in one process: their bucket is opened here."""

from gameshelf.gateway.domains.savegames.export import export_files
from gameshelf.gateway.domains.savegames.grpc import CloudSaves
from gameshelf.gateway.domains.savegames.support.conflicts import Conflicts
from gameshelf.gateway.domains.savegames.support.overview import overview
from gameshelf.gateway.domains.savegames.support.quota import Quotas
from gameshelf.gateway.domains.savegames.support.reconcile import Reconciles
from gameshelf.gateway.domains.savegames.support.saves import CloudSavesOfUsers
from gameshelf.gateway.domains.savegames.use_cases import Bucket, Saves
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime
from gameshelf.gateway.runtime.settings import Settings
from gameshelf.gateway.runtime.transaction import ServiceContext, Services
from gameshelf.kernel.clock import Clock
from gameshelf.library import AccessQueries
from gameshelf.savegames import SavegameAdoption, SavegameConflicts, SavegameService, SavegameUploads


async def create(runtime: Runtime) -> DomainInstance:
    """Raises SettingsError, StoreUnavailable."""
    settings, transactions = runtime.settings, runtime.transactions
    limits = settings.savegame_limits
    bucket = await _open_bucket(runtime)
    saves = Saves(bucket, transactions, runtime.metrics, settings.s3_url_ttl_seconds, limits.quota_bytes)
    cloud_saves = CloudSaves(transactions, runtime.acquire, runtime.streams, saves)
    return DomainInstance(
        resources={Saves: saves},
        servicers=[cloud_saves],
        support=[
            lambda context: CloudSavesOfUsers(context, saves),
            lambda context: Reconciles(context, saves, limits),
            Conflicts,
            lambda context: Quotas(context, saves, limits),
        ],
        overview=overview(limits),
        export_files=export_files(saves),
        close=bucket.close if bucket else None,
    )


async def _open_bucket(runtime: Runtime) -> Bucket | None:
    settings = runtime.settings
    if settings.s3_bucket is None:
        return None
    # Imported where it is used: the client takes half a second and 45 MB, which a process without a store saves.
    from gameshelf.gateway.domains.savegames.object_store import object_store

    bucket = object_store(settings, runtime.metrics, runtime.tracing)
    if bucket:
        await bucket.open()
    return bucket


def make_services(settings: Settings) -> Services:
    """The library says whose games they are."""
    limits, bucket = settings.savegame_limits, settings.s3_bucket or ""

    def make_uploads(context: ServiceContext) -> SavegameUploads:
        access, clock = AccessQueries(context.connection), _one_moment(context.clock)
        return SavegameUploads(context.connection, context.record, access, clock, limits, bucket, context.serialise)

    def make_saves(context: ServiceContext) -> SavegameService:
        clock = _one_moment(context.clock)
        return SavegameService(context.connection, context.record, clock, limits, context.serialise)

    def make_conflicts(context: ServiceContext) -> SavegameConflicts:
        clock = _one_moment(context.clock)
        return SavegameConflicts(context.connection, context.record, clock, limits, context.serialise)

    def make_adoption(context: ServiceContext) -> SavegameAdoption:
        clock = _one_moment(context.clock)
        return SavegameAdoption(context.connection, context.record, clock, limits, bucket, context.serialise)

    return {
        SavegameService: make_saves,
        SavegameUploads: make_uploads,
        SavegameConflicts: make_conflicts,
        SavegameAdoption: make_adoption,
    }


def _one_moment(clock: Clock) -> Clock:
    """The clock of one transaction on saves: a version and the event about it have the same time."""
    now = clock()
    return lambda: now

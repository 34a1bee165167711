"""The use cases of settings. They record events and never commit.

Each one asks for serialisation of its user first, so what it reads cannot change until it has written.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gameshelf.kernel.access import ProductAccess, require_access
from gameshelf.kernel.clock import Clock, utc_now
from gameshelf.kernel.database import BoundStatement, Connection
from gameshelf.kernel.errors import InvalidInput
from gameshelf.kernel.events import RecordEvent
from gameshelf.kernel.serialise import Serialise, by_advisory_lock
from gameshelf.settings._commands import Address, NewSettings, SettingsPatch
from gameshelf.settings._errors import PreconditionFailed, SettingsNotFound, SettingsTooLarge
from gameshelf.settings._events import SettingsUpdated
from gameshelf.settings._history.queries import KeptPayloads
from gameshelf.settings._models import LayerKind
from gameshelf.settings._revisions import LayerPrecondition
from gameshelf.settings._rules import (
    MAX_VALUES,
    Json,
    checked,
    has_more_values,
    is_same,
    patched,
    size,
    too_many_values,
)
from gameshelf.settings._store import ERASURE, SettingsStore, StoredOverlay, StoredSettings, lookup_settings
from gameshelf.settings._views import ACCOUNT, MergedSettings, view

DEFAULT_MAX_BYTES = 262_144
MAX_OVERLAYS = 64
"""How many platforms and devices have a layer of their own, a game. One more evicts the one unused for longest."""

Layer = tuple[LayerKind, str]
_POINTER = "settings_payload"


class SettingsService:
    """A user's settings, over one connection inside a transaction.

    ``access`` decides who may play what; ``record`` receives the events; ``max_bytes`` bounds a layer. ``serialise``
    lets one transaction at a time change a user's settings: by default an advisory lock, which costs one round trip per
    call.
    """

    def __init__(
        self,
        connection: Connection,
        record: RecordEvent,
        access: ProductAccess,
        clock: Clock = utc_now,
        max_bytes: int = DEFAULT_MAX_BYTES,
        serialise: Serialise | None = None,
    ) -> None:
        self._connection = connection
        self._serialise = serialise or by_advisory_lock(connection)
        self._store = SettingsStore(connection)
        self._record = record
        self._access = access
        self._clock = clock
        self._max_bytes = max_bytes

    @staticmethod
    def lookup(user_id: UUID, product_id: UUID, address: Address) -> BoundStatement:
        """Returns what ``put``, ``patch`` and ``delete`` read after the access."""
        return lookup_settings(user_id, product_id, address.overlays())

    async def put(
        self,
        user_id: UUID,
        product_id: UUID,
        address: Address,
        new: NewSettings,
        given: LayerPrecondition | None = None,
    ) -> tuple[MergedSettings, bool]:
        """Writes a whole layer. Returns the settings after it, and whether the game had none before.

        A new overlay beyond 64 replaces the least recently used one. Raises PreconditionFailed with the current state,
        SettingsTooLarge, InvalidInput, and the refusals of ``access``.
        """
        payload = self._checked(new.settings_payload)
        return await self._write(user_id, product_id, address, given, lambda _: payload)

    async def patch(
        self,
        user_id: UUID,
        product_id: UUID,
        address: Address,
        patch: SettingsPatch,
        given: LayerPrecondition | None = None,
    ) -> tuple[MergedSettings, bool]:
        """Changes a layer by a merge patch (RFC 7396). A missing layer counts as empty. Raises as ``put``."""
        changes = self._checked(patch.settings_payload)
        return await self._write(user_id, product_id, address, given, lambda layer: patched(layer, changes))

    async def _write(
        self,
        user_id: UUID,
        product_id: UUID,
        address: Address,
        given: LayerPrecondition | None,
        change: Callable[[Json], Json],
    ) -> tuple[MergedSettings, bool]:
        layer = address.layer()
        await self._serialise(user_id)
        await require_access(self._access, user_id, product_id)
        stored, revision = await self._store.load(user_id, product_id, address.overlays())
        kind = layer[0] if layer else None
        if given and not given.holds(kind, stored.revision_of(kind) if stored else 0):
            raise _changed(product_id, stored, address)
        return await self._replace(
            user_id, product_id, address, stored, revision, change((stored.layer(layer) if stored else None) or {})
        )

    async def restore(
        self, user_id: UUID, product_id: UUID, address: Address, revision: int
    ) -> tuple[MergedSettings, bool]:
        """Writes a payload that was replaced or deleted, as a new revision; for support, so access is not needed.

        Returns as ``put``. Raises SettingsNotFound where it is not kept, SettingsTooLarge, InvalidInput.
        """
        layer = address.layer()
        await self._serialise(user_id)
        payload = await KeptPayloads(self._connection).payload(user_id, product_id, layer, revision)
        if payload is None:
            raise SettingsNotFound(revision=revision)
        stored, next_revision = await self._store.load(user_id, product_id, address.overlays())
        return await self._replace(user_id, product_id, address, stored, next_revision, payload)

    async def _replace(
        self,
        user_id: UUID,
        product_id: UUID,
        address: Address,
        stored: StoredSettings | None,
        revision: int,
        payload: Json,
    ) -> tuple[MergedSettings, bool]:
        """Writes a whole layer, and emits the event, unless it is as it was."""
        layer = address.layer()
        kind = layer[0] if layer else None
        before = stored.layer(layer) if stored else None
        now = self._clock()
        if stored and is_same(payload, before):  # without an event
            await self._store.mark_synced(user_id, product_id, now)
            if layer:
                await self._store.mark_used(user_id, product_id, [layer], now)
            return replace(view(product_id, stored, address), revision=stored.revision_of(kind)), False
        self._require_small(payload)
        evicted: Layer | None = None
        if stored and not stored.is_counted:
            await self._store.store_revisions(user_id, product_id)
        if layer and before is None and stored and stored.overlay_count >= MAX_OVERLAYS:
            evicted = await self._store.evict(user_id, product_id, now)
        await self._store.put(user_id, product_id, layer, payload, revision, now, is_new=before is None)
        if evicted:
            self._emit(user_id, product_id, revision, evicted, now, is_deleted=True)
        self._emit(user_id, product_id, revision, layer, now)
        after = _with(stored, layer, payload, revision, now)
        return view(product_id, after, address), stored is None or not stored.exists

    async def delete(
        self, user_id: UUID, product_id: UUID, address: Address, given: LayerPrecondition | None = None
    ) -> None:
        """Deletes one overlay, or all layers for an empty address. Raises SettingsNotFound, PreconditionFailed."""
        layer = address.layer()
        await self._serialise(user_id)
        stored, revision = await self._store.load(user_id, product_id, address.overlays())
        if given and not await self._may_delete(user_id, product_id, layer, given, stored):
            raise _changed(product_id, stored, address)
        if stored is None or not stored.exists or (layer and stored.layer(layer) is None):
            raise SettingsNotFound
        if not stored.is_counted:
            await self._store.store_revisions(user_id, product_id)
        now = self._clock()
        await self._store.delete(user_id, product_id, layer, revision, now)
        self._emit(user_id, product_id, revision, layer, now, is_deleted=True)

    async def delete_layer(self, user_id: UUID, product_id: UUID, address: Address) -> None:
        """Deletes one layer, for an empty address that of the account alone. Raises SettingsNotFound, InvalidInput."""
        if address.layer():
            return await self.delete(user_id, product_id, address)
        await self._serialise(user_id)
        stored, revision = await self._store.load(user_id, product_id, [])
        if stored is None or stored.account is None:
            raise SettingsNotFound
        if not stored.is_counted:
            await self._store.store_revisions(user_id, product_id)
        now = self._clock()
        await self._store.delete_account(user_id, product_id, revision, now)
        self._record_change(user_id, product_id, revision, ACCOUNT, None, now, is_deleted=True)
        return None

    async def _may_delete(
        self,
        user_id: UUID,
        product_id: UUID,
        layer: Layer | None,
        given: LayerPrecondition,
        stored: StoredSettings | None,
    ) -> bool:
        if layer:
            return given.holds(layer[0], stored.revision_of(layer[0]) if stored else 0)
        found = await self._store.layers(user_id, product_id)
        overlays = frozenset((LayerKind(row["layer"]), row["revision"]) for row in found if row["name"] is not None)
        return given.holds_for_all(stored.account_revision if stored else 0, overlays)

    def _checked(self, payload: Json) -> Json:
        # Each value takes at least two bytes. Refused before any value is checked: to check a million of them would
        # delay all requests.
        if has_more_values(payload, min(self._max_bytes // 2, MAX_VALUES)):
            if self._max_bytes // 2 < MAX_VALUES:
                raise SettingsTooLarge(pointer=_POINTER, max_bytes=self._max_bytes)
            raise InvalidInput(too_many_values())
        return checked(payload)

    def _require_small(self, payload: Json) -> None:
        bytes_ = size(payload)
        if bytes_ > self._max_bytes:
            raise SettingsTooLarge(pointer=_POINTER, size_bytes=bytes_, max_bytes=self._max_bytes)

    def _emit(
        self,
        user_id: UUID,
        product_id: UUID,
        revision: int,
        layer: Layer | None,
        now: datetime,
        *,
        is_deleted: bool = False,
    ) -> None:
        kind, name = layer or (None, None)
        of = str(kind) if kind else None if is_deleted else ACCOUNT
        self._record_change(user_id, product_id, revision, of, name, now, is_deleted=is_deleted)

    def _record_change(
        self,
        user_id: UUID,
        product_id: UUID,
        revision: int,
        layer: str | None,
        name: str | None,
        now: datetime,
        *,
        is_deleted: bool,
    ) -> None:
        self._record(
            SettingsUpdated(
                user_id=user_id,
                occurred_at=now,
                product_id=product_id,
                revision=revision,
                layer=layer,
                platform=name if layer == LayerKind.PLATFORM else None,
                device_id=name if layer == LayerKind.DEVICE else None,
                is_deleted=is_deleted,
            )
        )

    async def erase(self, user_id: UUID, limit: int = 1000) -> bool:
        """Deletes at most ``limit`` rows of a user. Returns whether there may be more."""
        return await ERASURE.erase_some(self._connection, user_id, limit)


def _changed(product_id: UUID, stored: StoredSettings | None, address: Address) -> PreconditionFailed:
    exists = stored is not None and stored.exists
    return PreconditionFailed(current=view(product_id, stored, address) if stored and exists else None)


def _with(
    stored: StoredSettings | None, layer: Layer | None, payload: Json, revision: int, now: datetime
) -> StoredSettings:
    before = stored or StoredSettings(0, 0, True, now, now, None, 0)
    after = replace(before, revision=revision, last_updated_at=now, last_synced_with_cloud_at=now)
    if layer is None:
        return replace(after, account=payload, account_revision=revision)
    overlay = StoredOverlay(payload, revision, now)
    return replace(after, overlays={**before.overlays, layer[0]: overlay})

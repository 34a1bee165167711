"""Changes of settings by support: restoring a payload."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.commands import Change
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.settings import Address, LayerKind, LayerPayload, SettingsQueries, SettingsService

_SHOWN_BYTES = 4096
"""The size up to which a payload is in the audit, so that the difference is seen. A larger one is in it by its hash."""
_HASH_DIGITS = 12
_FIELDS: Mapping[str, str] = {LayerKind.PLATFORM: "platform", LayerKind.DEVICE: "device_id"}
"""The field of an address by the kind of its layer."""


@dataclass(frozen=True, slots=True)
class _LayerChange:
    """A change of one layer."""

    user_id: UUID
    product_id: UUID
    address: Address

    async def state(self, transaction: Transaction) -> State:
        settings = SettingsQueries(transaction.connection)
        return _described(await settings.layer(self.user_id, self.product_id, self.address))

    def target(self) -> State:
        return {"product_id": self.product_id, **self.address.model_dump(exclude_none=True)}


@dataclass(frozen=True, slots=True)
class RestoreSettings(_LayerChange):
    """Writes the payload that a layer had at a revision."""

    revision: int
    _evicted: list[State] = field(default_factory=list)
    """The overlay that had to make room, between the restore and the next look at the state."""
    command: ClassVar[str] = "settings restore"

    def target(self) -> State:
        return {**_LayerChange.target(self), "revision": self.revision}

    async def state(self, transaction: Transaction) -> State:
        evicted = self._evicted.pop() if self._evicted else None  # before the query: after a lost race all is repeated
        state = await _LayerChange.state(self, transaction)
        return {**state, "evicted": evicted} if evicted else state

    async def act(self, transaction: Transaction) -> None:
        before = await self._overlays(transaction)
        service = transaction.of(SettingsService)
        await service.restore(self.user_id, self.product_id, self.address, self.revision)
        after = await self._overlays(transaction)
        self._evicted.extend(
            {_FIELDS[kind]: name, "revision": before[kind, name]} for kind, name in before.keys() - after.keys()
        )

    async def _overlays(self, transaction: Transaction) -> dict[tuple[str, str], int]:
        """Returns the revision of each overlay; none unless one is written, which alone evicts others."""
        if self.address.layer() is None:
            return {}
        found = await SettingsQueries(transaction.connection).layers(self.user_id, self.product_id)
        return {(one.layer, one.name): one.revision for one in found if one.name is not None}


@dataclass(frozen=True, slots=True)
class DeleteRestoredLayer(_LayerChange):
    """Deletes a layer that was restored, and restores the overlay that was evicted for it."""

    evicted: State | None
    command: ClassVar[str] = "settings restore"

    async def state(self, transaction: Transaction) -> State:
        state = await _LayerChange.state(self, transaction)
        if self.evicted is None:
            return state
        found = await SettingsQueries(transaction.connection).layer(self.user_id, self.product_id, self._evicted)
        return state if found else {**state, "evicted": self.evicted}

    async def act(self, transaction: Transaction) -> None:
        service = transaction.of(SettingsService)
        await service.delete_layer(self.user_id, self.product_id, self.address)
        if self.evicted:
            await service.restore(self.user_id, self.product_id, self._evicted, self.evicted["revision"])

    @property
    def _evicted(self) -> Address:
        return Address(**{name: value for name, value in (self.evicted or {}).items() if name != "revision"})


def undo_restore(entry: Entry, user_id: UUID) -> Change:
    """Restores the payload that the layer had before. If it had none, deletes the layer, and restores the one that was
    evicted for it.
    """
    target, revision = dict(entry.target), (entry.before or {})["revision"]
    product_id = UUID(target.pop("product_id"))
    target.pop("revision", None)
    address = Address(**target)
    if not revision:
        return DeleteRestoredLayer(user_id, product_id, address, (entry.after or {}).get("evicted"))
    return RestoreSettings(user_id, product_id, address, revision)


def _described(of: LayerPayload | None) -> State:
    if of is None:
        return {"revision": 0, "size_bytes": 0, "sha256": None, "settings_payload": None}
    text = encode(of.payload)
    return {
        "revision": of.revision,
        "size_bytes": len(text),
        "sha256": sha256(text).hexdigest()[:_HASH_DIGITS],
        "settings_payload": of.payload if len(text) <= _SHOWN_BYTES else None,
    }

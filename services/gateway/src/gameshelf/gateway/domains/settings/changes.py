"""Changes of settings by support: restoring a payload."""

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar
from uuid import UUID

from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.support.audit import Entry, State
from gameshelf.gateway.runtime.support.commands import Change
from gameshelf.gateway.runtime.transaction import Transaction
from gameshelf.settings import Address, LayerPayload, SettingsQueries, SettingsService

_SHOWN_BYTES = 4096
"""The size up to which a payload is in the audit, so that the difference is seen. A larger one is in it by its hash."""
_HASH_DIGITS = 12


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
    command: ClassVar[str] = "settings restore"

    def target(self) -> State:
        return {**_LayerChange.target(self), "revision": self.revision}

    async def act(self, transaction: Transaction) -> None:
        service = transaction.of(SettingsService)
        await service.restore(self.user_id, self.product_id, self.address, self.revision)


@dataclass(frozen=True, slots=True)
class DeleteRestoredLayer(_LayerChange):
    """Deletes a layer that was restored."""

    command: ClassVar[str] = "settings restore"

    async def act(self, transaction: Transaction) -> None:
        await transaction.of(SettingsService).delete_layer(self.user_id, self.product_id, self.address)


def undo_restore(entry: Entry, user_id: UUID) -> Change:
    """Restores the payload that the layer had before, or deletes the layer if it had none."""
    target, revision = dict(entry.target), (entry.before or {})["revision"]
    product_id = UUID(target.pop("product_id"))
    target.pop("revision", None)
    address = Address(**target)
    if not revision:
        return DeleteRestoredLayer(user_id, product_id, address)
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

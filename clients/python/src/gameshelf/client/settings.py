"""Settings of games, and a change of them that other devices do not lose."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from gameshelf.client.answers import LibraryAnswer
from gameshelf.client.errors import LibraryRefusal
from gameshelf.client.groups import AnyId
from gameshelf.client.operations import SettingsCalls

if TYPE_CHECKING:
    from gameshelf.client.schemas import GameSettings

Payload = dict[str, Any]
_TRIES = 8


class SettingsGroup(SettingsCalls):
    """The calls about settings."""

    async def update(
        self,
        product_id: AnyId,
        change: Callable[[Payload], Payload | None],
        *,
        platform: str | None = None,
        device_id: str | None = None,
    ) -> "LibraryAnswer[GameSettings]":
        """Changes a layer: the account's, or the overlay of a platform or of a device.

        ``change`` receives the layer, alters it or returns another one, and is called again if another device was
        quicker. Raises LibraryRefusal (412) if others are quicker eight times.
        """
        layer = "device" if device_id is not None else "platform" if platform is not None else "account"
        sent: Payload | None = None
        for tried in range(_TRIES):
            found = await self._found(product_id, platform, device_id)
            current = layer_of(found.data["attributes"], layer) if found else {}
            if found and sent is not None and current == sent:
                return found  # an earlier try has won, and its answer was lost
            altered = deepcopy(current)
            wanted = change(altered)
            wanted = altered if wanted is None else wanted
            try:
                return await self.put_settings(
                    product_id,
                    {"settings_payload": wanted},
                    platform=platform,
                    device_id=device_id,
                    if_match=found.etag if found else None,
                    if_none_match=None if found else "*",
                )
            except LibraryRefusal as refusal:
                if refusal.status != 412 or tried == _TRIES - 1:
                    raise
                sent = wanted if refusal.is_repeated else None
        raise AssertionError

    async def _found(
        self, product_id: AnyId, platform: str | None, device_id: str | None
    ) -> "LibraryAnswer[GameSettings] | None":
        try:
            return await self.get_settings(product_id, platform=platform, device_id=device_id)
        except LibraryRefusal as refusal:
            if refusal.code != "SETTINGS_NOT_FOUND":
                raise
            return None


def layer_of(attributes: Mapping[str, Any], layer: str) -> Payload:
    """What one layer has of merged settings. An overlay hides what is below it, so all of it is there to be seen."""

    def part(value: Any, places: Any) -> Any:
        if not isinstance(places, dict):
            return value if places == layer else _NOTHING
        inner = {key: part(value[key], place) for key, place in places.items() if key in value}
        found = {key: one for key, one in inner.items() if one is not _NOTHING}
        return found or _NOTHING

    found = part(attributes["settings_payload"], attributes["settings_layers"])
    return {} if found is _NOTHING else dict(found)


_NOTHING: Any = object()

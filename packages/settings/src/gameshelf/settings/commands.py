"""What a client may ask and change, validated."""

from typing import Annotated, Any, ClassVar

from gameshelf.kernel.clock import Moment
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from gameshelf.kernel.text import Name
from gameshelf.settings.models import LayerKind
from gameshelf.settings.rules import MAX_VALUES
from pydantic import BaseModel, ConfigDict, Field

Platform = Annotated[Name, Field(max_length=50)]
DeviceId = Annotated[Name, Field(max_length=100)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Address(_Command):
    """Which layers are meant: the account's, with a platform's or a device's on top."""

    platform: Platform | None = None
    """Platform whose overlay is meant."""
    device_id: DeviceId | None = None
    """Device whose overlay is meant."""

    def overlays(self) -> list[tuple[LayerKind, str]]:
        """The overlays that are named, the lower one first."""
        named = ((LayerKind.PLATFORM, self.platform), (LayerKind.DEVICE, self.device_id))
        return [(kind, name) for kind, name in named if name is not None]

    def layer(self) -> tuple[LayerKind, str] | None:
        """The one layer that a write is about; None is the account's. Raises InvalidInput when two are named."""
        overlays = self.overlays()
        if len(overlays) > 1:
            raise InvalidInput(Problem("one_layer", parameter="device_id"))
        return overlays[0] if overlays else None


class GameFilter(_Command):
    """Which of the games that have settings, and which page of them."""

    since: Moment | None = None
    """Only games whose settings changed then or later, deleted ones too."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        """The page that is wanted."""
        return Page(self.page, self.limit)


class NewSettings(_Command):
    """A whole layer."""

    most_values: ClassVar[int] = MAX_VALUES
    """How many values it may have, which no schema can say: whoever reads it counts them first."""

    settings_payload: dict[str, Any]
    """The settings of the layer, as the game defines them."""


class SettingsPatch(_Command):
    """A JSON Merge Patch (RFC 7396) of a layer."""

    most_values: ClassVar[int] = MAX_VALUES
    """How many values it may have, which no schema can say: whoever reads it counts them first."""

    settings_payload: dict[str, Any]
    """What changes in the layer: null removes a key."""

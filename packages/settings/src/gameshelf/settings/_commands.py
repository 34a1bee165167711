"""The commands and filters of settings, validated."""

from typing import Annotated, Any, ClassVar

from gameshelf.kernel.clock import Moment
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from gameshelf.kernel.text import Name
from gameshelf.settings._models import LayerKind
from gameshelf.settings._rules import MAX_VALUES
from pydantic import BaseModel, ConfigDict, Field

Platform = Annotated[Name, Field(max_length=50)]
DeviceId = Annotated[Name, Field(max_length=100)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Address(_Command):
    """The layers of a request: the account's, and the overlays of a platform and of a device."""

    platform: Platform | None = None
    """Platform of the overlay."""
    device_id: DeviceId | None = None
    """Device of the overlay."""

    def overlays(self) -> list[tuple[LayerKind, str]]:
        """Returns the overlays of the request, the lower one first."""
        named = ((LayerKind.PLATFORM, self.platform), (LayerKind.DEVICE, self.device_id))
        return [(kind, name) for kind, name in named if name is not None]

    def layer(self) -> tuple[LayerKind, str] | None:
        """Returns the layer to write; None is the account's. Raises InvalidInput where the request has two overlays."""
        overlays = self.overlays()
        if len(overlays) > 1:
            raise InvalidInput(Problem("one_layer", parameter="device_id"))
        return overlays[0] if overlays else None


class GameFilter(_Command):
    """The filter and the page of a list of the games with settings."""

    since: Moment | None = None
    """Only games whose settings changed at this time or later, including deleted settings."""
    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        """The requested page."""
        return Page(self.page, self.limit)


class NewSettings(_Command):
    """A whole layer."""

    most_values: ClassVar[int] = MAX_VALUES
    """The maximum number of values. No JSON Schema can express it, so the reader of a request counts them first."""

    settings_payload: dict[str, Any]
    """Settings of the layer, as the game defines them."""


class SettingsPatch(_Command):
    """A JSON Merge Patch (RFC 7396) of a layer."""

    most_values: ClassVar[int] = MAX_VALUES
    """The maximum number of values. No JSON Schema can express it, so the reader of a request counts them first."""

    settings_payload: dict[str, Any]
    """Changes of the layer. Null removes a key."""

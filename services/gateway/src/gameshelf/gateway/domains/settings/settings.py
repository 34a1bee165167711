"""The service's settings for game settings."""

from typing import Annotated

from gameshelf.gateway.runtime.setting_fields import SettingsSection, var
from pydantic import Field


class GameSettingsSection(SettingsSection):
    """The service's settings for game settings."""

    max_bytes: Annotated[int, Field(ge=1024, le=16 * 1024**2)] = var(
        "SETTINGS_MAX_BYTES", "Size limit of one layer of a game's settings", 262_144
    )

"""The settings of play sessions that are not shared with other domains."""

from typing import Annotated

from gameshelf.gateway.runtime.setting_fields import SettingsSection, var
from pydantic import Field


class PlaytimeSection(SettingsSection):
    """The settings of play sessions that are not shared with other domains."""

    import_max_age_days: Annotated[int, Field(ge=1, le=3650)] = var(
        "PLAYTIME_IMPORT_MAX_AGE_DAYS", "Maximum age of an imported session", 90
    )

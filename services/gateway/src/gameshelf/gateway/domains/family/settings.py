"""The settings of family sharing that are not shared with other domains."""

from typing import Annotated

from gameshelf.gateway.runtime.setting_fields import SettingsSection, var
from pydantic import Field


class FamilySection(SettingsSection):
    """The settings of family sharing that are not shared with other domains."""

    max_members: Annotated[int, Field(ge=1, le=100)] = var(
        "FAMILY_MAX_MEMBERS", "Maximum number of members per owner, and of owners per member", 5
    )

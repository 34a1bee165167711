"""The settings of players in their games: layers of JSON, revisions, and their merge.

This module is the whole public API of the package. Don't import from the modules below it.
"""

from gameshelf.kernel.migrations import Migrations
from gameshelf.kernel.nesting import MAX_LEVELS, too_deep
from gameshelf.settings._commands import Address, GameFilter, NewSettings, SettingsPatch
from gameshelf.settings._errors import PreconditionFailed, SettingsNotFound, SettingsTooLarge
from gameshelf.settings._events import SettingsUpdated
from gameshelf.settings._history.queries import KeptPayloads, KeptPayloadView, KeptPlace
from gameshelf.settings._history.store import MAX_KEPT, MAX_KEPT_BYTES, prune_kept_payloads
from gameshelf.settings._models import METADATA, SCHEMA, LayerKind
from gameshelf.settings._queries import SettingsQueries, count_games_with_settings
from gameshelf.settings._revisions import LayerPrecondition, Revisions, parse_tag
from gameshelf.settings._rules import MAX_VALUES, merged, patched
from gameshelf.settings._service import DEFAULT_MAX_BYTES, MAX_OVERLAYS, SettingsService
from gameshelf.settings._timeline.queries import TIMELINE
from gameshelf.settings._views import GameView, LayerPayload, LayerView, MergedSettings

__version__ = "0.3.0.dev0"

MIGRATIONS = Migrations("gameshelf.settings", SCHEMA)

__all__ = [
    "DEFAULT_MAX_BYTES",
    "MAX_KEPT",
    "MAX_KEPT_BYTES",
    "MAX_LEVELS",
    "MAX_OVERLAYS",
    "MAX_VALUES",
    "METADATA",
    "MIGRATIONS",
    "TIMELINE",
    "Address",
    "GameFilter",
    "GameView",
    "KeptPayloadView",
    "KeptPayloads",
    "KeptPlace",
    "LayerKind",
    "LayerPayload",
    "LayerPrecondition",
    "LayerView",
    "MergedSettings",
    "NewSettings",
    "PreconditionFailed",
    "Revisions",
    "SettingsNotFound",
    "SettingsPatch",
    "SettingsQueries",
    "SettingsService",
    "SettingsTooLarge",
    "SettingsUpdated",
    "count_games_with_settings",
    "merged",
    "parse_tag",
    "patched",
    "prune_kept_payloads",
    "too_deep",
]

"""All SQL that only reads saves. It needs no transaction and no lock."""

from gameshelf.savegames._queries.accounts import SavegameAccounts, TopUsers, UserUsage
from gameshelf.savegames._queries.devices import SavingDevice, saving_devices
from gameshelf.savegames._queries.finding import FoundConflict, FoundSave, FoundUpload, SavegameFinding
from gameshelf.savegames._queries.overview import SavegameOverview, savegame_overview
from gameshelf.savegames._queries.saves import Downloadable, SavegameQueries
from gameshelf.savegames._queries.summaries import DeviceSaveState, ProductSaves, SavegameSummaries
from gameshelf.savegames._queries.support import ConflictPlace, ConflictState, SavegameSupport, UserConflict

__all__ = [
    "ConflictPlace",
    "ConflictState",
    "DeviceSaveState",
    "Downloadable",
    "FoundConflict",
    "FoundSave",
    "FoundUpload",
    "ProductSaves",
    "SavegameAccounts",
    "SavegameFinding",
    "SavegameOverview",
    "SavegameQueries",
    "SavegameSummaries",
    "SavegameSupport",
    "SavingDevice",
    "TopUsers",
    "UserConflict",
    "UserUsage",
    "savegame_overview",
    "saving_devices",
]

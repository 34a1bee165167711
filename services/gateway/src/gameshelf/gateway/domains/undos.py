"""How each change is taken back: command → the change that leads to where it began. The one table."""

from collections.abc import Mapping

from gameshelf.gateway.domains.achievements import changes as achievements
from gameshelf.gateway.domains.family import changes as family
from gameshelf.gateway.domains.library import changes as library
from gameshelf.gateway.domains.playtime import changes as playtime
from gameshelf.gateway.domains.savegames.changes import quota, saves
from gameshelf.gateway.runtime.support.changes import Undo

UNDOS: Mapping[str, Undo] = {
    "achievements grant": achievements.undo,
    "achievements revoke": achievements.undo,
    "family reopen": family.undo_reopen,
    "family revoke": family.undo_revoke,
    "library grant": library.undo_grant,
    "library revoke": library.undo_revoke,
    "playtime correct": playtime.undo_correction,
    "saves restore": saves.undo_restore,
    "saves pin": saves.undo_pin,
    "quota set": quota.undo,
    "quota reset": quota.undo,
}

"""How each change is taken back: command → the change that leads to where it began. The one table."""

from collections.abc import Mapping

from gameshelf.gateway.admin import achievements, family, library, playtime, quota, saves
from gameshelf.gateway.admin.changes import Undo

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

"""Support's commands on cloud saves."""

from gameshelf.gateway.domains.savegames.support import conflicts, policies, quota, reconcile, saves, uploads

COMMANDS = (
    *saves.COMMANDS,
    *reconcile.COMMANDS,
    *conflicts.COMMANDS,
    *policies.COMMANDS,
    *quota.COMMANDS,
    *uploads.COMMANDS,
)

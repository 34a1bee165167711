"""The commands of the runtime itself: the search, devices, the outbox, dead letters and the audit."""

from gameshelf.gateway.runtime.support.commands import ADMIN, ANY, change_command, read_command

OWN_COMMANDS = (
    read_command("devices list", "ListDevices"),
    read_command("find", "Find"),
    read_command("events outbox", "ShowOutbox"),
    read_command("events dlq list", "ListDeadLetters"),
    change_command("events dlq replay", "ReplayDeadLetters", ADMIN),
    read_command("audit list", "ListAudit"),
    read_command("audit show", "ShowAudit"),
    change_command("audit undo", "UndoChange", ANY),
)

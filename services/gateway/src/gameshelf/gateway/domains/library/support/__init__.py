"""Support's commands on libraries and access."""

from gameshelf.gateway.domains.library.support import access, library, orders

COMMANDS = (*library.COMMANDS, *access.COMMANDS, *orders.COMMANDS)

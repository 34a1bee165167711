"""Accounts: overview, export and erasure of a user."""

from gameshelf.gateway.domains.accounts import consumed, support
from gameshelf.gateway.domains.accounts.instance import create
from gameshelf.gateway.domains.accounts.settings import AccountsSection
from gameshelf.gateway.runtime.domain import Domain

DOMAIN = Domain("accounts", create, consumed=consumed.EVENTS, commands=support.COMMANDS, settings=AccountsSection)

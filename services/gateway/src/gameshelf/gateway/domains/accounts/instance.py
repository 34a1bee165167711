"""Accounts in one process."""

from gameshelf.gateway.domains.accounts.directory import Directory
from gameshelf.gateway.domains.accounts.settings import AccountsSection
from gameshelf.gateway.domains.accounts.support import Users
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime


async def create(runtime: Runtime) -> DomainInstance:
    address = runtime.settings.of(AccountsSection).account_grpc_addr
    directory = Directory(address) if address else None
    return DomainInstance(
        support=[Users],
        search_accounts=directory.search if directory else None,
        close=directory.close if directory else None,
    )

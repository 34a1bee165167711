"""Accounts in one process."""

from gameshelf.gateway.domains.accounts.support import Users
from gameshelf.gateway.runtime.domain import DomainInstance, Runtime


async def create(runtime: Runtime) -> DomainInstance:
    return DomainInstance(support=[Users])

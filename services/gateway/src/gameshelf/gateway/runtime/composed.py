"""The tables that the runtime serves, built from all domains. What two domains declare both is refused at the start."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gameshelf.gateway.runtime.domain import Domain, DomainInstance
from gameshelf.gateway.runtime.errors import OWN_ERRORS, ErrorTable
from gameshelf.gateway.runtime.http.routing import Queries, Route, bind
from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvents
from gameshelf.gateway.runtime.outbox.forwarded import ForwardedEvents
from gameshelf.gateway.runtime.products import MakeProductNames
from gameshelf.gateway.runtime.setting_fields import Section
from gameshelf.gateway.runtime.settings import Settings, fields_of
from gameshelf.gateway.runtime.streams import Versions
from gameshelf.gateway.runtime.support.commands import Commands
from gameshelf.gateway.runtime.support.export_tables import OWN_RULES, ExportRules
from gameshelf.gateway.runtime.support.own_commands import OWN_COMMANDS
from gameshelf.gateway.runtime.transaction import EventRules, Reaction, Services
from gameshelf.kernel.events import Event
from gameshelf.kernel.migrations import Migrations
from sqlalchemy import MetaData

K = TypeVar("K")
V = TypeVar("V")


def migrations_of(domains: Sequence[Domain]) -> Sequence[Migrations]:
    """Raises ValueError where two domains own one schema."""
    found = _united(domains, lambda domain: {domain.migrations.schema: domain.migrations} if domain.migrations else {})
    return tuple(found.values())


def metadata_of(domains: Sequence[Domain]) -> Sequence[MetaData]:
    """The tables of each domain that has some."""
    return tuple(domain.metadata for domain in domains if domain.metadata is not None)


def routes_of(domains: Sequence[Domain]) -> Sequence[Route]:
    """Raises ValueError where two domains serve one call."""
    found = _united(domains, lambda domain: {(route.method, route.path): route for route in domain.routes})
    return tuple(found.values())


def bound_routes_of(domains: Sequence[Domain], instances: Sequence[DomainInstance]) -> Sequence[Route]:
    """The routes of each domain, with what this process has of it. Raises TypeError where a route asks for more."""
    return tuple(
        bind(route, instance.resources)
        for domain, instance in zip(domains, instances, strict=True)
        for route in domain.routes
    )


def services_of(domains: Sequence[Domain], settings: Settings) -> Services:
    """How each domain's services are made. Raises ValueError where two domains make one."""
    return _united(domains, lambda domain: domain.services(settings))


def queries_of(domains: Sequence[Domain], settings: Settings) -> Queries:
    """How those reads are made that depend on settings. Raises ValueError where two domains make one."""
    return _united(domains, lambda domain: domain.queries(settings))


def event_rules_of(domains: Sequence[Domain]) -> EventRules:
    """What becomes of each event; several domains may react to one, in their order. Raises ValueError where two publish
    or forward one type.
    """
    reactions: dict[type[Event], list[Reaction]] = {}
    for domain in domains:
        for event, added in domain.reactions.items():
            reactions.setdefault(event, []).extend(added)
    forwarded = _united(domains, lambda domain: {one.event.__name__: one for one in domain.forwarded})
    return EventRules(
        _united(domains, lambda domain: domain.published),
        reactions,
        ForwardedEvents(list(forwarded.values())),
        frozenset[str]().union(*(domain.bulk_topics for domain in domains)),
    )


def consumed_of(domains: Sequence[Domain]) -> ConsumedEvents:
    """The events that domains consume; several may consume one type, and apply it in their order. Raises ValueError
    where two contradict each other about a type or a topic.
    """
    return ConsumedEvents({domain.name: domain.consumed for domain in domains})


def commands_of(domains: Sequence[Domain]) -> Commands:
    """The support commands of the runtime and of all domains. Raises ValueError where two share a name or an RPC."""
    by_name = _united(domains, lambda domain: {command.name: command for command in domain.commands})
    _united(domains, lambda domain: {command.rpc: command for command in domain.commands})
    return Commands([*OWN_COMMANDS, *by_name.values()])


def export_rules_of(domains: Sequence[Domain]) -> ExportRules:
    """The rules of an export. Raises ValueError where two domains have rules for the same table."""
    return ExportRules(
        {**OWN_RULES.found_by, **_united(domains, lambda domain: domain.export.found_by)},
        {**OWN_RULES.left_out, **_united(domains, lambda domain: domain.export.left_out)},
        _united(domains, lambda domain: domain.export.files),
    )


def errors_of(domains: Sequence[Domain]) -> ErrorTable:
    """The error codes and rules of the runtime and of all domains. Raises ValueError for one that is declared twice."""
    codes = _united(domains, lambda domain: domain.codes)
    rules = _united(domains, lambda domain: domain.rules)
    for name in (*(codes.keys() & OWN_ERRORS.codes.keys()), *(rules.keys() & OWN_ERRORS.rules.keys())):
        raise ValueError(f"{name!r} is declared by a domain and by the runtime")
    return ErrorTable({**OWN_ERRORS.codes, **codes}, {**OWN_ERRORS.rules, **rules})


def product_names_of(domains: Sequence[Domain]) -> MakeProductNames:
    """How titles and covers of products are read. Raises ValueError unless exactly one domain knows them."""
    found = {domain.name: domain.product_names for domain in domains if domain.product_names}
    if len(found) != 1:
        raise ValueError(f"exactly one domain has to name products: {', '.join(found) or 'none does'}")
    return next(iter(found.values()))


def sections_of(domains: Sequence[Domain]) -> Sequence[type[Section]]:
    """The settings of each domain that has some. Raises ValueError where two declare one variable."""
    sections = [domain.settings for domain in domains if domain.settings is not None]
    fields_of(sections)
    return sections


def versions_of(domains: Sequence[Domain]) -> Versions | None:
    """The versions on which pages depend beside those of users. Raises ValueError where two domains have some."""
    found = {domain.name: domain.versions for domain in domains if domain.versions is not None}
    if len(found) > 1:
        raise ValueError(f"only one domain may have versions: {', '.join(found)}")
    return next(iter(found.values()), None)


def retention_of(domains: Sequence[Domain]) -> Sequence[RetentionRule]:
    """Raises ValueError where two domains have a rule of one name."""
    found = _united(domains, lambda domain: {rule.name: rule for rule in domain.retention})
    return tuple(found.values())


def _united(domains: Sequence[Domain], table: Callable[[Domain], Mapping[K, V]]) -> dict[K, V]:
    """One table of the tables of all domains, in their order. Raises ValueError where two have the same key."""
    owners: dict[K, str] = {}
    united: dict[K, V] = {}
    for domain in domains:
        for key, value in table(domain).items():
            if key in owners:
                raise ValueError(f"{key!r} is declared by two domains: {owners[key]} and {domain.name}")
            owners[key] = domain.name
            united[key] = value
    return united

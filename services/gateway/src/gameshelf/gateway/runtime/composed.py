"""Builds the runtime's tables from all domains. A declaration that two domains make is an error at the start."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gameshelf.gateway.runtime.domain import Domain, DomainInstance
from gameshelf.gateway.runtime.errors import OWN_ERRORS, ErrorTable
from gameshelf.gateway.runtime.health import OWN_CHECKS, ReadinessCheck
from gameshelf.gateway.runtime.http.routing import Queries, Route, bind
from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvents
from gameshelf.gateway.runtime.observability.metrics import DomainMetrics
from gameshelf.gateway.runtime.outbox.forwarded import ForwardedEvents
from gameshelf.gateway.runtime.products import MakeProductNames
from gameshelf.gateway.runtime.setting_fields import SettingsSection
from gameshelf.gateway.runtime.settings import Settings, fields_of
from gameshelf.gateway.runtime.streams import Versions
from gameshelf.gateway.runtime.support.commands import Commands
from gameshelf.gateway.runtime.support.export_tables import OWN_RULES, ExportRules
from gameshelf.gateway.runtime.support.own_commands import OWN_COMMANDS
from gameshelf.gateway.runtime.support.timeline import OWN_TIMELINE
from gameshelf.gateway.runtime.transaction import EventRules, Reaction, Services
from gameshelf.kernel.events import Event
from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.migrations import Migrations
from sqlalchemy import MetaData

K = TypeVar("K")
V = TypeVar("V")


def migrations_of(domains: Sequence[Domain]) -> Sequence[Migrations]:
    """Returns the migrations of all domains. Raises ValueError if two domains own one schema."""
    found = _united(domains, lambda domain: {domain.migrations.schema: domain.migrations} if domain.migrations else {})
    return tuple(found.values())


def metadata_of(domains: Sequence[Domain]) -> Sequence[MetaData]:
    """Returns the tables of each domain that has some."""
    return tuple(domain.metadata for domain in domains if domain.metadata is not None)


def routes_of(domains: Sequence[Domain]) -> Sequence[Route]:
    """Returns the routes of all domains. Raises ValueError if two domains serve one call."""
    found = _united(domains, lambda domain: {(route.method, route.path): route for route in domain.routes})
    return tuple(found.values())


def bound_routes_of(domains: Sequence[Domain], instances: Sequence[DomainInstance]) -> Sequence[Route]:
    """Binds the routes of each domain to its objects in this process. Raises TypeError for an unknown parameter."""
    return tuple(
        bind(route, instance.resources)
        for domain, instance in zip(domains, instances, strict=True)
        for route in domain.routes
    )


def services_of(domains: Sequence[Domain], settings: Settings) -> Services:
    """Returns the factories of all services. Raises ValueError if two domains make the same one."""
    return _united(domains, lambda domain: domain.services(settings))


def queries_of(domains: Sequence[Domain], settings: Settings) -> Queries:
    """Returns the factories of queries that depend on settings. Raises ValueError if two domains make the same one."""
    return _united(domains, lambda domain: domain.queries(settings))


def event_rules_of(domains: Sequence[Domain]) -> EventRules:
    """Returns the rules for all events. Several domains may react to one type, in their order. Raises ValueError if two
    domains publish or forward one type.
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
    """Returns the events that domains consume. Several domains may consume one type, and apply it in their order.
    Raises ValueError if two domains contradict each other about a type or a topic.
    """
    return ConsumedEvents({domain.name: domain.consumed for domain in domains})


def commands_of(domains: Sequence[Domain]) -> Commands:
    """Returns the support commands of the runtime and all domains. Raises ValueError if two share a name or an RPC."""
    by_name = _united(domains, lambda domain: {command.name: command for command in domain.commands})
    _united(domains, lambda domain: {command.rpc: command for command in domain.commands})
    return Commands([*OWN_COMMANDS, *by_name.values()])


def export_rules_of(domains: Sequence[Domain]) -> ExportRules:
    """Returns the rules of an export. Raises ValueError if two domains have rules for the same table."""
    return ExportRules(
        {**OWN_RULES.found_by, **_united(domains, lambda domain: domain.export.found_by)},
        {**OWN_RULES.left_out, **_united(domains, lambda domain: domain.export.left_out)},
        _united(domains, lambda domain: domain.export.files),
    )


def errors_of(domains: Sequence[Domain]) -> ErrorTable:
    """Returns the error codes and rules of the runtime and all domains. Raises ValueError for a repeated one."""
    codes = _united(domains, lambda domain: domain.codes)
    rules = _united(domains, lambda domain: domain.rules)
    for name in (*(codes.keys() & OWN_ERRORS.codes.keys()), *(rules.keys() & OWN_ERRORS.rules.keys())):
        raise ValueError(f"{name!r} is declared by a domain and by the runtime")
    return ErrorTable({**OWN_ERRORS.codes, **codes}, {**OWN_ERRORS.rules, **rules})


def product_names_of(domains: Sequence[Domain]) -> MakeProductNames:
    """Returns the factory for names of products. Raises ValueError unless exactly one domain has it."""
    found = {domain.name: domain.product_names for domain in domains if domain.product_names}
    if len(found) != 1:
        raise ValueError(f"exactly one domain has to name products: {', '.join(found) or 'none does'}")
    return next(iter(found.values()))


def sections_of(domains: Sequence[Domain]) -> Sequence[type[SettingsSection]]:
    """Returns the settings of each domain that has some. Raises ValueError if two declare one variable."""
    sections = [domain.settings for domain in domains if domain.settings is not None]
    fields_of(sections)
    return sections


def metrics_of(domains: Sequence[Domain]) -> Sequence[type[DomainMetrics]]:
    """Returns the metrics of each domain that has some."""
    return tuple(domain.metrics for domain in domains if domain.metrics is not None)


def versions_of(domains: Sequence[Domain]) -> Versions | None:
    """Returns the versions that pages depend on besides those of users. Raises ValueError if two domains have some."""
    found = {domain.name: domain.versions for domain in domains if domain.versions is not None}
    if len(found) > 1:
        raise ValueError(f"only one domain may have versions: {', '.join(found)}")
    return next(iter(found.values()), None)


def retention_of(domains: Sequence[Domain]) -> Sequence[RetentionRule]:
    """Returns the retention rules of all domains. Raises ValueError if two rules have one name."""
    found = _united(domains, lambda domain: {rule.name: rule for rule in domain.retention})
    return tuple(found.values())


def timeline_of(domains: Sequence[Domain]) -> Mapping[str, Happenings]:
    """Returns the kinds of happenings of all domains and of the runtime, by name. Raises ValueError for two of one
    name.
    """
    own = {one.kind: one for one in OWN_TIMELINE}
    found = _united(domains, lambda domain: {one.kind: one for one in domain.timeline})
    for name in found.keys() & own.keys():
        raise ValueError(f"{name!r} is declared by a domain and by the runtime")
    return dict(sorted({**own, **found}.items()))


def checks_of(domains: Sequence[Domain], instances: Sequence[DomainInstance]) -> Mapping[str, ReadinessCheck]:
    """Returns the readiness checks of all domains. Raises ValueError if two have the same name, or if one has the name
    of a check of the runtime.
    """
    checks = {domain.name: instance.checks for domain, instance in zip(domains, instances, strict=True)}
    found = _united(domains, lambda domain: checks[domain.name])
    for name in found.keys() & OWN_CHECKS:
        raise ValueError(f"{name!r} is declared by a domain and by the runtime")
    return found


def _united(domains: Sequence[Domain], table: Callable[[Domain], Mapping[K, V]]) -> dict[K, V]:
    """Merges the tables of all domains, in their order. Raises ValueError if two have the same key."""
    owners: dict[K, str] = {}
    united: dict[K, V] = {}
    for domain in domains:
        for key, value in table(domain).items():
            if key in owners:
                raise ValueError(f"{key!r} is declared by two domains: {owners[key]} and {domain.name}")
            owners[key] = domain.name
            united[key] = value
    return united

"""Composes the declarations of all domains into the tables that the parts of the service use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gameshelf.gateway.runtime import tables
from gameshelf.gateway.runtime.composed import (
    commands_of,
    consumed_of,
    errors_of,
    event_rules_of,
    export_rules_of,
    metadata_of,
    metrics_of,
    migrations_of,
    product_names_of,
    retention_of,
    routes_of,
    timeline_of,
    versions_of,
)
from gameshelf.gateway.runtime.domain import Domain
from gameshelf.gateway.runtime.errors import ErrorTable
from gameshelf.gateway.runtime.http import events
from gameshelf.gateway.runtime.http.routing import Route
from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.gateway.runtime.kafka.consumed import ConsumedEvents
from gameshelf.gateway.runtime.observability.metrics import DomainMetrics
from gameshelf.gateway.runtime.products import MakeProductNames
from gameshelf.gateway.runtime.streams import state_statement
from gameshelf.gateway.runtime.support.commands import Commands
from gameshelf.gateway.runtime.support.export_tables import ExportRules
from gameshelf.gateway.runtime.transaction import EventRules
from gameshelf.kernel.database import Statement
from gameshelf.kernel.happenings import Happenings
from gameshelf.kernel.migrations import Migrations
from sqlalchemy import MetaData


@dataclass(frozen=True, slots=True)
class Composition:
    """The tables of the service. Each has the entries of the domains and of the runtime."""

    domains: Sequence[Domain]
    migrations: Sequence[Migrations]
    metadata: Sequence[MetaData]
    state: Statement
    """Reads the versions of a user's data."""
    routes: Sequence[Route]
    consumed: ConsumedEvents
    event_rules: EventRules
    commands: Commands
    errors: ErrorTable
    export: ExportRules
    retention: Sequence[RetentionRule]
    timeline: Mapping[str, Happenings]
    product_names: MakeProductNames
    metrics: Sequence[type[DomainMetrics]]


def compose(domains: Sequence[Domain]) -> Composition:
    """Composes the tables. Raises ValueError if domains contradict each other."""
    return Composition(
        domains=domains,
        migrations=(tables.MIGRATIONS, *migrations_of(domains)),
        metadata=(tables.METADATA, *metadata_of(domains)),
        state=state_statement(versions_of(domains)),
        routes=(*routes_of(domains), *events.routes.all),
        consumed=consumed_of(domains),
        event_rules=event_rules_of(domains),
        commands=commands_of(domains),
        errors=errors_of(domains),
        export=export_rules_of(domains),
        retention=retention_of(domains),
        timeline=timeline_of(domains),
        product_names=product_names_of(domains),
        metrics=metrics_of(domains),
    )

"""The tables that the runtime gets from the domains: they keep the domains' order, and no entry is in two of them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from gameshelf.gateway.domains import DOMAINS
from gameshelf.gateway.runtime.after_commit import AfterCommit
from gameshelf.gateway.runtime.composed import (
    checks_of,
    commands_of,
    export_rules_of,
    migrations_of,
    product_names_of,
    queries_of,
    retention_of,
    routes_of,
    services_of,
    versions_of,
)
from gameshelf.gateway.runtime.domain import Domain, DomainInstance
from gameshelf.gateway.runtime.http.routing import Routes
from gameshelf.gateway.runtime.jobs.retention_rules import RetentionRule
from gameshelf.gateway.runtime.streams import Versions
from gameshelf.gateway.runtime.support.commands import read_command
from gameshelf.gateway.runtime.support.export_tables import ExportRules
from gameshelf.gateway.wiring import CONSUMED, EVENT_RULES
from gameshelf.kernel.events import Event
from gameshelf.kernel.migrations import Migrations
from sqlalchemy import literal


async def create(runtime):
    return DomainInstance()


def domain(name, **declared):
    return Domain(name, create, **declared)


def routes(*paths):
    declared = Routes("things", "Things.")
    for path in paths:
        declared.read(path)(handler)
    return declared.all


async def handler(read):
    """Answers."""


async def prune(connection, before, limit):
    return 0


class Service:
    pass


TABLES = {
    "a schema": (migrations_of, lambda: {"migrations": Migrations("gameshelf.things", "things")}),
    "a call": (routes_of, lambda: {"routes": routes("/things")}),
    "a service": (lambda of: services_of(of, None), lambda: {"services": lambda settings: {Service: Service}}),
    "a command": (lambda of: commands_of(of).all[-1:], lambda: {"commands": [read_command("x show", "ShowThing")]}),
    "an RPC": (lambda of: commands_of(of).all[-1:], lambda: {"commands": [read_command(f"x {uuid4()}", "ShowThing")]}),
    "rows of an export": (
        lambda of: export_rules_of(of).files,
        lambda: {"export": ExportRules(files={"things.things": lambda row: None})},
    ),
    "a rule of retention": (retention_of, lambda: {"retention": [RetentionRule("things", timedelta(days=1), prune)]}),
    "a read": (lambda of: queries_of(of, None), lambda: {"queries": lambda settings: {Service: Service}}),
}


@pytest.mark.parametrize("what", TABLES)
def test_what_two_domains_declare_is_refused(what):
    compose, declare = TABLES[what]
    assert len(compose([domain("one", **declare())])) == 1
    with pytest.raises(ValueError, match="declared by two domains: one and other"):
        compose([domain("one", **declare()), domain("other", **declare())])


async def check():
    return None


def test_readiness_checks_have_different_names():
    domains, instance = [domain("one"), domain("other")], DomainInstance(checks={"store": check})
    assert checks_of(domains, [instance, DomainInstance(checks={"mail": check})]) == {"store": check, "mail": check}
    with pytest.raises(ValueError, match="'store' is declared by two domains: one and other"):
        checks_of(domains, [instance, instance])
    with pytest.raises(ValueError, match="'redis' is declared by a domain and by the runtime"):
        checks_of(domains, [instance, DomainInstance(checks={"redis": check})])


def test_tables_keep_the_order_of_the_domains():
    domains = [domain("one", routes=routes("/b", "/a")), domain("other", routes=routes("/c"))]
    assert [route.path for route in routes_of(domains)] == ["/b", "/a", "/c"]


def test_each_domain_has_one_name():
    names = [one.name for one in DOMAINS]
    assert len(set(names)) == len(names)


def test_exactly_one_domain_names_products():
    silent, one, other = domain("silent"), domain("one", product_names=object), domain("other", product_names=object)
    assert product_names_of([silent, one]) is object
    with pytest.raises(ValueError, match="none does"):
        product_names_of([silent])
    with pytest.raises(ValueError, match="one, other"):
        product_names_of([one, other])


def test_every_event_has_a_published_form():
    """Also an event without subscribers: without a form its commit fails."""
    events = {_name(of) for of in _subclasses(Event)}
    public = {name for name in events if name.startswith("gameshelf.") and not name.rpartition(".")[2].startswith("_")}
    assert {_name(of) for of in EVENT_RULES.forms} == public


def _name(of):
    return f"{of.__module__}.{of.__name__}"


def _subclasses(of):
    for one in of.__subclasses__():
        yield one
        yield from _subclasses(one)


def test_no_bulk_topic_is_consumed():
    """A dead letter goes back to its topic among the user's other records, and so never to a bulk topic."""
    assert EVENT_RULES.bulk_topics
    assert EVENT_RULES.bulk_topics.isdisjoint(CONSUMED.topics)


def test_only_one_domain_has_versions_of_pages():
    versions = Versions(literal(1), literal("links"))
    assert versions_of([domain("one"), domain("other", versions=versions)]) is versions
    assert versions_of([domain("one")]) is None
    with pytest.raises(ValueError, match="one, other"):
        versions_of([domain("one", versions=versions), domain("other", versions=versions)])


def test_each_handler_of_an_event_is_called_after_the_commit():
    handled = []
    tables = [{int: handled.append}, {}, {int: handled.append, str: handled.append}]
    AfterCommit(tables).handle([1, "one", 2.0])
    assert handled == [1, 1, "one"]

"""The commands of support, as the domains and the runtime list them, agree with the service and with each other."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
from gameshelf.gateway.domains import DOMAINS
from gameshelf.gateway.runtime.composed import commands_of
from gameshelf.gateway.runtime.identity import Role
from gameshelf.gateway.runtime.support.audit import Entry
from gameshelf.gateway.runtime.support.commands import ADMIN, ANY, CommandKind, Commands, change_command, read_command
from gameshelf.gateway.runtime.support.export_tables import _value
from gameshelf.gateway.runtime.support.rpc.service import SERVICE, LibraryAdmin
from sqlalchemy import BigInteger, Column, DateTime, Integer, SmallInteger

COMMANDS = commands_of(DOMAINS)


def test_every_call_is_a_command():
    assert {method.name for method in SERVICE.methods} == COMMANDS.by_rpc.keys()


def test_no_command_is_for_players_or_services():
    assert {role for command in COMMANDS.all for role in command.roles} == {Role.SUPPORT, Role.ADMIN}
    assert all(Role.ADMIN in command.roles for command in COMMANDS.all)


def test_every_change_asks_for_options():
    for command in COMMANDS.all:
        has_options = "change" in SERVICE.methods_by_name[command.rpc].input_type.fields_by_name
        assert has_options == (command.kind is CommandKind.CHANGE), command.name


def test_only_changes_can_be_undone():
    assert {command.kind for command in COMMANDS.all if command.undo} == {CommandKind.CHANGE}
    assert COMMANDS.by_name["audit undo"].undo is None


@pytest.mark.parametrize("other", [read_command("quota show", "ShowThing"), read_command("thing show", "ShowQuota")])
def test_two_commands_share_neither_name_nor_call(other):
    with pytest.raises(ValueError, match="quota show"):
        Commands([read_command("quota show", "ShowQuota"), other])


class Quotas:
    async def ShowQuota(self, request, by): ...


@pytest.mark.parametrize("nouns", [[], [object()], [Quotas(), Quotas()]])
def test_a_command_is_served_by_exactly_one_object(nouns):
    context = SimpleNamespace(commands=Commands([read_command("quota show", "ShowQuota")]), audit=None)
    LibraryAdmin(context, [Quotas(), object()])
    with pytest.raises(ValueError, match="ShowQuota"):
        LibraryAdmin(context, nouns)


def undo(entry, user_id):
    raise NotImplementedError


def test_only_changes_by_an_undoable_command_can_be_undone():
    commands = Commands(
        [
            change_command("quota set", "SetQuota", ANY, undo),
            change_command("user erase", "EraseUser", ADMIN),
        ]
    )
    before, after = {"limit_bytes": None}, {"limit_bytes": 1}
    entry = Entry(
        1, datetime.now(UTC), "change", "quota set", uuid4(), "admin", uuid4(), {}, "", before, after, None, None, None
    )
    assert commands.undo_of(entry) is undo
    for other in (
        {"kind": "refusal"},
        {"user_id": None},
        {"after": before},
        {"undone_by": 2},
        {"command": "user erase"},
    ):
        assert commands.undo_of(replace(entry, **other)) is None, other


@pytest.mark.parametrize(
    ("kind", "most"), [(SmallInteger(), 2**15), (Integer(), 2**31), (BigInteger(), 2**63)], ids=["2", "4", "8"]
)
def test_an_export_cursor_has_no_number_beyond_its_column(kind, most):
    assert _value(Column("n", kind), most - 1) == most - 1
    for beyond in (most, -most - 1):
        with pytest.raises(ValueError, match=r"^$"):
            _value(Column("n", kind), beyond)


def test_an_export_cursor_has_no_time_that_the_database_lacks():
    column = Column("at", DateTime(timezone=True))
    assert _value(column, "2026-01-01T00:00:00Z") == datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    with pytest.raises(OverflowError):
        _value(column, "0001-01-01T00:00:00+14:00")

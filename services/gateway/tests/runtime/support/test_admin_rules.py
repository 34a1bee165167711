"""The tables of support's commands agree with each other."""

from datetime import datetime

import pytest
from gameshelf.gateway.domains.undos import UNDOS
from gameshelf.gateway.runtime.identity import Role
from gameshelf.gateway.runtime.support.commands import BY_NAME, BY_RPC, COMMANDS, Kind
from gameshelf.gateway.runtime.support.export_tables import _value
from gameshelf.gateway.runtime.support.rpc.service import SERVICE
from gameshelf.gateway.wiring import NOUNS
from sqlalchemy import BigInteger, Column, DateTime, Integer, SmallInteger


def test_every_call_is_a_command():
    assert {method.name for method in SERVICE.methods} == BY_RPC.keys()
    assert len(BY_NAME) == len(COMMANDS)


def test_no_command_is_for_players_or_services():
    assert {role for command in COMMANDS for role in command.roles} == {Role.SUPPORT, Role.ADMIN}
    assert all(Role.ADMIN in command.roles for command in COMMANDS)


def test_every_change_asks_for_options():
    for command in COMMANDS:
        has_options = "change" in SERVICE.methods_by_name[command.rpc].input_type.fields_by_name
        assert has_options == (command.kind is Kind.CHANGE), command.name


def test_what_can_be_undone_has_a_way_back():
    assert UNDOS.keys() == {command.name for command in COMMANDS if command.can_undo}


def test_every_command_is_served_by_one_noun():
    served = [command.rpc for command in COMMANDS for noun in NOUNS if hasattr(noun, command.rpc)]
    assert sorted(served) == sorted(BY_RPC)


@pytest.mark.parametrize(
    ("kind", "most"), [(SmallInteger(), 2**15), (Integer(), 2**31), (BigInteger(), 2**63)], ids=["2", "4", "8"]
)
def test_a_cursor_of_an_export_holds_no_number_that_its_column_does_not(kind, most):
    assert _value(Column("n", kind), most - 1) == most - 1
    for beyond in (most, -most - 1):
        with pytest.raises(ValueError, match=r"^$"):
            _value(Column("n", kind), beyond)


def test_a_cursor_of_an_export_holds_no_time_that_the_database_does_not():
    column = Column("at", DateTime(timezone=True))
    assert _value(column, "2026-01-01T00:00:00Z") == datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    with pytest.raises(OverflowError):
        _value(column, "0001-01-01T00:00:00+14:00")

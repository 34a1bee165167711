"""The ports of the service: which ones, and what is wrong with those that the caller has set."""

import os
import socket
from collections.abc import Mapping

HOST = "127.0.0.1"
PORT_VARIABLES = {
    "LIBRARY_SERVICE_HTTP_PORT": 8084,
    "LIBRARY_SERVICE_GRPC_PORT": 9094,
    "LIBRARY_SERVICE_METRICS_PORT": 9090,
}


def port_of(variable: str) -> int:
    """The port that a variable names, or the contract's."""
    return int(os.environ.get(variable) or PORT_VARIABLES[variable])


def mistake_in(variables: Mapping[str, str]) -> str | None:
    """Returns what is wrong with the ports that are set, and what to set; None if nothing is."""
    chosen: dict[int, str] = {}
    for name, usual in PORT_VARIABLES.items():
        given = variables.get(name) or str(usual)
        if not (given.isascii() and given.isdecimal() and 1 <= int(given) <= 65535):
            return f"{name}={given} is no port; set it to a number from 1 to 65535"
        if other := chosen.get(int(given)):
            return f"{other} and {name} are both {given}; set one of them to another port"
        chosen[int(given)] = name
    return None


def refusal_of_taken() -> str | None:
    """Returns which port of the service can't be had, and what to do; None if all can."""
    for variable in PORT_VARIABLES:
        port = port_of(variable)
        if listens(port):
            return f"{variable}: port {port} is taken; stop what uses it, or set {variable} to another one"
        with socket.socket() as probe:
            # Without this option the connections of a program that has just ended would look like one that runs.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except PermissionError:
                return f"{variable}: only root may use port {port}; set {variable} to 1024 or more"
            except OSError:
                return f"{variable}: port {port} is taken; stop what uses it, or set {variable} to another one"
    return None


def listens(port: int) -> bool:
    """Returns whether a program listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0

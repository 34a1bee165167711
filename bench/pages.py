"""First page of a library whose rendered bytes the process knows, on both servers; beside a bare Quart route.

One process on one core, the load generator on another one. The route returns the bytes of the service's answer.
"""

import argparse
import asyncio
import sys

from _libraries import Library, seed
from _load import Run, load
from _serving import SERVERS
from _stack import Stack, on_cores, parser, report, start_bare, started
from gameshelf.devstack.measurements import Figure
from library import PLAIN, fetch, request

BARE = "bare Quart route"


def measure(stack: Stack, options: argparse.Namespace) -> dict[str, list[Run]]:
    """The runs of the service and of the floor, by the server and what it serves."""
    libraries = [Library() for _ in range(options.users)]
    asyncio.run(seed(stack.platform.dsn, libraries))
    requests = [request(stack.platform.token(library.user), PLAIN("")) for library in libraries]
    page, ports = stack.directory / "page.json", {}
    for server in SERVERS:
        service = stack.platform.service(LIBRARY_SERVICE_ROLES="api", LIBRARY_SERVICE_SERVER=server)
        with on_cores(0):
            service.start()
            page.write_bytes(fetch(service, requests[0]))
            _, port = start_bare(stack.directory, "_bare.py", server, str(page))
        ports |= {f"{server} {BARE}": port, server: service.http_port}
    found: dict[str, list[Run]] = {name: [] for name in ports}
    with on_cores(1):
        for port in ports.values():
            load(port, requests, options.connections, options.seconds / 2)  # pages become known
        for turn in range(options.rounds):
            for name, port in list(ports.items())[:: 1 if turn % 2 else -1]:
                found[name].append(load(port, requests, options.connections, options.seconds))
    return found


def figures(found: dict[str, list[Run]]) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            what=f"page known, {server.title()}",
            unit="requests/s",
            rounds=tuple(run.a_second for run in found[server]),
            floor_name=BARE,
            floor=tuple(run.a_second for run in found[f"{server} {BARE}"]),
        )
        for server in SERVERS
    )


def main() -> None:
    options_of = parser("pages", __doc__, of_versions=True)
    options_of.add_argument("--users", type=int, default=200, help="libraries that are asked for in turn (200)")
    options_of.add_argument("--connections", type=int, default=32, help="requests in flight (32)")
    options_of.add_argument("--seconds", type=float, default=4, help="length of a run (4)")
    options = options_of.parse_args()
    with started(checkout=options.checkout) as stack:
        found = measure(stack, options)
    report(figures(found), options.json)
    if failed := {name: sum(run.failed for run in runs) for name, runs in found.items()}:
        sys.exit(f"failed: {failed}" if any(failed.values()) else 0)


if __name__ == "__main__":
    main()

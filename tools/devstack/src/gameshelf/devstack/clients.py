"""What a shell, and the programs started from it, need to use the running stack."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
ADDRESS_VARIABLES = ("LIBRARY_API", "LIBRARY_WS", "LIBRARY_GRPC", "LIBCTL_ENDPOINT")
SUPPORT = "5afe0000-0000-4000-8000-000000000000"
"""A member of support: any id is one, the token's role decides."""


def addresses(settings: Mapping[str, str]) -> dict[str, str]:
    """The variables that the examples, `libctl` and `savesync` read."""
    http = f"127.0.0.1:{settings['LIBRARY_SERVICE_HTTP_PORT']}"
    grpc = f"127.0.0.1:{settings['LIBRARY_SERVICE_GRPC_PORT']}"
    api, events = f"http://{http}/api/v1/library", f"ws://{http}/api/v1/ws/library-updates"
    return dict(zip(ADDRESS_VARIABLES, (api, events, grpc, grpc), strict=True))


def past_proxies(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that keep calls of this machine from a proxy; none where no proxy is set.

    Most HTTP clients, and gRPC, would ask a proxy for 127.0.0.1, and wait for a service that is there.
    """
    if not any(name.lower() in _PROXIES and value for name, value in variables.items()):
        return {}
    given = variables.get("no_proxy") or variables.get("NO_PROXY") or ""
    names = [name.strip() for name in given.split(",") if name.strip()]
    value = ",".join(dict.fromkeys([*names, "127.0.0.1", "localhost"]))
    return {"NO_PROXY": value, "no_proxy": value}


def shell_lines(variables: Mapping[str, str]) -> Sequence[str]:
    """Assignments that any POSIX shell can take over."""
    return [f"{name}={shlex.quote(value)}" for name, value in variables.items()]


def welcome(settings: Mapping[str, str], root: Path, data: Path, anna: UUID, game: UUID, token: str) -> Sequence[str]:
    """What to look at and what to type, in another terminal too: each line works as it stands, in this order."""
    reached = addresses(settings)
    http = reached["LIBRARY_API"].removesuffix("/library")
    purchase = {
        "userId": str(anna),
        "orderId": "tour-1",
        "items": [{"productId": str(game), "productType": "game", "quantity": 1}],
    }
    elsewhere = [f"  export GAMESHELF_DEV_DATA={shlex.quote(str(data.absolute()))}"] if data != root / ".local" else []
    return (
        f"  REST       {reached['LIBRARY_API']}",
        f"  docs       {http}/docs",
        f"  WebSocket  {reached['LIBRARY_WS']}",
        f"  gRPC       {reached['LIBRARY_GRPC']}",
        f"  metrics    http://127.0.0.1:{settings['LIBRARY_SERVICE_METRICS_PORT']}/metrics",
        "",
        f"A token of Anna, a demo player ({anna}), for a day:",
        token,
        "",
        "A shell that finds all of it, with libctl, savesync and the examples:",
        f"  cd {shlex.quote(str(root))}",
        *elsewhere,
        '  export PATH="$PWD/.venv/bin:$PATH"; set -a; eval "$(./dev env)"; set +a',
        "",
        "Buy her a game, and see it arrive:",
        f"  TOKEN=$(./dev token --user {anna})",
        f"  ./dev publish com.platform.payment.purchase.completed.v1 '{json.dumps(purchase)}'",
        '  curl -s -H "Authorization: Bearer $TOKEN" "$LIBRARY_API/items?sort_by=added_at_desc&limit=1"',
        "",
        "See what support sees:",
        f"  export LIBCTL_TOKEN=$(./dev token --user {SUPPORT} --role support)",
        f"  libctl access explain {anna} {game}",
    )

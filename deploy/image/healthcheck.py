"""Whether the service in this container works: exit code 0, or 1 and a line that says why.

It asks for liveness where the process has the role `api`, else for its metrics. It imports nothing of the service,
since it runs every ten seconds.
"""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping


def address(environ: Mapping[str, str]) -> str:
    """What a process with these settings answers as long as it lives."""
    roles = environ.get("LIBRARY_SERVICE_ROLES") or "api"
    if "api" in (role.strip() for role in roles.split(",")):
        return f"http://127.0.0.1:{environ.get('LIBRARY_SERVICE_HTTP_PORT') or 8084}/health/live"
    return f"http://127.0.0.1:{environ.get('LIBRARY_SERVICE_METRICS_PORT') or 9090}/metrics"


def main() -> int:
    """Asks once."""
    asked = address(os.environ)
    try:
        # Without the proxies that the environment may name: they are for other addresses.
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=4).close()
    except (OSError, urllib.error.URLError) as error:
        print(f"healthcheck: {asked}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

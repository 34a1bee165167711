"""The certificates of the web's authorities, which each client of httpx reads."""

import ssl
import sys
from collections.abc import Callable
from functools import cache
from typing import Any


def reading_authorities_once(create: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    """Returns ``ssl.create_default_context`` for tests, which make thousands of clients: reading takes 20 ms of CPU."""
    of_the_web = cache(create)

    def context(*arguments: Any, **options: Any) -> ssl.SSLContext:
        is_httpx = sys._getframe(1).f_globals["__name__"].startswith("httpx.")
        return (of_the_web if is_httpx else create)(*arguments, **options)

    return context

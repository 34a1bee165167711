"""The keys of a JWKS URL: fetched when needed, cached, and dropped when their issuer withdraws them."""

import asyncio
import http.client
import json
import logging
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from gameshelf.gateway.runtime.identity.keys import Key, key_of
from jwt import PyJWK
from jwt.exceptions import PyJWTError

_log = logging.getLogger(__name__)

REFRESH_SECONDS = 30.0
"""An unknown key id causes at most one fetch in this time."""
MAX_AGE_SECONDS = 300.0
"""How long a key that its issuer has withdrawn may still be accepted."""
FETCH_SECONDS = 5.0
_MAX_BYTES = 256 * 1024
_MAX_KEYS = 32


class RemoteKeys:
    """The keys of a JWKS URL. While the URL is away the known ones stay in use."""

    def __init__(self, url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Raises ValueError unless the URL is http or https."""
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError("a JWKS URL begins with https:// or http:// and a host")
        self.generation = 0
        self._url = url
        self._monotonic = monotonic
        self._keys: dict[str | None, list[Key]] = {}
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def find_keys(self, key_id: str | None) -> Sequence[Key]:
        await self.refresh_if_old()
        found = self._known(key_id)
        if not found and (self._is_asking() or self._age() >= REFRESH_SECONDS):
            await self._refresh()
            found = self._known(key_id)
        return found

    async def refresh_if_old(self) -> None:
        """Fetches the keys in the background; waits for the fetch only if the cached keys are too old to be used."""
        age = self._age()
        if age >= MAX_AGE_SECONDS:
            await self._refresh()
        elif age >= MAX_AGE_SECONDS / 2:
            self._ask()

    def _known(self, key_id: str | None) -> Sequence[Key]:
        if key_id is None:
            return [key for keys in self._keys.values() for key in keys]
        return self._keys.get(key_id, ())

    def _age(self) -> float:
        return self._monotonic() - self._asked_at

    def _is_asking(self) -> bool:
        return self._asking is not None and not self._asking.done()

    async def _refresh(self) -> None:
        # Shielded: the caller that started the fetch may be cancelled while others wait for its result.
        await asyncio.shield(self._ask())

    def _ask(self) -> "asyncio.Task[None]":
        if self._asking is None or self._asking.done():
            self._asked_at = self._monotonic()
            self._asking = asyncio.create_task(self._read(), name="jwks")
        return self._asking

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                keys = parse_jwks(await asyncio.to_thread(_fetch, self._url))
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            _log.warning("the JWKS could not be read, the known keys stay in use: %s", reason)
            return
        if keys != self._keys:
            self.generation += 1
            self._keys = keys


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: keys come from the configured URL only."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _fetch(url: str) -> bytes:
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(url, timeout=FETCH_SECONDS) as response:  # the constructor has checked the scheme
        body: bytes = response.read(_MAX_BYTES + 1)
    if len(body) > _MAX_BYTES:
        raise ValueError("the JWKS is too large")
    return body


def parse_jwks(document: bytes) -> dict[str | None, list[Key]]:
    """Returns the usable keys of a JWKS by their id. Raises ValueError if the document is not a JWKS."""
    try:
        entries = json.loads(document)["keys"]
    except (KeyError, TypeError, RecursionError):
        entries = None
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        raise ValueError(f"a JWKS is an object with a list of at most {_MAX_KEYS} keys")
    keys: dict[str | None, list[Key]] = {}
    for entry in entries:
        key = _key(entry)
        if key is not None:
            keys.setdefault(entry.get("kid"), []).append(key)
    return keys


def _key(entry: Any) -> Key | None:
    """Returns the key; None for one of an unsupported kind, so that the others stay usable."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    if not isinstance(entry.get("kid"), str | None):
        return None
    try:
        key = key_of(PyJWK.from_dict(entry).key)
    except (PyJWTError, ValueError, TypeError, AttributeError):
        return None
    return key if entry.get("alg", key.algorithm) == key.algorithm else None

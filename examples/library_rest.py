"""The client for REST of the examples: envelopes, refusals, and retries while the service is away for a moment."""

import json
import os
import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

ADDRESS = os.environ.get("LIBRARY_API", "http://127.0.0.1:8084/api/v1/library")
TRIES = 8


class Refused(Exception):
    """The answer was no: ``code`` says why, ``meta`` has the values that a program needs to handle it."""

    def __init__(self, error: HTTPError) -> None:
        first = {"code": f"HTTP {error.code}"}  # a proxy before the service has no envelope
        if error.headers.get_content_type() == "application/json":
            first = json.load(error)["errors"][0]
        self.code, self.meta = first["code"], first.get("meta", {})
        super().__init__(f"{self.code}: {first.get('detail', error.reason)}")


class Library:
    """The API of the service for the holder of a token."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a GET."""
        return self._read(Request(f"{ADDRESS}/{path}?{urlencode(query)}", headers=self.headers))

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """All resources of a collection."""
        page: Any = {"links": {"next": True}}
        number = 0
        while "next" in page["links"]:
            number += 1
            page = self.get(path, **query, page=number, limit=100)
            yield from page["data"]

    def post(self, path: str, attributes: Any) -> Any:
        """The answer to a POST. The key makes it safe to send it again when an answer was lost."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4()), **self.headers}
        body = json.dumps({"data": {"attributes": attributes}}).encode()
        return self._read(Request(f"{ADDRESS}/{path}", body, headers))

    def _read(self, request: Request) -> Any:
        with send(request) as answer:
            return json.loads(answer.read() or b"null")


def send(request: Request) -> Any:
    """Returns a successful answer, to be read and closed. Raises Refused, or OSError or HTTPException without one."""
    for tried in range(1, TRIES + 1):
        try:
            return urlopen(request, timeout=60)
        except HTTPError as error:
            if error.code not in (429, 503) or tried == TRIES:
                raise Refused(error) from None
            said = error.headers.get("Retry-After") or ""
            pause = int(said) if said.isdigit() else tried
        except (OSError, HTTPException):
            if tried == TRIES:
                raise
            pause = tried
        time.sleep(pause)
    raise AssertionError

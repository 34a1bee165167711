"""Responses and their envelopes (contract, section 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from gameshelf.gateway.runtime.encoding import encode
from gameshelf.gateway.runtime.errors import OWN_ERRORS, ErrorTable, Language
from gameshelf.gateway.runtime.problems import WHOLE_BODY
from gameshelf.kernel.errors import DomainError, InvalidInput, Problem
from gameshelf.kernel.paging import Page

JSON = "application/json"
BASE = "/api/v1/library"


@dataclass(slots=True)
class Reply:
    """A response: a status, an encoded body, and headers besides the usual ones."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def ok(document: Any, status: int = 200, **headers: str) -> Reply:
    """Makes a reply with a resource or any other document."""
    return Reply(status, encode(document), dict(headers))


def no_content() -> Reply:
    return Reply(204)


def render_collection(path: str, query: Mapping[str, Any], data: Sequence[Any], total: int, page: Page) -> bytes:
    """Renders a page of a collection with meta and links; ``query`` are the parameters that the links repeat."""
    last = max(1, -(-total // page.limit))
    # Encoded once for all links: a query may name a hundred products.
    filters = urlencode(query, doseq=True, safe=",") + "&" if query else ""

    def link(number: int) -> str:
        return f"{path}?{filters}page={number}&limit={page.limit}"

    links = {"self": link(page.number), "first": link(1), "last": link(last)}
    if page.number > 1:
        links["prev"] = link(min(page.number - 1, last))
    if page.number < last:
        links["next"] = link(page.number + 1)
    meta = {"total_items": total, "current_page": page.number, "per_page": page.limit}
    return encode({"data": data, "meta": meta, "links": links})


def render_refusal(error: DomainError, language: Language, trace_id: str, errors: ErrorTable = OWN_ERRORS) -> Reply:
    """Renders the error envelope with one entry per problem. Raises KeyError for a code that ``errors`` lacks."""
    code = errors.code(error)
    entry: dict[str, Any] = {"code": error.code, "title": code.titled(language), "detail": code.detailed(language)}
    if isinstance(error, InvalidInput):
        entries = [{**entry, **_problem(problem, language, errors)} for problem in error.problems]
    else:
        if error.pointer:
            entry["source"] = {"pointer": _in_body(error.pointer)}
        if error.meta:
            entry["meta"] = error.meta
        rule = getattr(error, "rule", None)
        entries = [{**entry, "detail": errors.text(rule, {}, language)} if rule else entry]
    headers = {}
    if code.http == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if code.http in (429, 503):
        headers["Retry-After"] = str(getattr(error, "retry_after", 1))
    return Reply(code.http, encode({"errors": entries, "meta": {"trace_id": trace_id}}), headers)


def _in_body(path: str) -> str:
    """Returns the JSON Pointer of a field in the body. Domains name fields of their commands, which are attributes of
    the resource in the body; the empty path is the resource as a whole. Problems that REST itself finds have a pointer
    already.
    """
    if path == WHOLE_BODY:
        return ""
    if not path:
        return "/data"
    return path if path.startswith("/") else f"/data/attributes/{path}"


def _problem(problem: Problem, language: Language, errors: ErrorTable) -> dict[str, Any]:
    described: dict[str, Any] = {"detail": errors.text(problem.rule, problem.params, language)}
    if problem.pointer is not None:
        described["source"] = {"pointer": _in_body(problem.pointer)}
    elif problem.parameter is not None:
        described["source"] = {"parameter": problem.parameter}
    # A list is too long for a text.
    if lists := {name: value for name, value in problem.params.items() if isinstance(value, list | tuple)}:
        described["meta"] = lists
    return described

"""Parses requests into validated commands; a refusal lists all problems of a request."""

from functools import cache, lru_cache
from typing import Any, Generic, TypeVar, get_origin
from urllib.parse import parse_qsl

from gameshelf.gateway.runtime.encoding import decode
from gameshelf.gateway.runtime.errors import MalformedJson, UnsupportedMediaType
from gameshelf.gateway.runtime.large_bodies import parse_in_chunks
from gameshelf.gateway.runtime.problems import MAX_PROBLEMS, entries_of, excess, json_pointer, problems_of
from gameshelf.kernel.errors import InvalidInput, Problem, echo
from gameshelf.kernel.nesting import too_deep
from gameshelf.kernel.paging import DEFAULT_LIMIT, Page, PageLimit, PageNumber
from pydantic import BaseModel, ConfigDict, ValidationError

M = TypeVar("M", bound=BaseModel)

_JSON = "application/json"

_MOST_PARAMETERS = 100
"""Maximum number of query parameters: no call has so many, and 16 KB may contain thousands."""
_MAX_REMEMBERED = 512
"""Query strings up to this length in bytes are cached: 512 of them, each some 5 KB once it is parsed."""


class PageQuery(BaseModel):
    """The page of a collection without filters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT

    @property
    def slice(self) -> Page:
        return Page(self.page, self.limit)


def parse_query(model: type[M], query_string: bytes) -> M:
    """Parses the query parameters as ``model``. Lists are comma separated; an unknown parameter is an error.

    The same few queries are frequent and models are frozen, so parsed queries are cached. Raises InvalidInput.
    """
    return (_remembered if len(query_string) <= _MAX_REMEMBERED else _parse_query)(model, query_string)


def _parse_query(model: type[M], query_string: bytes) -> M:
    given: dict[str, list[str]] = {}
    if query_string.count(b"&") >= _MOST_PARAMETERS:
        raise InvalidInput(Problem("too_many_parameters", params={"max": _MOST_PARAMETERS}))
    try:
        pairs = parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInput(Problem("not_utf8")) from None
    for name, text in pairs:
        given.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, texts in given.items():
        field = model.model_fields.get(name)
        if field is None:
            problems.append(Problem("unknown_parameter", parameter=echo(name)))
        elif len(texts) > 1:
            problems.append(Problem("repeated_parameter", parameter=name))
        elif get_origin(field.annotation) is tuple and texts[0].count(",") >= _longest(model, name):
            problems.append(Problem("too_long", parameter=name, params={"max_length": _longest(model, name)}))
        elif get_origin(field.annotation) is tuple:
            values[name] = [part for part in texts[0].split(",") if part]
        else:
            values[name] = texts[0]
    try:
        parsed = model.model_validate(values)
    except ValidationError as error:
        # Elements of one list that break the same rule are one problem, since a problem names only the parameter.
        found = {
            (str(entry["loc"][0]) if entry["loc"] else None, entry["type"]): entry.get("ctx", {})
            for entry in reversed(entries_of(error))
        }
        problems += [
            Problem(rule, parameter=parameter, params=params) for (parameter, rule), params in reversed(found.items())
        ]
    if problems:
        raise InvalidInput(*problems[:MAX_PROBLEMS])
    return parsed


@cache
def _longest(model: type[BaseModel], name: str) -> int:
    """Returns the maximum length of a parameter's list. Each invalid element costs pydantic microseconds."""
    longest: int = model.model_json_schema()["properties"][name]["maxItems"]
    return longest


_remembered = lru_cache(maxsize=512)(_parse_query)


def parameters(query: BaseModel) -> dict[str, Any]:
    """Returns the parameters that links repeat: those that differ from the defaults, without the page."""
    given = query.model_dump(mode="json", exclude_defaults=True, exclude={"page", "limit"})
    return {name: ",".join(value) if isinstance(value, list) else value for name, value in given.items()}


def parse_body(model: type[M], content_type: str | None, body: bytes, path_id: str | None = None) -> M:
    """Parses the attributes of ``{"data": {"type", "attributes"}}`` as ``model``.

    Raises UnsupportedMediaType, MalformedJson, InvalidInput.
    """
    if not body:
        body, content_type = b'{"data":{"attributes":{}}}', _JSON
    parsed = _parse_document(_document(model), content_type, body, path_id, getattr(model, "most_values", None))
    attributes: M = parsed.data.attributes
    return attributes


def parse_large_body(model: type[M], content_type: str | None, body: bytes, path_id: str | None = None) -> M:
    """Parses a body as ``parse_body`` does, in steps that let other threads run (``large_bodies.py``).

    Raises UnsupportedMediaType, MalformedJson, InvalidInput.
    """
    if not body:
        return parse_body(model, content_type, body, path_id)
    _require_json(content_type)
    parsed: list[Any] = []

    def parse(document: bytes) -> Any:
        parsed[:] = parsed or [decode(document)]
        return parsed[0]

    if too_much := excess(model, body, getattr(model, "most_values", None), parse):
        raise InvalidInput(too_much)
    try:
        document = parse(body)
    except ValueError as error:
        raise (InvalidInput(too_deep("/data")) if "depth limit" in str(error) else MalformedJson) from None
    try:
        resource = _Document[_AnyAttributes].model_validate(document).data
    except ValidationError as error:
        raise InvalidInput(*problems_of(error, json_pointer)) from None
    command = parse_in_chunks(model, document["data"]["attributes"])
    _require_same_id(resource.id, path_id)
    return command


def require_no_input(content_type: str | None, body: bytes, path_id: str | None = None) -> None:
    """Checks the body of a call that needs none: if there is one, it must be well-formed and have no attributes. Some
    clients send ``{}`` without a ``Content-Type``, which is accepted.

    Raises UnsupportedMediaType, MalformedJson, InvalidInput.
    """
    if body:
        _parse_document(_EmptyDocument, content_type or _JSON, body, path_id)


def _parse_document(
    model: type[BaseModel], content_type: str | None, body: bytes, path_id: str | None, most_values: int | None = None
) -> Any:
    _require_json(content_type)
    if too_much := excess(model, body, most_values):
        raise InvalidInput(too_much)
    try:
        # Strict: in JSON only true is true, and "yes" or 1 is reported as a mistake.
        document: Any = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        invalid = [entry["ctx"]["error"] for entry in entries_of(error, 1) if entry["type"] == "json_invalid"]
        if invalid:
            # Nested too deeply for the parser, and more deeply than any field may be.
            is_deep = invalid[0].startswith("recursion limit")
            raise (InvalidInput(too_deep("/data")) if is_deep else MalformedJson) from None
        raise InvalidInput(*problems_of(error, json_pointer)) from None
    _require_same_id(getattr(document.data, "id", None), path_id)
    return document


def _require_json(content_type: str | None) -> None:
    if (content_type or "").partition(";")[0].strip().lower() != _JSON:
        raise UnsupportedMediaType


def _require_same_id(named: Any, path_id: str | None) -> None:
    if path_id is not None and named is not None and str(named).lower() != path_id:
        raise InvalidInput(Problem("id_mismatch", pointer="/data/id"))


class _Resource(BaseModel, Generic[M]):
    type: Any = None
    id: Any = None
    attributes: M


class _Document(BaseModel, Generic[M]):
    data: _Resource[M]


class _AnyAttributes(BaseModel):
    """Attributes that are parsed afterwards."""


class _NoAttributes(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _EmptyResource(BaseModel):
    type: Any = None
    id: Any = None
    attributes: _NoAttributes | None = None


class _EmptyDocument(BaseModel):
    """A document without attributes; further members of JSON:API are ignored."""

    model_config = ConfigDict(extra="forbid")

    data: _EmptyResource | None = None
    meta: Any = None
    links: Any = None
    included: Any = None
    jsonapi: Any = None


@cache
def _document(model: type[M]) -> type[_Document[M]]:
    return _Document[model]  # type: ignore[valid-type]

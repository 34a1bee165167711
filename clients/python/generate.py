"""Writes the types and the calls of the client: ``python clients/python/generate.py``.

They are those of the OpenAPI document, and the messages of the AsyncAPI document.

The files are formatted by ruff, and a test compares them with the committed ones.
"""

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent / "src" / "gameshelf" / "client"
ASYNCAPI = Path(__file__).parents[2] / "protos" / "asyncapi.json"
_HEAD = '"""{title}\n\nWritten by clients/python/generate.py from the {document} document; not to be edited.\n"""\n'
_HEADERS = {"If-Match": "if_match", "If-None-Match": "if_none_match"}
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def generate(document: Mapping[str, Any], folder: Path) -> None:
    """Writes ``schemas.py``, ``operations.py`` and ``messages.py``."""
    _write(folder / "messages.py", _messages(json.loads(ASYNCAPI.read_text(encoding="utf-8"))))
    calls = list(_calls(document))
    used = _used(document, calls)
    _write(folder / "schemas.py", _schemas(document, used))
    _write(folder / "operations.py", _operations(document, calls))


def _write(path: Path, text: str) -> None:
    for command in (("check", "--quiet", "--select", "I", "--fix"), ("format",)):
        ruff = [
            str(Path(sys.executable).with_name("ruff")),
            *command,
            "--stdin-filename",
            str(PACKAGE / path.name),
            "-",
        ]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    path.write_text(text, encoding="utf-8")


class _Call:
    """An operation of the document."""

    def __init__(self, document: Mapping[str, Any], method: str, path: str, said: Mapping[str, Any]) -> None:
        self.method, self.name, self.group = method.upper(), said["operationId"], said["tags"][0]
        self.path = path.removeprefix("/api/v1/library").removeprefix("/")
        self.summary, self.description = said["summary"], said.get("description", "")
        parameters = said.get("parameters", [])
        self.in_path = [one for one in parameters if one["in"] == "path"]
        self.query = [one for one in parameters if one["in"] == "query" and one["name"] != "page"]
        self.is_paged = any(one["name"] == "page" for one in parameters)
        headers = {one["name"] for one in parameters if one["in"] == "header"}
        self.takes_key = "Idempotency-Key" in headers
        self.has_etag = method == "get" and "If-None-Match" in headers
        self.conditions = [] if self.has_etag else [name for name in _HEADERS if name in headers]
        schemas = document["components"]["schemas"]
        self.attributes = None
        if "requestBody" in said:
            body = _resolved(schemas, said["requestBody"]["content"]["application/json"]["schema"])
            self.attributes = body["properties"]["data"]["properties"]["attributes"]
        self.data: Any = None
        answers = [
            answer for status, answer in said["responses"].items() if status in ("200", "201") and "content" in answer
        ]
        if answers:
            shown = _resolved(schemas, answers[0]["content"]["application/json"]["schema"])
            self.data = shown["properties"]["data"]


def _calls(document: Mapping[str, Any]) -> Iterator[_Call]:
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            if method != "parameters":
                yield _Call(document, method, path, said)


def _resolved(schemas: Mapping[str, Any], schema: Any) -> Any:
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _used(document: Mapping[str, Any], calls: list[_Call]) -> list[str]:
    """The schemas that a call takes or returns, in the order of the document."""
    schemas, found = document["components"]["schemas"], set()

    def walk(schema: Any) -> None:
        for name in _names(schema):
            if name not in found:
                found.add(name)
                walk(schemas[name])

    for call in calls:
        for schema in (call.attributes, call.data, *(one["schema"] for one in call.query)):
            walk(schema)
    walk({"$ref": "#/components/schemas/ErrorCode"})
    return [name for name in schemas if name in found]


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for key, value in schema.items():
            if key not in ("example", "examples", "discriminator", "$ref"):
                yield from _names(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _names(value)


def _type(schema: Any) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(map(_type, choices)))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_type({**schema, "type": one}) for one in kind)
    if kind == "null":
        return "None"
    if kind == "array":
        return f"list[{_type(schema['items'])}]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {_type(values) if isinstance(values, dict) and values else 'Any'}]"
    return _SCALARS.get(kind or "", "Any")


def _schemas(document: Mapping[str, Any], used: list[str]) -> str:
    schemas = document["components"]["schemas"]
    lines = [_HEAD.format(title="The resources of the service, and what its calls take.", document="OpenAPI"), ""]
    lines += ["from typing import Any, Literal, NotRequired, TypeAlias, TypedDict", ""]
    for name in used:
        schema = schemas[name]
        if "properties" in schema:
            lines += _class(name, schema)
        else:
            lines += [
                f'{name}: TypeAlias = "{_type(schema)}"'
                if "oneOf" in schema
                else f"{name}: TypeAlias = {_type(schema)}"
            ]
            lines += [_docstring(schema.get("description", ""), ""), ""]
    return "\n".join(lines)


def _class(name: str, schema: Mapping[str, Any]) -> list[str]:
    inner: list[str] = []
    fields: list[str] = []
    for field, said in schema["properties"].items():
        if said.get("type") == "object" and said.get("properties"):
            nested = f"{name}{field.title().replace('_', '')}"
            inner += _class(nested, said)
            kind = nested
        else:
            kind = _type(said)
        kind = kind if field in schema.get("required", ()) else f"NotRequired[{kind}]"
        # As text, since it may name a class that follows.
        fields += [f'    {field}: "{kind}"' if _is_forward(kind) else f"    {field}: {kind}"]
        if said.get("description"):
            fields += [_docstring(said["description"], "    ")]
    return [
        *inner,
        "",
        f"class {name}(TypedDict):",
        _docstring(schema.get("description") or f"Of `{name}`.", "    "),
        "",
        *fields,
        "",
    ]


def _messages(document: Mapping[str, Any]) -> str:
    """What the WebSocket sends, except for the messages that are about the connection itself."""
    schemas = document["components"]["schemas"]
    lines = [_HEAD.format(title="The messages of the WebSocket.", document="AsyncAPI"), ""]
    lines += ["from typing import Any, Literal, NotRequired, TypeAlias, TypedDict", ""]
    of_all = schemas["Message"]
    names = []
    for name, schema in schemas.items():
        kind = schema.get("properties", {}).get("event_type", {}).get("const")
        if kind is None or {"$ref": "#/components/schemas/Message"} not in schema.get("allOf", []):
            continue
        if kind in ("auth.success", "pong"):
            continue
        names.append(f"{name}Message")
        said = {**of_all, "properties": {**of_all["properties"], **schema["properties"]}}
        about = f"{schema['title']}. {schema.get('description', '')}".strip()
        lines += _class(f"{name}Message", {**said, "description": about})
    unknown = "A message of a later version."
    lines += _class("UnknownMessage", {**of_all, "description": unknown})
    lines += [f"LiveMessage: TypeAlias = ({' | '.join(names)} | UnknownMessage)"]
    lines += ['"""A message; its ``event_type`` says which one."""', ""]
    return "\n".join(lines)


def _is_forward(kind: str) -> bool:
    known = {"NotRequired", "Literal", "None", "Any", "True", "False"}
    return any(word not in known for word in re.findall(r"\b[A-Z]\w+", re.sub(r"'[^']*'", "", kind)))


def _docstring(text: str, indent: str) -> str:
    text = text.replace("\\", "\\\\").replace('"""', "'''").strip()
    width = 116 - len(indent)
    if len(text) + 6 <= width:
        return f'{indent}"""{text}"""'
    lines = textwrap.wrap(text, width - 4, break_long_words=False, break_on_hyphens=False)
    quoted = "\n".join(f"{indent}{line}" for line in lines).strip()
    return f'{indent}"""{quoted}\n{indent}"""'


def _operations(document: Mapping[str, Any], calls: list[_Call]) -> str:
    groups: dict[str, list[_Call]] = {}
    for call in calls:
        groups.setdefault(call.group, []).append(call)
    descriptions = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
    body: list[str] = []
    for group, members in groups.items():
        about = descriptions.get(group) or f"Calls about {group}."
        body += ["", f"class {class_of(group)}(CallGroup):", _docstring(about, "    ")]
        for call in members:
            body += ["", *_method(call)]
    used = sorted({name for call in calls for name in _types_of(call)})
    lines = [_HEAD.format(title="The calls of the service, by domain.", document="OpenAPI"), ""]
    lines += ["from collections.abc import Sequence", "from typing import TYPE_CHECKING", ""]
    lines += [
        "from gameshelf.client.answers import LibraryAnswer",
        "from gameshelf.client.groups import AnyId, CallGroup, segment",
    ]
    lines += ["from gameshelf.client.paging import Pages", ""]
    lines += ["if TYPE_CHECKING:  # their classes take time to import, which a game need not spend"]
    lines += ["    from gameshelf.client.schemas import (", *(f"        {name}," for name in used), "    )", ""]
    return "\n".join([*lines, *body, ""])


def class_of(group: str) -> str:
    """The class of the calls with a tag."""
    return f"{group.title().replace('_', '')}Calls"


def _types_of(call: _Call) -> Iterator[str]:
    yield from _names([call.attributes, call.data and _element(call), *(one["schema"] for one in call.query)])


def _element(call: _Call) -> Any:
    return call.data["items"] if call.data.get("type") == "array" else call.data


def _result(call: _Call) -> str:
    if call.is_paged:
        return f'"Pages[{_type(_element(call))}]"'
    kind = _type(call.data) if call.data else "None"
    return f'"LibraryAnswer[{kind}]"'


def _method(call: _Call) -> Iterator[str]:
    arguments = ["self"]
    arguments += [f"{one['name']}: {_argument(one['schema'])}" for one in call.in_path]
    if call.attributes:
        arguments += [f'attributes: "{_type(call.attributes)}"']
    named = [f"{one['name']}: {_argument(one['schema'], ' | None')} = None" for one in call.query]
    named += [f"{_HEADERS[name]}: str | None = None" for name in call.conditions]
    named += ["key: str | None = None"] if call.takes_key else []
    arguments += ["*", *named] if named else []
    start = "def" if call.is_paged else "async def"
    yield f"    {start} {call.name}({', '.join(arguments)}) -> {_result(call)}:"
    yield _docstring_of_call(call)
    path = re.sub(r"\{(\w+)\}", r"{segment(\1)}", call.path)
    passed = [f'f"{path}"' if "{" in path else f'"{path}"']
    query = _mapping({one["name"]: one["name"] for one in call.query})
    if call.is_paged:
        passed += [query, *(["has_etag=True"] if call.has_etag else [])]
        yield f"        return self._pages({', '.join(passed)})"
        return
    passed = [f'"{call.method}"', *passed]
    passed += [f"query={query}"] if call.query else []
    passed += ["attributes=attributes"] if call.attributes else []
    if call.conditions:
        passed += [f"headers={_mapping({name: _HEADERS[name] for name in call.conditions})}"]
    passed += ["takes_key=True", "key=key"] if call.takes_key else []
    passed += ["has_etag=True"] if call.has_etag else []
    passed += ["is_read=True"] if call.name == "plan_saves" else []  # a read whose question needs a body
    yield f"        return await self._send({', '.join(passed)})"


def _mapping(names: Mapping[str, str]) -> str:
    """A dict of arguments, as code."""
    return "{" + ", ".join(f"{name!r}: {argument}" for name, argument in names.items()) + "}"


def _docstring_of_call(call: _Call) -> str:
    first = f'        """{call.summary}.'
    if not call.description:
        return f'{first}"""'
    wrapped = textwrap.wrap(call.description.replace("\\", "\\\\"), 108, break_long_words=False, break_on_hyphens=False)
    return "\n".join([first, "", *(f"        {line}" for line in wrapped), '        """'])


def _argument(schema: Any, or_none: str = "") -> str:
    if schema.get("type") == "array":
        kind = "AnyId" if schema["items"].get("format") == "uuid" else _type(schema["items"])
        return f'"Sequence[{kind}]{or_none}"' if _is_forward(kind) else f"Sequence[{kind}]{or_none}"
    if schema.get("format") == "uuid":
        return f"AnyId{or_none}"
    kind = _type({key: value for key, value in schema.items() if key != "default"})
    return f'"{kind}{or_none}"' if _is_forward(kind) else f"{kind}{or_none}"


if __name__ == "__main__":
    from gameshelf.devstack.releasing import openapi

    generate(json.loads(openapi.text()), PACKAGE)

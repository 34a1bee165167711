"""Writes `src/generated`: the types and calls of the REST API from OpenAPI, the messages from AsyncAPI.

``python clients/typescript/generate.py`` writes the files; tests/clients compares them with the committed ones. A
generator of our own, because it makes methods with the documents' descriptions and not types alone, and needs no tool
where only Python is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from gameshelf.devstack.releasing import openapi

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "src" / "generated"
HEAD = "// Written by clients/typescript/generate.py. Do not change it by hand.\n"
Schema = Mapping[str, Any]
# A global class has this name already.
RENAMED = {"Error": "Problem"}
# A call that is the only one of its group has the group's name.
METHODS = {"get_home": "home"}
# The client's word for a tag, where it has another one.
GROUPS = {"savegames": "Saves"}
_NAME = re.compile(r"[A-Za-z_]\w*")
_WIDTH = 116


def files() -> dict[str, str]:
    """Name of each generated file → its text."""
    document = json.loads(openapi.text())
    messages = json.loads((ROOT / "protos" / "asyncapi.json").read_text(encoding="utf-8"))
    return {
        "schemas.ts": HEAD + "\n" + "\n".join(_schemas(document["components"]["schemas"])),
        "calls.ts": HEAD + "\n" + "\n".join(_calls(document)),
        "messages.ts": HEAD + "\n" + "\n".join(_messages(messages)),
    }


def _schemas(schemas: Mapping[str, Schema]) -> Iterator[str]:
    codes = schemas["ErrorCode"]["x-extensible-enum"]
    yield f"export const ERROR_CODES = [\n{''.join(f'  {json.dumps(code)},{chr(10)}' for code in codes)}] as const;\n"
    for name in sorted(schemas):
        yield _declared(RENAMED.get(name, name), schemas[name])


def _declared(name: str, schema: Schema) -> str:
    comment = _comment(schema.get("description"))
    if "properties" in schema:
        return f"{comment}export interface {name} {_object(schema, '')}\n"
    return f"{comment}export type {name} = {_type(schema, '')};\n"


def _type(schema: Schema, indent: str) -> str:
    """The type of a schema, in one expression."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return RENAMED.get(name, name)
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "x-extensible-enum" in schema:  # a later version may add values
        return f"{_union(map(json.dumps, schema['x-extensible-enum']))} | (string & {{}})"
    if "enum" in schema:
        return _union(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    if one_of := schema.get("anyOf") or schema.get("oneOf"):
        return _union(_type(one, indent) for one in one_of)
    kind = schema.get("type", "unknown")
    if isinstance(kind, list):
        return _union(_type({**schema, "type": one}, indent) for one in kind)
    if kind == "array":
        item = _type(schema.get("items", {}), indent)
        return f"({item})[]" if " | " in item or " & " in item else f"{item}[]"
    if kind == "object":
        return _object(schema, indent) if schema.get("properties") else f"Record<string, {_values(schema, indent)}>"
    return {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}.get(
        kind, "unknown"
    )


def _values(schema: Schema, indent: str) -> str:
    values = schema.get("additionalProperties", True)
    return _type(values, indent) if isinstance(values, dict) else "unknown"


def _union(types: Any) -> str:
    return " | ".join(dict.fromkeys(types))


def _object(schema: Schema, indent: str) -> str:
    inner = indent + "  "
    required = schema.get("required", ())
    lines = []
    for name, field in schema["properties"].items():
        key = name if _NAME.fullmatch(name) else json.dumps(name)
        lines.append(_comment(field.get("description"), inner))
        lines.append(f"{inner}{key}{'' if name in required else '?'}: {_type(field, inner)};\n")
    return "{\n" + "".join(lines) + indent + "}"


def _comment(text: str | None, indent: str = "") -> str:
    if not text:
        return ""
    lines = [line for part in text.replace("*/", "* /").split("\n") for line in wrap(part, _WIDTH - len(indent))]
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in lines) + f"{indent} */\n"


def _calls(document: Schema) -> Iterator[str]:
    types = "type Answer, type CallOptions, Calls, type Done, type Pages, type WriteOptions"
    yield f'import {{ {types} }} from "../calls.js";'
    yield 'import type * as schemas from "./schemas.js";\n'
    groups: dict[str, list[tuple[str, str, Schema]]] = {}
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            groups.setdefault(call["tags"][0], []).append((method.upper(), path, call))
    described = {tag["name"]: tag.get("description") for tag in document.get("tags", ())}
    schemas = document["components"]["schemas"]
    for tag, calls in groups.items():
        queries = [query for _, _, call in calls if (query := _query(call))]
        yield from queries
        body = "\n".join(_method(method, path, call, schemas) for method, path, call in calls)
        name = GROUPS.get(tag, tag.capitalize())
        yield f"{_comment(described.get(tag))}export class {name}Calls extends Calls {{\n{body}}}\n"
    names = [call["operationId"] for calls in groups.values() for _, _, call in calls]
    listed = "".join(f"  {json.dumps(_camel(name))},\n" for name in sorted(names))
    yield "/** The methods that call an operation, one per operation of the API. */"
    yield f"export const METHODS = [\n{listed}] as const;\n"


def _camel(name: str) -> str:
    name = METHODS.get(name, name)
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _parameters(call: Schema, place: str) -> list[Schema]:
    return [one for one in call.get("parameters", ()) if one["in"] == place]


def _query(call: Schema) -> str | None:
    fields = _parameters(call, "query")
    if not fields:
        return None
    name = _camel(call["operationId"])
    lines = []
    for field in fields:
        schema = field["schema"]
        lines += [
            _comment(field.get("description"), "  "),
            f"  {field['name']}?: {_outside(_type(schema, '  '))} | undefined;\n",
        ]
        assert not field.get("required"), field["name"]
    return f"/** The parameters of `{name}`. */\nexport interface {_upper(name)}Query {{\n{''.join(lines)}}}\n"


def _upper(name: str) -> str:
    return name[0].upper() + name[1:]


def _outside(text: str) -> str:
    """A type of schemas.ts, as calls.ts names it."""
    return re.sub(
        r'(?<!["\w])([A-Z]\w*)(?!["\w])',
        lambda found: found[0] if found[1] == "Record" else f"schemas.{found[1]}",
        text,
    )


def _method(method: str, path: str, call: Schema, schemas: Mapping[str, Schema]) -> str:
    name = _camel(call["operationId"])
    headers = {one["name"] for one in _parameters(call, "header")}
    given = [f"{_camel(one['name'])}: {_type(one['schema'], '')}" for one in _parameters(call, "path")]
    request = [f'method: "{method}"', f"path: {_path(path)}"]
    if "requestBody" in call:
        body = call["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        data = schemas[body]["properties"]["data"]["properties"]
        given.append(f"attributes: {_outside(_type(data['attributes'], ''))}")
        request.append("attributes")
    if _parameters(call, "query"):
        given.append(f"query: {_upper(name)}Query = {{}}")
        request.append("query")
    if "Idempotency-Key" in headers:
        request.append("isKeyed: true")
    if method == "GET" and "If-None-Match" in headers:
        request.append("hasEtag: true")
    if name == "planSaves":  # a read whose question needs a body
        request.append("isRead: true")
    given.append(f"options: {'CallOptions' if method == 'GET' else 'WriteOptions'} = {{}}")
    sent, result = _result(call, schemas)
    return (
        _comment(f"{call['summary']}.\n\n{call.get('description', '')}\n\n`{method} {path}`", "  ")
        + f"  {name}({', '.join(given)}): {result} {{\n"
        + f"    return this.{sent}({{ {', '.join(request)} }}, options);\n  }}\n"
    )


def _path(path: str) -> str:
    if "{" not in path:
        return json.dumps(path)
    return "`" + re.sub(r"\{(\w+)\}", lambda found: f"${{encodeURIComponent({_camel(found[1])})}}", path) + "`"


def _result(call: Schema, schemas: Mapping[str, Schema]) -> tuple[str, str]:
    """The method of ``Calls`` that sends it, and what it returns."""
    documents = {
        content["schema"]["$ref"].rpartition("/")[2]
        for status, response in call["responses"].items()
        if status < "300"
        for content in response.get("content", {}).values()
    }
    if not documents:
        return "done", "Promise<Done>"
    fields = schemas[next(iter(documents))]["properties"]
    if len(documents) == 1 and fields.get("links", {}).get("$ref", "").endswith("/PageLinks"):
        [document] = documents
        item = _outside(_type(fields["data"]["items"], ""))
        return "pages", f"Pages<{item}, schemas.{document}>"
    return "answer", f"Promise<Answer<{' | '.join(f'schemas.{one}' for one in sorted(documents))}>>"


def _messages(document: Schema) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    names = [one["$ref"].rpartition("/")[2] for one in document["channels"]["deviceMessages"]["messages"].values()]
    yield _comment("What all messages have.") + f"export interface Message {_object(schemas['Message'], '')}\n"
    for name in names:
        schema = schemas[name]
        assert schema["allOf"] == [{"$ref": "#/components/schemas/Message"}], name
        text = f"{schema['title']}. {schema.get('description', '')}".strip()
        yield f"{_comment(text)}export interface {name} extends Message {_object(schema, '')}\n"
    yield f"export type KnownMessage =\n  | {f'{chr(10)}  | '.join(names)};\n"
    types = sorted(schemas[name]["properties"]["event_type"]["const"] for name in names)
    listed = "".join(f"  {json.dumps(one)},\n" for one in types)
    yield f'export const EVENT_TYPES = [\n{listed}] as const satisfies readonly KnownMessage["event_type"][];\n'


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""The schemas of commands, with the docstrings of their fields as descriptions.

pydantic would read them when a class is made (``use_attribute_docstrings``), which searches for its source text: that
took a twentieth of the start, and only the document shows them.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue


class CommandSchema(GenerateJsonSchema):
    """Generates the schema of a model with descriptions of its fields, also of the models in it."""

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        """Returns the schema of one model."""
        rendered = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        texts = {model.model_fields[name].alias or name: text for name, text in field_texts(model).items()}
        for name, one in rendered.get("properties", {}).items():
            if name in texts:
                one.setdefault("description", texts[name])
        return rendered


@cache
def field_texts(model: type[BaseModel]) -> dict[str, str]:
    """Returns the docstrings of a model's fields, also of those that it inherits."""
    texts: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            own = dict(_texts_in(one))
            texts = {name: text for name, text in texts.items() if name not in inspect.get_annotations(one)} | own
    return {name: text for name, text in texts.items() if name in model.model_fields}


def _texts_in(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Yields the fields whose next statement is a string, with it."""
    try:
        [definition] = ast.parse(dedent(inspect.getsource(model))).body
    except (OSError, TypeError):
        return  # it is composed and has no text
    assert isinstance(definition, ast.ClassDef)
    for field, after in zip(definition.body, definition.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                yield name, inspect.cleandoc(text)

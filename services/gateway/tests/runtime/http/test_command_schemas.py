"""The docstrings of a command's fields are their descriptions in the OpenAPI document."""

from gameshelf.gateway.runtime.http.openapi.commands import CommandSchema, field_texts
from pydantic import BaseModel, Field, create_model


class Inner(BaseModel):
    depth: int
    """How deep it is."""


class Base(BaseModel):
    kept: str = ""
    """Said once,
    on two lines."""
    replaced: str = ""
    """No longer true."""


class Command(Base):
    replaced: str = "x"
    inner: Inner
    """What is in it."""
    explicit: int = Field(default=1, description="Given.")
    """Not shown."""
    silent: int = 2


def described(model):
    schema = model.model_json_schema(schema_generator=CommandSchema)
    return {name: one.get("description") for name, one in schema["properties"].items()}, schema


def test_docstrings_describe_fields_also_of_models_within():
    texts, schema = described(Command)
    assert texts == {
        "kept": "Said once,\non two lines.",
        "replaced": None,
        "inner": "What is in it.",
        "explicit": "Given.",
        "silent": None,
    }
    assert schema["$defs"]["Inner"]["properties"]["depth"]["description"] == "How deep it is."


def test_an_alias_is_described_by_the_docstring_of_its_field():
    class Aliased(BaseModel):
        place: int = Field(alias="at")
        """Where it is."""

    assert described(Aliased)[0] == {"at": "Where it is."}


def test_a_model_that_is_composed_has_the_texts_of_its_bases():
    assert field_texts(create_model("Composed", __base__=Base, more=(int, 1))) == {
        "kept": "Said once,\non two lines.",
        "replaced": "No longer true.",
    }

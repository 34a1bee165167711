"""The JSON Schemas are sound, and there is one for everything that other services are said to send."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from gameshelf.gateway.wiring import CONSUMED

SCHEMAS = Path(__file__).parents[1] / "schemas"
FILES = sorted(SCHEMAS.rglob("*.json"))
SHORT = {"com.platform.download.uninstalled.v1", "com.platform.download.status.changed.v1"}
"""Other names of types of the Download service, which have the schema of the full name."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_schema_is_valid_and_what_it_refers_to_is_there(path):
    resources = [(f"schemas:/{one.relative_to(SCHEMAS).as_posix()}", json.loads(one.read_text())) for one in FILES]
    registry = jsonschema_rs.Registry(resources)
    uri = f"schemas:/{path.relative_to(SCHEMAS).as_posix()}"
    validator = jsonschema_rs.validator_for({"$ref": uri}, registry=registry)
    assert not validator.is_valid("neither an event nor a message")


@pytest.mark.parametrize("folder", ["events", "messages"])
def test_a_schemas_name_is_the_type_that_it_describes(folder):
    for path in (SCHEMAS / folder).iterdir():
        properties = json.loads(path.read_text())["properties"]
        kind = properties.get("type") or properties.get("event_type") or {}
        assert kind.get("const", path.stem) == path.stem


def test_every_event_that_is_consumed_has_a_schema():
    assert {path.stem for path in (SCHEMAS / "events").iterdir()} >= CONSUMED.by_type.keys() - SHORT

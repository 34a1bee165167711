"""A resource is declared once: its JSON, its schema and its example come from one place."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, nullable


@dataclass(frozen=True, slots=True)
class Inner:
    size: int


@dataclass(frozen=True, slots=True)
class Shot:
    id: UUID
    name: str
    inner: Inner

    @property
    def length(self):
        return len(self.name)


SHOT = Resource(
    "screenShot",
    Shot,
    "A picture.",
    Field("name", TEXT, "Its name.", "dawn"),
    Field("length", COUNT, "How long its name is.", 4),
    Field("bytes", COUNT, "Its size.", 1, "inner.size"),
    Field("loud", nullable(TEXT), "Its name in capitals.", "DAWN", "name", str.upper),
    Field("greeting", TEXT, "Its name with the context.", "hello dawn", lambda of, word: f"{word} {of.name}"),
    Field("title", TEXT, "Added elsewhere.", "x", is_optional=True),
    identity=identity("Its id.", "0b9ff5b6-6d5c-4a40-9a06-1cf6f0d1f9a3"),
    address="/shots/{id}",
    relationships=(Field("names", TEXT, "Names.", ["dawn"], lambda of, _: [of.name]),),
)


def test_a_resource_is_rendered_in_the_order_of_its_declaration():
    shot = Shot(uuid4(), "dusk", Inner(7))
    rendered = SHOT.render(shot, "hello")
    assert rendered == {
        "type": "screenShot",
        "id": shot.id,
        "attributes": {"name": "dusk", "length": 4, "bytes": 7, "loud": "DUSK", "greeting": "hello dusk"},
        "relationships": {"names": ["dusk"]},
        "links": {"self": f"/api/v1/library/shots/{shot.id}"},
    }
    assert list(rendered) == ["type", "id", "attributes", "relationships", "links"]
    assert list(rendered["attributes"]) == ["name", "length", "bytes", "loud", "greeting"]


def test_its_schema_has_the_names_and_the_descriptions():
    assert SHOT.schema == {"$ref": "#/components/schemas/ScreenShot"}
    attributes = SHOT.schema.definition["properties"]["attributes"]
    assert attributes.name == "ScreenShotAttributes"
    assert attributes.definition["properties"]["bytes"] == {**COUNT, "description": "Its size."}
    assert "title" not in attributes.definition["required"]
    assert (SHOT.document.name, SHOT.listing.name) == ("ScreenShotDocument", "ScreenShotList")
    assert SHOT.collection("/shots").example["links"]["self"] == "/api/v1/library/shots?page=1&limit=20"


def test_a_field_without_an_attribute_is_refused_at_import():
    with pytest.raises(TypeError, match="Inner has no attribute weight"):
        ObjectResource("Box", Inner, "A box.", Field("weight", COUNT, "Its weight.", 1))

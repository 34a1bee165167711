"""Which objects of a user's saves are exported."""

import base64
from uuid import uuid4

import pytest
from gameshelf.gateway.domains.savegames.export import EXPORT

CONTENT = {
    "id": str(uuid4()),
    "s3_object_key": "key",
    "file_size_bytes": 3,
    "file_hash_sha256": base64.b64encode(bytes(32)).decode(),
    "state": "live",
    "kind": "file",
    "is_written": True,
}


@pytest.mark.parametrize(
    ("changes", "is_exported"),
    [
        ({}, True),
        ({"kind": "list"}, True),
        ({"kind": "list", "is_written": False}, False),
        ({"state": "dropped"}, False),
    ],
)
def test_contents_and_lists_that_have_an_object_are_files(changes, is_exported):
    [make] = EXPORT.files.values()
    assert (make(CONTENT | changes) is not None) is is_exported


def test_the_packed_form_of_a_list_is_not_exported_beside_its_object():
    assert EXPORT.left_out == {"savegames.savegame_manifests": {"body"}}

"""Exports a file for each content of a user's saves that is in the object store: files, and the lists of sets."""

import base64
from collections.abc import Mapping
from typing import Any

from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.support.export import SignFile
from gameshelf.gateway.runtime.support.export_tables import ExportRules, StoredFile

_CONTENTS = "savegames.savegame_contents"


def _file(content: Mapping[str, Any]) -> StoredFile | None:
    if content["state"] != "live" or not content["is_written"]:
        return None
    digest = base64.b64decode(content["file_hash_sha256"])
    return StoredFile(content["id"], content["s3_object_key"], content["file_size_bytes"], digest)


EXPORT = ExportRules(
    files={_CONTENTS: _file},
    left_out={"savegames.savegame_manifests": frozenset({"body"})},  # its object has it, in a form of its own
)


def export_files(saves: Saves) -> Mapping[str, SignFile]:
    """Signs the downloads of contents."""

    async def sign(file: StoredFile) -> str:
        return (await saves.objects.sign_download(file.key, saves.url_ttl_seconds, file.name)).url

    return {_CONTENTS: sign}

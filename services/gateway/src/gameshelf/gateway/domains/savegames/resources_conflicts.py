"""The resources of conflicts, and of the differences between their sides (contract, section 3.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames.resources import (
    CONFLICT_ID,
    CONTENT_HASH,
    PRODUCT,
    RESOLUTION,
    SAVE_ID,
    SAVEGAME,
    SAVEGAME_VERSION,
)
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.components import enumeration, single
from gameshelf.gateway.runtime.http.named_products import COVER, TITLE
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, TEXT, TIME, array, nullable
from gameshelf.savegames import (
    ConflictDifferences,
    DifferenceKind,
    MergeSide,
    OpenConflict,
    PathDifference,
    SaveFile,
    SaveVersion,
    UnitDifference,
)

_PATH = "saves/world-1/level.dat"

FILE_OF_SIDE = ObjectResource(
    "FileOfSide",
    SaveFile,
    "A file as one side of a conflict has it.",
    Field("sha256", TEXT, "SHA-256 of the stored bytes, in hex.", CONTENT_HASH, convert=bytes.hex),
    Field("size_bytes", COUNT, "Size of the stored bytes.", 52428, "size"),
    Field(
        "modified_at",
        nullable(TIME),
        "When the file changed on the device, according to the client.",
        "2026-05-20T19:29:50Z",
    ),
)


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A file that differs between the sides of a conflict, with its unit."""

    unit: UnitDifference
    path: PathDifference


def differences_of(units: Sequence[UnitDifference]) -> list[FileDifference]:
    """Returns the files that differ, in the order of their units."""
    return [FileDifference(unit, path) for unit in units for path in unit.paths]


def _side(file: SaveFile | None) -> dict[str, Any] | None:
    return FILE_OF_SIDE.render(file) if file else None


_DIFFERENCE = (
    Field(
        "path",
        nullable(TEXT),
        "Path of the file; null where a side is a single file.",
        _PATH,
        lambda of, _: of.path.path or None,
    ),
    Field(
        "unit",
        TEXT,
        "Unit of the save that the file belongs to; a merge takes it from one side.",
        "world-1",
        "unit.unit",
    ),
    Field(
        "kind",
        enumeration(DifferenceKind),
        "How the unit differs; the same for all of its files.",
        "both_changed",
        "unit.kind",
    ),
    Field(
        "suggested",
        nullable(enumeration(MergeSide)),
        "The only side that has changed the unit; null if the user has to choose.",
        None,
        "unit.suggested",
    ),
    Field(
        "base",
        nullable(FILE_OF_SIDE.schema),
        "The file in the common ancestor; null if it was not there, or if that list is not known.",
        None,
        lambda of, _: _side(of.path.base),
    ),
    Field(
        "head",
        nullable(FILE_OF_SIDE.schema),
        "The file in the head; null if it is not there.",
        FILE_OF_SIDE.schema.example,
        lambda of, _: _side(of.path.head),
    ),
    Field(
        "branch",
        nullable(FILE_OF_SIDE.schema),
        "The file in the branch; null if it is not there.",
        FILE_OF_SIDE.schema.example,
        lambda of, _: _side(of.path.branch),
    ),
)
SAVEGAME_DIFFERENCE = Resource(
    "savegameDifference",
    FileDifference,
    "A file that differs between the two sides of a conflict, compared with their common ancestor.",
    *_DIFFERENCE,
    identity=identity(
        "Path of the file; the name of its unit where a side is a single file.",
        _PATH,
        lambda of, _: of.path.path or of.unit.unit,
        TEXT,
    ),
)
DIFFERENCE = ObjectResource(
    "ConflictDifference",
    FileDifference,
    "A file that differs between the two sides of a conflict.",
    *_DIFFERENCE,
)
MAX_DIFFERENCES = 100
"""How many differences a conflict shows; the others have pages."""
_DIFFERENCES = (
    Field(
        "differences",
        array(DIFFERENCE.schema),
        "The first 100 files that differ; only in the response of a single conflict.",
        [DIFFERENCE.schema.example],
        is_optional=True,
    ),
    Field(
        "differences_count",
        COUNT,
        "Number of all files that differ; only in the response of a single conflict.",
        1,
        is_optional=True,
    ),
)

SAVEGAME_CONFLICT = Resource(
    "savegameConflict",
    OpenConflict,
    "An open conflict: two versions of a save that both changed; the user has to choose one.",
    Field("savegame_id", schemas.UUID, "Save that the conflict is about.", SAVE_ID, "head.slot_id"),
    Field("product_id", schemas.UUID, "Product of the save.", PRODUCT, "head.product_id"),
    Field("slot_name", TEXT, "Name of the save within its product.", "autosave", "head.slot_name"),
    Field("opened_at", TIME, "When the conflict was found.", "2026-05-20T19:30:02Z"),
    Field(
        "head",
        SAVEGAME_VERSION.schema,
        "The head of the save.",
        SAVEGAME_VERSION.schema.example,
        lambda of, _: SAVEGAME_VERSION.render(of.head),
    ),
    Field(
        "branch",
        SAVEGAME_VERSION.schema,
        "The version that is not based on the head.",
        SAVEGAME_VERSION.schema.example,
        lambda of, _: SAVEGAME_VERSION.render(of.branch),
    ),
    Field("base_version", COUNT, "Version that the branch is based on; 0 if it is based on none.", 5),
    *_DIFFERENCES,
    TITLE,
    COVER,
    identity=identity("Id of the conflict.", CONFLICT_ID),
)

RESOLUTION_META: ObjectResource[object] = ObjectResource(
    "ResolvedConflictMeta",
    None,
    "The resolution of a conflict.",
    Field("resolution", RESOLUTION, "The resolution that was applied.", "keep_both"),
    Field("conflict_id", schemas.UUID, "Conflict that was resolved.", CONFLICT_ID),
    Field(
        "copy_savegame_id",
        nullable(schemas.UUID),
        "The new save of the branch with `keep_both`; else null.",
        "1f0e3dad-9990-4345-b843-9ea3c2f9a111",
    ),
)
RESOLVED_CONFLICT = single(SAVEGAME.schema, RESOLUTION_META.schema, "ResolvedConflictDocument")


def conflict_with_differences(found: ConflictDifferences) -> dict[str, Any]:
    """Renders a conflict with the first of its differences."""
    shown = SAVEGAME_CONFLICT.render(found.conflict)
    files = differences_of(found.units)
    first = [DIFFERENCE.render(one) for one in files[:MAX_DIFFERENCES]]
    shown["attributes"] |= {"differences": first, "differences_count": len(files)}
    return shown


def sides(conflict_id: UUID | None, head: SaveVersion, branch: SaveVersion) -> Mapping[str, Any]:
    """Returns the description of a conflict in the refusal of an upload."""
    return {
        "conflict_id": conflict_id,
        "savegame_id": head.slot_id,
        "head": SAVEGAME_VERSION.render(head),
        "branch": SAVEGAME_VERSION.render(branch),
    }

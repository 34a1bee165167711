"""The shapes of the JSON of ``libctl backup``."""

from collections.abc import Mapping
from typing import Any, get_args

from gameshelf.libctl.backup.contents import Difference
from gameshelf.libctl.backup.drill.verdict import BackupKind
from gameshelf.libctl.backup.mark import Current
from gameshelf.libctl.record_shapes import fields_of
from gameshelf.libctl.shapes import FLAG, NUMBER, REAL, STRING, TEXT_OR_NULL, TIME, Shape, list_of, map_of, or_null

_PACKAGE = Shape(fields={"package": STRING, "schema": STRING, "revision": STRING})
_DESCRIBED: Mapping[str, Any] = {
    "created_at": TIME,
    "restored_point": TIME,
    "database": STRING,
    "server_version": STRING,
    "packages": list_of(_PACKAGE),
    "tables": NUMBER,
    "rows": NUMBER,
    "files": NUMBER,
    "bytes": NUMBER,
    "digest": STRING,
}
_DIFFERENCES = list_of(Shape(fields=fields_of(Difference, "where", "what", "expected", "found")))
_STORED = list_of(
    Shape(
        fields={"id": STRING, "restored_point": TIME, "bytes": NUMBER, "state": STRING, "problem": TEXT_OR_NULL},
    )
)

CREATED = Shape(fields={"backup": STRING, **_DESCRIBED})
VERIFIED = Shape(
    fields={"backup": STRING, "well": FLAG, "loaded": FLAG, **_DESCRIBED, "differences": _DIFFERENCES},
)
LISTED = Shape(fields={"newest_good": TEXT_OR_NULL, "backups": _STORED})
PRUNED = Shape(
    fields={
        "newest_good": TEXT_OR_NULL,
        "kept": NUMBER,
        "expired": _STORED,
        "unfinished_uploads": list_of(Shape(fields={"object": STRING, "begun_at": TIME})),
        "not_usable": _STORED,
        "applied": FLAG,
        "deleted": list_of(STRING),
        "not_deleted": list_of(STRING),
        "aborted_uploads": NUMBER,
    },
    optional=frozenset({"deleted", "not_deleted", "aborted_uploads"}),
)
"""A dry run deletes nothing."""
RESTORED = Shape(
    fields={
        "backup": STRING,
        "target": STRING,
        **_DESCRIBED,
        "applied": FLAG,
        "target_state": STRING,
        "unfinished": TEXT_OR_NULL,
        "renamed_aside": TEXT_OR_NULL,
        "migrated": list_of(STRING),
        "differences": _DIFFERENCES,
    },
    optional=frozenset({"target_state", "unfinished", "renamed_aside", "migrated", "differences"}),
)
"""A dry run says how the target is, a restore what became of it."""
MARKED = Shape(
    fields={
        "database": STRING,
        "restored_point": or_null(TIME),
        **fields_of(Current),
        "replaced": FLAG,
        "applied": FLAG,
        "restore": STRING,
    },
    optional=frozenset({"restore"}),
)
DRILLED = Shape(
    fields={
        "passed": FLAG,
        "kind": {"enum": list(get_args(BackupKind))},
        "backup": STRING,
        "started_at": TIME,
        "server_version": TEXT_OR_NULL,
        "rto_seconds": REAL,
        "max_rto_seconds": NUMBER,
        "rpo_seconds": or_null(REAL),
        "max_rpo_seconds": NUMBER,
        "newest_commit": or_null(TIME),
        "marker": or_null(Shape(fields={"written_at": TIME, "found": FLAG})),
        "tables": NUMBER,
        "rows": NUMBER,
        "users_read": NUMBER,
        "seconds": map_of(REAL),
        "problems": list_of(STRING),
    }
)

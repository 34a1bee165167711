"""The resources of plans, policies and preferences (contract, section 3.6)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gameshelf.gateway.domains.savegames.resources import CONFLICT_ID, PRODUCT, SAVE_ID
from gameshelf.gateway.runtime.http import schemas
from gameshelf.gateway.runtime.http.components import enumeration, single
from gameshelf.gateway.runtime.http.resources import Field, ObjectResource, Resource, identity
from gameshelf.gateway.runtime.http.schemas import COUNT, FLAG, TEXT, TIME, array, nullable
from gameshelf.savegames import (
    ConflictPolicy,
    OtherDevice,
    OtherDeviceState,
    PlaceCondition,
    PlanAction,
    PlannedSlot,
    PlanReason,
    PolicyLimits,
    PolicySource,
    Proceed,
    ProductPolicy,
    RootPlace,
    SavePlan,
    SaveRoot,
    UnitRule,
)

_TEXTS = array(TEXT)


def _one_of(name: str, description: str, *values: str) -> schemas.Schema:
    return enumeration(values, name, description)


PLACE_CONDITION: ObjectResource[PlaceCondition] = ObjectResource(
    "PlaceCondition",
    None,  # a model of pydantic
    "Where a place of a folder counts.",
    Field("os", nullable(TEXT), "Operating system: `dos`, `linux`, `mac` or `windows`; null: any.", "windows"),
    Field("store", nullable(TEXT), "Store that the game was installed from; null: any.", None),
)
ROOT_PLACE: ObjectResource[RootPlace] = ObjectResource(
    "RootPlace",
    None,  # a model of pydantic
    "A folder that may be a root.",
    Field(
        "when",
        array(PLACE_CONDITION.schema),
        "Conditions of which one has to hold; without any the place always counts.",
        [PLACE_CONDITION.schema.example],
        lambda of, _: [PLACE_CONDITION.render(one) for one in of.when],
    ),
    Field("path", TEXT, "Its path, which begins with a placeholder.", "<winLocalAppData>/Game"),
)
SAVE_ROOT: ObjectResource[SaveRoot] = ObjectResource(
    "SaveRoot",
    None,  # a model of pydantic
    "A folder with files of a save. A path in a save is `<root>/<relative path>`.",
    Field(
        "where",
        array(ROOT_PLACE.schema),
        "Places of the folder.",
        [ROOT_PLACE.schema.example],
        lambda of, _: [ROOT_PLACE.render(one) for one in of.where],
    ),
    Field("include", _TEXTS, "Patterns of relative paths that belong to the save.", ["**/*.sav"], convert=list),
    Field("exclude", _TEXTS, "Patterns of relative paths that do not, though they are included.", [], convert=list),
    Field(
        "scope",
        _one_of(
            "SaveRootScope",
            "Where the files of a folder are the same: on all devices (`all`), on those with one operating system "
            "(`os`), or only on one device, which never uploads them (`machine`).",
            "all",
            "os",
            "machine",
        ),
        "Where the files are the same.",
        "all",
    ),
)
UNIT_RULE: ObjectResource[UnitRule] = ObjectResource(
    "UnitRule",
    None,  # a model of pydantic
    "Which files are a unit: a part of a save that only makes sense whole.",
    Field("name", TEXT, "Name of the unit, with captures in braces.", "{world}"),
    Field("match", _TEXTS, "Patterns of paths, which begin with a root.", ["saves/{world}/**"], convert=list),
)
POLICY_LIMITS: ObjectResource[PolicyLimits] = ObjectResource(
    "PolicyLimits",
    None,  # a model of pydantic
    "Limits of a set of files of a product. 0: the limit of the service.",
    Field("max_files", COUNT, "Highest number of files.", 10_000),
    Field("max_bytes", COUNT, "Largest size of a set.", 0),
    Field("max_file_bytes", COUNT, "Largest size of a file.", 0),
    Field(
        "oversize",
        _one_of(
            "OversizeRule",
            "What happens to a set with a file that is too large: it is refused (`refuse`), or saved without that "
            "file (`skip`).",
            "refuse",
            "skip",
        ),
        "What happens to a set with a file that is too large.",
        "refuse",
    ),
)
_POLICY = (
    Field("revision", COUNT, "Revision of the policy; 0: the product never had one, and this is the default one.", 7),
    Field("source", enumeration(PolicySource), "Where the policy comes from.", "catalog"),
    Field(
        "mode",
        _one_of(
            "SavePolicyMode",
            "Whether saves are synchronised (`sync`), only stored (`backup`), or neither (`off`).",
            "sync",
            "backup",
            "off",
        ),
        "What is done with the saves.",
        "sync",
        "policy.mode",
    ),
    Field(
        "merge",
        _one_of(
            "SaveMergeRule",
            "Whether branches are merged by units where that needs no choice (`units`), or `never`.",
            "units",
            "never",
        ),
        "Whether branches are merged.",
        "units",
        "policy.merge",
    ),
    Field(
        "conflict_policy",
        enumeration(ConflictPolicy),
        "How other conflicts are resolved.",
        "manual",
        "policy.conflict_policy",
    ),
    Field(
        "roots",
        {"type": "object", "additionalProperties": SAVE_ROOT.schema},
        "Folders of the save, by name. Without any a save may have any paths.",
        {"saves": SAVE_ROOT.schema.example},
        lambda of, _: {name: SAVE_ROOT.render(root) for name, root in of.policy.roots.items()},
    ),
    Field(
        "units",
        array(UNIT_RULE.schema),
        "Units, by the first rule that matches. Without any the whole save is one.",
        [UNIT_RULE.schema.example],
        lambda of, _: [UNIT_RULE.render(rule) for rule in of.policy.units],
    ),
    Field(
        "limits",
        POLICY_LIMITS.schema,
        "Limits of a set of files.",
        POLICY_LIMITS.schema.example,
        lambda of, _: POLICY_LIMITS.render(of.policy.limits),
    ),
    Field(
        "settle_seconds",
        COUNT,
        "For how many seconds files have to stand still before a client saves them.",
        10,
        "policy.settle_seconds",
    ),
    Field(
        "processes",
        _TEXTS,
        "Programs of the game; a client waits until none of them runs.",
        ["game.exe"],
        "policy.processes",
        list,
    ),
)
SAVEGAME_POLICY = Resource(
    "savegamePolicy",
    ProductPolicy,
    "What of a product is saved, and how.",
    *_POLICY,
    identity=identity("Id of the product.", PRODUCT, "product_id"),
)
POLICY_DOCUMENT = ObjectResource(
    "SavegamePolicyAttributesOfPlan", ProductPolicy, "What of a product is saved, and how.", *_POLICY
)

PLANNED_SLOT = ObjectResource(
    "PlannedSlot",
    PlannedSlot,
    "What a device has to do with a save.",
    Field("slot_name", TEXT, "Name of the save: the one that the request has, if it names the save.", "autosave"),
    Field("action", enumeration(PlanAction), "What has to be done.", "conflict", "planned.action"),
    Field("reason", enumeration(PlanReason), "Why.", "open_conflict", "planned.reason"),
    Field("savegame_id", nullable(schemas.UUID), "Id of the save; null: none.", SAVE_ID, "planned.savegame_id"),
    Field("head_version", nullable(COUNT), "Version of the head.", 7, "planned.head_version"),
    Field("branch_version", nullable(COUNT), "Version of the branch in an open conflict.", 6, "planned.branch_version"),
    Field("conflict_id", nullable(schemas.UUID), "Open conflict to resolve first.", CONFLICT_ID, "planned.conflict_id"),
    Field(
        "regresses_to",
        nullable(COUNT),
        "Older version of the history with the content of the device, which would become the head again.",
        None,
        "planned.regresses_to",
    ),
    Field(
        "written_by_newer_version",
        nullable(TEXT),
        "Version of the game that wrote the head, if it is newer than that of the request.",
        "1.4.2",
        "planned.written_by_newer_version",
    ),
)
OTHER_DEVICE = ObjectResource(
    "OtherDevice",
    OtherDevice,
    "What another device of the user is at.",
    Field("device_id", TEXT, "The device.", "deck-7"),
    Field("device_name", nullable(TEXT), "Its name, if it gave one.", "Deck"),
    Field("state", enumeration(OtherDeviceState), "What it is at.", "upload_pending"),
    Field("slot_name", nullable(TEXT), "Save that it uploads, or has to upload.", "autosave"),
    Field("since", TIME, "Since when.", "2026-05-20T19:29:50Z"),
    Field(
        "unsynced_playtime_seconds",
        COUNT,
        "How long was played there since its last upload, of the last 30 days.",
        7800,
    ),
)
PLAN_META: ObjectResource[object] = ObjectResource(
    "SavegamePlanMeta",
    None,
    "Whether the plan counts without being asked for.",
    Field("auto_sync", FLAG, "Whether saves of the product are synchronised without being asked.", True),
)


def _changed_policy(plan: SavePlan, known_revision: int | None) -> dict[str, Any] | None:
    return None if plan.policy.revision == known_revision else POLICY_DOCUMENT.render(plan.policy)


SAVEGAME_PLAN = Resource(
    "savegamePlan",
    SavePlan,
    "What a device has to do with the saves of a product, and what the user's other devices are at.",
    Field(
        "slots",
        array(PLANNED_SLOT.schema),
        "The saves of the request in its order, and then all other saves of the product.",
        [PLANNED_SLOT.schema.example],
        lambda of, _: [PLANNED_SLOT.render(one) for one in of.slots],
    ),
    Field(
        "others",
        array(OTHER_DEVICE.schema),
        "Other devices that play, or have not uploaded everything.",
        [OTHER_DEVICE.schema.example],
        lambda of, _: [OTHER_DEVICE.render(one) for one in of.others],
    ),
    Field(
        "proceed",
        enumeration(Proceed),
        "Whether the game may start: `yes`, `wait` for the upload of another device, or `ask` the user.",
        "ask",
    ),
    Field("policy_revision", COUNT, "Revision of the product's policy.", 7, "policy.revision"),
    Field(
        "policy",
        nullable(POLICY_DOCUMENT.schema),
        "The product's policy; null if the request has its revision.",
        None,
        _changed_policy,
    ),
    identity=identity("Id of the product.", PRODUCT, "policy.product_id"),
)
"""The context of ``render`` is the revision of the policy that the device has."""
PLAN = single(SAVEGAME_PLAN.schema, PLAN_META.schema, "SavegamePlanDocument")


@dataclass(frozen=True, slots=True)
class ShownPreference:
    """A preference of a product, or of the account of a user."""

    id: UUID
    auto_sync: bool


SAVEGAME_PREFERENCE = Resource(
    "savegamePreference",
    ShownPreference,
    "Whether saves are synchronised without being asked.",
    Field("auto_sync", FLAG, "With `false` a device synchronises only when its user asks for it.", True),
    identity=identity("Id of the product, or of the user.", PRODUCT),
)

"""The policy of a product: what of a game is saved, and its units and limits (contract, section 3.6). Pure.

The rules for patterns and places are described in ``protos/savesets``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from gameshelf.kernel.text import NORMALISED, ONE_LINE
from gameshelf.savegames._limits import MAX_SET_FILES
from gameshelf.savegames._models import ConflictPolicy
from gameshelf.savegames._paths import fold, wrong_with
from gameshelf.savegames._patterns import MAX_PATTERN, InvalidPattern, PolicyPattern, parse_pattern
from gameshelf.savegames._places import MAX_PLACE, InvalidPlace, require_narrow
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError, to_json

MAX_POLICY_BYTES = 64 * 1024
MAX_ROOTS = 32
MAX_PLACES = 32
MAX_CONDITIONS = 32
MAX_PATTERNS = 32
"""Of an ``include``, an ``exclude`` or a rule of units."""
MAX_UNIT_RULES = 64
MAX_UNIT_PATTERNS = 256
"""Of all rules of units together: each file of a list is compared with them."""
MAX_TEMPLATE = 100
MAX_FILE_BYTES = 5 * 1024**3
MAX_BYTES = 2**53
MAX_SETTLE_SECONDS = 3600

_TEMPLATE = re.compile(r"(?:[^{}/\\]|\{[a-z][a-z0-9_]*\})+")
_NAMES = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _is_pattern(text: str) -> str:
    try:
        parse_pattern(text)
    except InvalidPattern as error:
        raise PydanticCustomError(error.rule, "not a pattern of paths") from None
    return text


def _is_place(text: str) -> str:
    try:
        require_narrow(text)
    except InvalidPlace as error:
        raise PydanticCustomError(error.rule, "not a folder of a game") from None
    return text


def _is_root(name: str) -> str:
    if wrong_with(name):
        raise PydanticCustomError("root_name", "not a name that any system can hold")
    return name


def _is_template(text: str) -> str:
    if not _TEMPLATE.fullmatch(text):
        raise PydanticCustomError("unit_name", "not a name with captures in braces")
    return text


def _is_process(text: str) -> str:
    if re.search(r"[/\\]", text):
        raise PydanticCustomError("process_name", "the name of a program, without its folder")
    return text


def _said(value: object) -> object:
    """An optional field that is empty was not said (contract, section 6)."""
    if not isinstance(value, Mapping):
        return value
    return {name: one for name, one in value.items() if one is not None and one != ""}


PatternText = Annotated[str, Field(max_length=MAX_PATTERN), NORMALISED, AfterValidator(_is_pattern)]
PlaceText = Annotated[str, Field(max_length=MAX_PLACE), NORMALISED, AfterValidator(_is_place)]
RootName = Annotated[str, Field(pattern="^[a-z0-9_-]{1,50}$", max_length=50), AfterValidator(_is_root)]
UnitTemplate = Annotated[str, Field(max_length=MAX_TEMPLATE), NORMALISED, ONE_LINE, AfterValidator(_is_template)]
ProcessName = Annotated[str, Field(min_length=1, max_length=255), NORMALISED, ONE_LINE, AfterValidator(_is_process)]
StoreName = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,50}$", max_length=50)]
Patterns = Annotated[tuple[PatternText, ...], Field(max_length=MAX_PATTERNS)]


def _either(name: str) -> AliasChoices:
    return AliasChoices(name, to_camel(name))


class _Document(BaseModel):
    """Snake case, and camelCase as events have it. Empty fields have their defaults; others are ignored."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        alias_generator=AliasGenerator(validation_alias=_either),
    )

    @model_validator(mode="before")
    @classmethod
    def _without_empty_fields(cls, value: object) -> object:
        return _said(value)


class PlaceCondition(_Document):
    """Where a place counts; what is left out counts everywhere."""

    os: Literal["dos", "linux", "mac", "windows"] | None = None
    """Operating system."""
    store: StoreName | None = None
    """Store that the game was installed from."""


class RootPlace(_Document):
    """A folder that may be a root."""

    when: Annotated[tuple[PlaceCondition, ...], Field(max_length=MAX_CONDITIONS)] = ()
    """Conditions of which one has to hold; without any the place always counts."""
    path: PlaceText
    """Its path, which begins with a placeholder such as `<winLocalAppData>`."""


class SaveRoot(_Document):
    """A folder with files of a save. A path in a save is `<root>/<relative path>`."""

    where: Annotated[tuple[RootPlace, ...], Field(max_length=MAX_PLACES)] = ()
    """Places of the folder."""
    include: Patterns = ("**",)
    """Patterns of relative paths that belong to the save."""
    exclude: Patterns = ()
    """Patterns of relative paths that do not, though they are included."""
    scope: Literal["all", "os", "machine"] = "all"
    """Where the files are the same: on all devices, on those with one operating system, or only on this one."""


class UnitRule(_Document):
    """Which files are a unit."""

    name: UnitTemplate
    """Name of the unit, with captures in braces."""
    match: Annotated[tuple[PatternText, ...], Field(min_length=1, max_length=MAX_PATTERNS)]
    """Patterns of paths, which begin with a root."""

    @model_validator(mode="after")
    def _has_the_captures_of_its_name(self) -> Self:
        wanted = set(_NAMES.findall(self.name))
        if not all(wanted <= parse_pattern(text).names for text in self.match):
            raise PydanticCustomError("unit_capture", "each pattern has to have the captures of the name")
        return self


class PolicyLimits(_Document):
    """Limits of a product; 0 stands for the limit of the service."""

    max_files: int = Field(default=0, ge=0, le=MAX_SET_FILES)
    """Highest number of files of a set."""
    max_bytes: int = Field(default=0, ge=0, le=MAX_BYTES)
    """Largest size of a set."""
    max_file_bytes: int = Field(default=0, ge=0, le=MAX_FILE_BYTES)
    """Largest size of a file."""
    oversize: Literal["refuse", "skip"] = "refuse"
    """What happens to a set with a file that is too large: it is refused, or saved without that file."""


class SavePolicy(_Document):
    """What of a product is saved. Without a policy a save has any paths, and is one unit."""

    mode: Literal["sync", "backup", "off"] = "sync"
    """Whether saves are synchronised, only stored, or neither."""
    merge: Literal["units", "never"] = "never"
    """Whether branches are merged by units, where that needs no choice."""
    conflict_policy: ConflictPolicy = ConflictPolicy.MANUAL
    """How other conflicts are resolved."""
    roots: Annotated[Mapping[RootName, SaveRoot], Field(max_length=MAX_ROOTS)] = {}
    """Folders of the save, by name."""
    units: Annotated[tuple[UnitRule, ...], Field(max_length=MAX_UNIT_RULES)] = ()
    """Units, by the first rule that matches."""
    limits: PolicyLimits = PolicyLimits()
    settle_seconds: int = Field(default=10, ge=0, le=MAX_SETTLE_SECONDS)
    """How long files have to stand still before a client saves them."""
    processes: Annotated[tuple[ProcessName, ...], Field(max_length=32)] = ()
    """Programs of the game; a client waits until none of them runs."""

    @model_validator(mode="before")
    @classmethod
    def _is_small(cls, value: object) -> object:
        if isinstance(value, Mapping) and len(to_json(dict(value), fallback=str)) > MAX_POLICY_BYTES:
            raise PydanticCustomError("policy_too_large", "at most 64 KiB of JSON")
        return value

    @model_validator(mode="after")
    def _has_few_patterns(self) -> Self:
        if sum(len(rule.match) for rule in self.units) > MAX_UNIT_PATTERNS:
            raise PydanticCustomError("unit_patterns", "at most 256 patterns of units")
        return self


DEFAULT_POLICY = SavePolicy()
"""The policy of a product without one. Its revision is 0, its source ``default``."""


class PolicyDocument(SavePolicy):
    """A policy with its revision, as an event or an operator's file has it."""

    revision: int = Field(default=1, ge=1, le=2**53)

    @model_validator(mode="before")
    @classmethod
    def _has_a_positive_revision(cls, value: object) -> object:
        if isinstance(value, Mapping) and value.get("revision") == 0:  # 0 was not said
            return {name: one for name, one in value.items() if name != "revision"}
        return value

    @property
    def policy(self) -> SavePolicy:
        """The policy without its revision."""
        return SavePolicy.model_validate(self.model_dump(exclude={"revision"}))


def from_event(document: Mapping[str, Any]) -> PolicyDocument:
    """Parses the ``savegamePolicy`` of an event; fields that are not known are ignored. Raises ValidationError."""
    return PolicyDocument.model_validate(document)


def from_file(document: Mapping[str, Any]) -> PolicyDocument:
    """Parses the file of an operator. Raises ValidationError, also for a field that is not known."""
    return PolicyDocument.model_validate(document, extra="forbid")


@dataclass(frozen=True, slots=True)
class EffectiveLimits:
    """The limits of a set of a product."""

    max_files: int
    max_bytes: int
    max_file_bytes: int
    skips_oversize: bool
    """Whether a file that is too large is left out, in place of a refusal."""


def effective_limits(limits: PolicyLimits, *, max_set_bytes: int, max_file_bytes: int) -> EffectiveLimits:
    """Returns the limits of a product, whose policy may set lower or higher ones than those of the service."""
    return EffectiveLimits(
        limits.max_files or MAX_SET_FILES,
        limits.max_bytes or max_set_bytes,
        limits.max_file_bytes or max_file_bytes,
        limits.oversize == "skip",
    )


class Coverage:
    """Which paths belong to a save by a policy."""

    def __init__(self, policy: SavePolicy) -> None:
        self._roots = {name: (_parsed(root.include), _parsed(root.exclude)) for name, root in policy.roots.items()}

    def covers(self, path: str) -> bool:
        """Whether a file with this path belongs to the save: any path without roots, else by its root's patterns."""
        if not self._roots:
            return True
        name, _, key = fold(path).partition("/")
        if not key or name not in self._roots:
            return False
        include, exclude = self._roots[name]
        return _has_match(include, key) and not _has_match(exclude, key)


def _parsed(texts: tuple[str, ...]) -> tuple[PolicyPattern, ...]:
    return tuple(map(parse_pattern, texts))


def _has_match(patterns: tuple[PolicyPattern, ...], key: str) -> bool:
    return any(pattern.match_key(key, key) is not None for pattern in patterns)

"""The resources of the service, and what its calls take.

Written by clients/python/generate.py from the OpenAPI document; not to be edited.
"""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Direction: TypeAlias = Literal["owner", "member"]
"""The side of a link that a user is on: `owner` or `member`."""

LinkStatus: TypeAlias = Literal[
    "pending_approval", "active", "revoked_by_owner", "declined_by_user", "revoked_by_admin"
]
"""State of a family link: `pending_approval` (the member has not answered yet), `active`, `revoked_by_owner` (also
one that has expired), `declined_by_user` (the member declined it, or left) or `revoked_by_admin`.
"""

LinkMode: TypeAlias = Literal["all", "only", "except"]
"""Which games of the owner a link shares: `all`, `only` those that are named, or all `except` those."""


class NewLink(TypedDict):
    """An invitation to play games of the user."""

    shared_with_user_id: str
    """User who is invited."""
    mode: "NotRequired[LinkMode]"
    """Which games are shared; `all` if it is left out."""
    product_ids: NotRequired[list[str]]
    """Products that the modes `only` and `except` are about."""
    expires_at: NotRequired[str | None]
    """When the link ends by itself; null or left out: never."""


class LinkChanges(TypedDict):
    """Changes to a link; a field that is left out stays as it is."""

    mode: "NotRequired[LinkMode]"
    """Which games are shared. `all` clears `product_ids`."""
    product_ids: NotRequired[list[str]]
    """Products that the modes `only` and `except` are about."""
    expires_at: NotRequired[str | None]
    """When the link ends by itself; null: never."""


HiddenFilter: TypeAlias = Literal["false", "true", "only"]
"""Whether hidden items are listed: `false` (not), `true` (with the others) or `only`."""

InstallationStatus: TypeAlias = Literal[
    "not_installed", "installing", "installed", "updating", "repair_needed", "error"
]
"""Status of an installation: `not_installed`, `installing`, `installed`, `updating`, `repair_needed` or `error`."""

ItemPart: TypeAlias = Literal["achievements", "saves", "playtime"]
"""What an item includes: `achievements` (how many are unlocked), `saves` (cloud saves, and how the device of the
query stands to them) or `playtime` (of the last two weeks).
"""

ItemSort: TypeAlias = Literal["name_asc", "name_desc", "last_played_desc", "added_at_desc", "playtime_desc"]
"""Orders of the library. `name_asc`, `name_desc`: by title; `last_played_desc`: the last played first;
`added_at_desc`: the latest addition first; `playtime_desc`: the most played first.
"""

SharedFilter: TypeAlias = Literal["include", "only", "exclude"]
"""Whether games that a family member shares are listed: `include`, `only` or `exclude`."""


class ClaimProduct(TypedDict):
    """The product to claim."""

    product_id: str
    """A product that the Catalog calls free to play."""


class ItemChanges(TypedDict):
    """Changes to an item; a field that is left out stays as it is. `category_ids` excludes the other two lists."""

    is_hidden: NotRequired[bool]
    """Whether the item is hidden."""
    category_ids: NotRequired[list[str]]
    """The categories that the item is in from now on, in place of all others."""
    add_category_ids: NotRequired[list[str]]
    """Categories to add the item to."""
    remove_category_ids: NotRequired[list[str]]
    """Categories to remove the item from."""
    installation_status: "NotRequired[InstallationStatus]"
    """Installation status, as of now."""
    installed_version_id: NotRequired[str | None]
    """Version that is installed; null clears it."""
    device_id: NotRequired[str]
    """Device that the installation is about; left out, all devices."""


class BulkItem(TypedDict):
    """Changes to one of many items; a field that is left out stays as it is."""

    is_hidden: NotRequired[bool]
    """Whether the item is hidden."""
    category_ids: NotRequired[list[str]]
    """The categories that the item is in from now on, in place of all others."""
    add_category_ids: NotRequired[list[str]]
    """Categories to add the item to."""
    remove_category_ids: NotRequired[list[str]]
    """Categories to remove the item from."""
    installation_status: "NotRequired[InstallationStatus]"
    """Installation status, as of now."""
    installed_version_id: NotRequired[str | None]
    """Version that is installed; null clears it."""
    device_id: NotRequired[str]
    """Device that the installation is about; left out, all devices."""
    id: str
    """Id of the item."""


class BulkChanges(TypedDict):
    """Changes to many items."""

    items: "list[BulkItem]"
    """The items with their changes; each item once."""


class NewCategory(TypedDict):
    """A new category."""

    name: str
    """Name of the category, unique for the user without regard to case and spacing."""
    display_order: NotRequired[int]
    """Position in the list of categories, the lowest first; 0 if it is left out."""


class CategoryChanges(TypedDict):
    """Changes to a category; a field that is left out stays as it is."""

    name: NotRequired[str]
    """Name of the category, unique for the user without regard to case and spacing."""
    display_order: NotRequired[int]
    """Position in the list of categories, the lowest first."""


class ReportProgress(TypedDict):
    """A progress report."""

    current_progress: int
    """Progress by the count of the game. Less than before changes nothing; more than the target counts as the
    target.
    """


class OfflineAchievement(TypedDict):
    """An unlock or a progress report from offline play. It identifies the achievement by `achievement_id`, or by
    `product_id` and `api_name`. It has `unlocked` or `current_progress`.
    """

    client_id: str
    """Id of the element, chosen by the client. The result of the element has the same id."""
    achievement_id: NotRequired[str | None]
    """Id of the achievement."""
    product_id: NotRequired[str | None]
    """Product of the achievement, together with `api_name`."""
    api_name: NotRequired[str | None]
    """Name of the achievement in the game, together with `product_id`."""
    unlocked: NotRequired[Literal[True] | None]
    """`true`: the achievement was unlocked."""
    current_progress: NotRequired[int | None]
    """Progress by the count of the game."""
    happened_at: str
    """Time of the unlock or report, by the clock of the device."""
    device_id: NotRequired[str | None]
    """Device of the unlock or report."""


class ImportAchievements(TypedDict):
    """The unlocks and progress reports that a client collected offline."""

    achievements: "list[OfflineAchievement]"
    """The unlocks and progress reports."""


class NewWish(TypedDict):
    """A product to wish for, and when to notify the user. The user is notified when all conditions that are set
    are met.
    """

    product_id: str
    """Product to wish for."""
    priority: NotRequired[int | None]
    """Place in the list, from 1; items without one are last."""
    notes: NotRequired[str | None]
    """Notes of the user."""
    target_price_minor: NotRequired[int | None]
    """Price to be notified at, in minor units of `target_currency`, which it needs."""
    target_currency: NotRequired[str | None]
    """Currency of the target price by its ISO 4217 code."""
    min_discount_percent: NotRequired[int | None]
    """Smallest discount to be notified at, in percent."""


class WishChanges(TypedDict):
    """Changes to an item; a field that is left out stays as it is, null clears it."""

    priority: NotRequired[int | None]
    """Place in the list, from 1; items without one are last."""
    notes: NotRequired[str | None]
    """Notes of the user."""
    target_price_minor: NotRequired[int | None]
    """Price to be notified at, in minor units of `target_currency`, which it needs."""
    target_currency: NotRequired[str | None]
    """Currency of the target price by its ISO 4217 code."""
    min_discount_percent: NotRequired[int | None]
    """Smallest discount to be notified at, in percent."""


class Order(TypedDict):
    """The order of the whole wishlist."""

    item_ids: list[str]
    """Every item of the wishlist once, the most wanted first."""


class StartSession(TypedDict):
    """A session to start. It starts at the time of the server."""

    product_id: str
    """Product that is played."""
    platform: NotRequired[str | None]
    """Platform that it is played on."""
    device_id: NotRequired[str | None]
    """Device that it is played on."""


class OfflineSession(TypedDict):
    """A session that was played offline."""

    client_session_id: str
    """Id that the client gives the session. The same one from the same device is imported once."""
    product_id: str
    """Product that was played."""
    start_time: str
    """When the session started."""
    end_time: str
    """When the session ended."""
    device_id: NotRequired[str | None]
    """Device that it was played on."""
    platform: NotRequired[str | None]
    """Platform that it was played on."""


class ImportSessions(TypedDict):
    """Sessions that were played offline."""

    sessions: "list[OfflineSession]"
    """The sessions."""


Breakdown: TypeAlias = Literal["platform"]
"""Further breakdown of a summary by product: `platform`."""

Period: TypeAlias = Literal["all_time", "last_2_weeks"]
"""Time that a summary is about: `all_time` or `last_2_weeks` (the last 14 × 24 hours)."""

SessionStatus: TypeAlias = Literal["active", "completed"]
"""Whether a session runs: `active` or `completed`."""


class NewSettings(TypedDict):
    """A whole layer."""

    settings_payload: dict[str, Any]
    """Settings of the layer, as the game defines them."""


class SettingsPatch(TypedDict):
    """A JSON Merge Patch (RFC 7396) of a layer."""

    settings_payload: dict[str, Any]
    """Changes of the layer. Null removes a key."""


class Synced(TypedDict):
    """The version that a device has."""

    version: int
    """Version whose bytes the device has."""
    device_id: str
    """Device that has them."""


class Restore(TypedDict):
    """The version to restore."""

    version: int
    """Version whose bytes become the head."""
    device_id: NotRequired[str | None]
    """Device that restores, which counts as the device of the new head."""
    units: NotRequired[list[str] | None]
    """Only these units of a set; the others stay as the head has them. Left out, the whole version is restored."""


class VersionChanges(TypedDict):
    """Changes to a version; a field that is left out stays as it is."""

    is_pinned: NotRequired[bool | None]
    """Whether the version is kept when old versions are pruned."""
    comment: NotRequired[str | None]
    """Comment of the user; null clears it."""


ConflictPolicy: TypeAlias = Literal["manual", "most_recent", "longest_playtime"]
"""How an upload that is a branch is resolved: by the user (`manual`), or in favour of the version that changed
last (`most_recent`) or was played longest (`longest_playtime`).
"""


class Encryption(TypedDict):
    """How the client encrypted the bytes. The service never has the key."""

    scheme: str
    """Name of the scheme, as the client calls it."""
    key_id: str
    """Key that decrypts the bytes, as the client calls it."""
    identity: NotRequired[str | None]
    """HMAC of the unencrypted bytes in hex: the same bytes, encrypted again, are the same content."""


class NewUpload(TypedDict):
    """Bytes to save."""

    product_id: str
    """Product that the save belongs to."""
    save_slot_name: str
    """Name of the save within its product."""
    file_size_bytes: int
    """Size of the bytes."""
    file_hash_sha256: str
    """SHA-256 of the bytes, in hex."""
    client_modified_at: NotRequired[str | None]
    """When the file changed on the device."""
    savegame_id: NotRequired[str | None]
    """Save that `base_version` belongs to, if another save may have its name by now."""
    base_version: NotRequired[int | None]
    """Version that the bytes grew from; 0: from nothing. Left out, it is the version that the device uploaded or
    reported (`synced`) last, and without a device the head.
    """
    device_id: NotRequired[str | None]
    """Device that uploads."""
    comment: NotRequired[str | None]
    """Comment of the user."""
    playtime_seconds: NotRequired[int | None]
    """Playtime in the save."""
    content_encoding: NotRequired[str | None]
    """Encoding of the bytes, such as `gzip`; the bytes are stored as they are."""
    encryption: "NotRequired[Encryption | None]"
    """How the client encrypted the bytes."""
    raw_sha256: NotRequired[str | None]
    """SHA-256 of the unpacked bytes, in hex; it is verified. Needs the `content_encoding` `identity`, `gzip` or
    `zstd`.
    """
    raw_size_bytes: NotRequired[int | None]
    """Size of the unpacked bytes."""
    conflict_policy: "NotRequired[ConflictPolicy | None]"
    """How a conflict is resolved if the upload is a branch; left out, as the product's policy has it."""
    confirm_removals: NotRequired[int | None]
    """Number of files that the user agreed to remove, where the bytes replace a set."""


class ConfirmUpload(TypedDict):
    """The upload to confirm."""

    internal_save_id: str
    """Id of the upload."""
    s3_path: NotRequired[str | None]
    """Ignored. Older clients send it."""


class FileEntry(TypedDict):
    """A file to save."""

    path: str | None
    """Path within the set, with `/` between its parts; null: the save is a single file, and this is its only
    entry.
    """
    size_bytes: int
    """Size of the bytes."""
    sha256: str
    """SHA-256 of the bytes, in hex."""
    raw_sha256: NotRequired[str | None]
    """SHA-256 of the unpacked bytes, in hex; it is verified. Needs the `content_encoding` `identity`, `gzip` or
    `zstd`.
    """
    raw_size_bytes: NotRequired[int | None]
    """Size of the unpacked bytes."""
    content_encoding: NotRequired[str | None]
    """Encoding of the bytes, such as `gzip`; the bytes are stored as they are."""
    encryption: "NotRequired[Encryption | None]"
    """How the client encrypted the bytes."""
    modified_at: NotRequired[str | None]
    """When the file changed on the device."""
    part_sha256: NotRequired[list[str] | None]
    """SHA-256 of each part, in order, in hex: the file is sent in parts. Only for more than 8 MiB; each part but
    the last one has a thousandth of the size, rounded up, and 8 MiB at least.
    """


class NewSet(TypedDict):
    """Files to save: all of them (`files`), or what changed against `base_version` (`put`, `remove`,
    `set_sha256`).
    """

    product_id: str
    """Product that the save belongs to."""
    save_slot_name: str
    """Name of the save within its product."""
    files: "NotRequired[list[FileEntry] | None]"
    """All files of the save."""
    put: "NotRequired[list[FileEntry] | None]"
    """Files that are new or changed against `base_version`."""
    remove: NotRequired[list[str] | None]
    """Paths of `base_version` that are no longer there."""
    set_sha256: NotRequired[str | None]
    """`file_hash_sha256` of the result of a delta, in hex."""
    savegame_id: NotRequired[str | None]
    """Save that `base_version` belongs to, if another save may have its name by now."""
    base_version: NotRequired[int | None]
    """Version that the files grew from; 0: from nothing. Left out, it is the version that the device uploaded or
    reported (`synced`) last.
    """
    device_id: NotRequired[str | None]
    """Device that uploads. A set needs it."""
    device_name: NotRequired[str | None]
    """Name of the device, for the user's other devices."""
    client_modified_at: NotRequired[str | None]
    """When the save changed on the device; left out, it is the newest `modified_at`."""
    comment: NotRequired[str | None]
    """Comment of the user."""
    playtime_seconds: NotRequired[int | None]
    """Playtime in the save."""
    conflict_policy: "NotRequired[ConflictPolicy | None]"
    """How a conflict is resolved if the upload is a branch; left out, as the product's policy has it."""
    game_version_id: NotRequired[str | None]
    """Version of the game that wrote the save."""
    policy_revision: NotRequired[int | None]
    """Revision of the product's policy that the device used."""
    confirm_removals: NotRequired[int | None]
    """Number of files that the user agreed to remove."""


class DownloadSet(TypedDict):
    """The version to download, and what the device has already."""

    version: NotRequired[int | None]
    """Version to download; left out, the head."""
    have: NotRequired[list[str]]
    """SHA-256 of bytes that the device has, in hex."""
    have_version: NotRequired[int | None]
    """Version whose files the device has."""
    want: NotRequired[list[str]]
    """SHA-256 of the bytes whose URLs are needed, in hex; then the answer lists these files alone."""
    device_id: NotRequired[str | None]
    """Device that downloads. It decides nothing: report `synced` once the bytes are stored."""


MergeSide: TypeAlias = Literal["head", "branch"]
"""The side of a conflict whose files of a unit a merge takes."""

Resolution: TypeAlias = Literal["keep_local", "keep_cloud", "keep_both", "merge"]
"""How a conflict is resolved: the bytes of the branch (`keep_local`) or of the head (`keep_cloud`) become the new
head, the branch becomes a save of its own (`keep_both`), or each unit of the new head is that of one side
(`merge`).
"""


class Resolve(TypedDict):
    """How to resolve a conflict."""

    resolution: "Resolution"
    """How the conflict is resolved."""
    copy_slot_name: NotRequired[str | None]
    """Name of the new save with `keep_both`; left out, `<name> (conflict v<number>)`."""
    head_version: NotRequired[int | None]
    """Head that the user has seen; left out, the one that the last 409 described."""
    branch_version: NotRequired[int | None]
    """Branch that the user has seen; left out, the one that the last 409 described."""
    units: "NotRequired[dict[str, MergeSide] | None]"
    """With `merge` the side of each unit. Units that only one side has changed may be left out."""


class AskedSlot(TypedDict):
    """A save, as a device has it."""

    slot_name: str
    """Name of the save within its product."""
    savegame_id: NotRequired[str | None]
    """Save that `base_version` belongs to, if another save may have its name by now."""
    base_version: NotRequired[int | None]
    """Version that the device's files grew from; 0: from nothing. Left out, it is the version that the device
    uploaded or reported (`synced`) last.
    """
    content_hash: NotRequired[str | None]
    """`content_identity` of what the device has, in hex; null: nothing."""
    units: "NotRequired[list[AskedUnit]]"
    """The units of what the device has, if the product's policy has units."""


class AskedUnit(TypedDict):
    """A unit of a save, as a device has it."""

    name: str
    """Name of the unit, by the product's policy."""
    sha256: str
    """`content_identity` of its files alone, in hex."""


PlanIntent: TypeAlias = Literal["launch", "exit", "suspend", "resume", "background", "manual"]
"""What the device is about to do."""


class PlanSaves(TypedDict):
    """What a device has of the saves of a product, and what it is about to do."""

    product_id: str
    """Product of the saves."""
    device_id: str
    """Device that asks."""
    device_name: NotRequired[str | None]
    """Name of the device, for the user's other devices."""
    policy_revision: NotRequired[int | None]
    """Revision of the product's policy that the device has."""
    game_version_id: NotRequired[str | None]
    """Version of the game on the device."""
    intent: "PlanIntent"
    slots: "NotRequired[list[AskedSlot]]"
    """The saves that the device knows."""


class Preference(TypedDict):
    """Whether saves are synchronised without being asked."""

    auto_sync: bool
    """With `false` a device synchronises only when its user asks for it."""


class FamilyLink(TypedDict):
    """A link by which an owner shares games with a member of the family."""

    type: Literal["familyLink"]
    """Type of the resource: always `familyLink`."""
    id: str
    """Id of the link."""
    attributes: "FamilyLinkAttributes"
    """Attributes of the resource `familyLink`."""
    links: "ResourceLinks"
    """Addresses of this resource, relative to the host."""


class FamilyLinkAttributes(TypedDict):
    """Attributes of the resource `familyLink`."""

    owner_user_id: str
    """User whose games are shared."""
    shared_with_user_id: str
    """User whom the games are shared with."""
    direction: "Direction"
    """The side of the link that the calling user is on."""
    status: "LinkStatus"
    """State of the link."""
    mode: "LinkMode"
    """Which games of the owner are shared."""
    product_ids: list[str]
    """Products that the modes `only` and `except` are about; empty with the mode `all`."""
    expires_at: str | None
    """When the link expires; null if it does not."""
    shared_at: str
    """When the member was last invited, or accepted."""
    active_since: str | None
    """When the access of the member began."""
    last_access_at: str | None
    """When the member last started a shared game."""
    created_at: str
    """When the link was created."""
    updated_at: str
    """When the link changed last."""


class ResourceLinks(TypedDict):
    """Addresses of a resource, relative to the host."""

    self: str
    """Address of the resource."""


ErrorCode: TypeAlias = str
"""Stable code of an error. A later version may add codes."""


class FamilySeat(TypedDict):
    """A shared copy of a product that a user plays now."""

    type: Literal["familySeat"]
    """Type of the resource: always `familySeat`."""
    id: str
    """`<owner_user_id>:<product_id>`."""
    attributes: "FamilySeatAttributes"
    """Attributes of the resource `familySeat`."""


class FamilySeatAttributes(TypedDict):
    """Attributes of the resource `familySeat`."""

    owner_user_id: str
    """User who owns the copy."""
    product_id: str
    """Product of the copy."""
    held_by_user_id: str
    """User who plays the copy."""
    session_id: str | None
    """Session that takes the seat; null unless it is a session of the calling user."""
    since: str
    """When the seat was taken."""
    seat_number: int
    """Number of this use of the seat. It grows with every use."""
    lost_at: str | None
    """When the player has to stop because the owner plays; null if they may continue."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class LibraryItem(TypedDict):
    """A product in the library of the user: a game that they own, or that a family member shares with them."""

    type: Literal["libraryItem"]
    """Type of the resource: always `libraryItem`."""
    id: str
    """Id of the item."""
    attributes: "LibraryItemAttributes"
    """Attributes of the resource `libraryItem`."""
    relationships: "LibraryItemRelationships"
    """Resources related to `libraryItem`."""
    links: "ResourceLinks"
    """Addresses of this resource, relative to the host."""


class LibraryItemAttributes(TypedDict):
    """Attributes of the resource `libraryItem`."""

    product_id: str
    """Product of the item, as the Catalog names it."""
    product_type: str | None
    """Type of the product in the Catalog, such as `game` or `dlc`; null while it is unknown."""
    title: str | None
    """Title in the language of the response, else in the other language; null until the Catalog names the product.
    """
    cover_image_url: str | None
    """Address of the cover image; null while it is unknown."""
    added_at: str
    """When access to the product began, according to its source."""
    acquisition_type: "AcquisitionType"
    """How the user acquired the product, by the oldest grant of ownership that is still valid."""
    shared_from_user_id: str | None
    """Owner who shares the product; null for a product that the user owns."""
    installation_status: "InstallationStatus"
    """Best status of all devices, or the status on the device that the query names."""
    installed_version_id: str | None
    """Version that belongs to `installation_status`; null while it is unknown."""
    installations: "list[Installation]"
    """Installation on each device."""
    last_played_at: str | None
    """When a session of the product started or ended last; null if it was never played."""
    total_playtime_seconds: int
    """Total playtime in seconds, with corrections by support. Sessions that overlap count once."""
    is_hidden: bool
    """Whether the user has hidden the item."""
    user_rating: float | None
    """Rating by the user, from 0 to 100; null while the social service has sent none."""
    achievements: "NotRequired[ItemAchievements | None]"
    """Achievements, with `include=achievements`; null for a product without achievements."""
    saves: "NotRequired[ItemSaves | None]"
    """Cloud saves, with `include=saves`; null for a product without saves."""
    playtime: "NotRequired[ItemPlaytime | None]"
    """Recent playtime, with `include=playtime`; null for a product that was never played."""


AcquisitionType: TypeAlias = Literal["purchase", "gift", "key_activation", "family_shared_access", "free_to_play"]
"""How a game came into a library: `purchase`, `gift`, `key_activation`, `family_shared_access` (a family member
shares it) or `free_to_play`.
"""


class Installation(TypedDict):
    """The installation of a product on one device, or on all devices."""

    device_id: str | None
    """Device of the installation; null for an entry that is about all devices."""
    installation_status: "InstallationStatus"
    """Status on this device."""
    installed_version_id: str | None
    """Version on this device, if it is known."""
    changed_at: str
    """When this entry changed last."""


class ItemAchievements(TypedDict):
    """The progress of the user on the achievements of a product."""

    unlocked: int
    """Number of achievements that the user has unlocked."""
    total: int
    """Number of achievements of the product."""
    percentage: float
    """Share of unlocked ones in percent, rounded down: 100 means all of them."""
    last_unlocked_at: str | None
    """When the user last unlocked one of them."""


class ItemSaves(TypedDict):
    """The cloud saves of a product, without those in the trash."""

    state: "DeviceSaveState | None"
    """How the device of the query stands to these saves; null where the query names none."""
    save_count: int
    """Number of saves."""
    conflict_count: int
    """Number of open conflicts, whatever device they are about."""
    last_saved_at: str
    """When the newest save was uploaded."""
    last_device_id: str | None
    """Device that uploaded it, if it was named."""


DeviceSaveState: TypeAlias = Literal["synced", "newer_elsewhere", "conflict"]
"""How a device stands to the saves of a product: it has all of them (`synced`), a save has a newer version, or one
that the device never had (`newer_elsewhere`), or the user has to resolve a conflict first (`conflict`).
"""


class ItemPlaytime(TypedDict):
    """How the user has played a product lately."""

    last_2_weeks_seconds: int
    """Seconds played in the last 14 × 24 hours."""
    session_count: int
    """Number of sessions that have ended."""


class LibraryItemRelationshipsCategories(TypedDict):
    """Categories of the item."""

    data: "list[UserCategoryReference]"
    """The categories."""


class LibraryItemRelationships(TypedDict):
    """Resources related to `libraryItem`."""

    categories: "LibraryItemRelationshipsCategories"
    """Categories of the item."""


class UserCategoryReference(TypedDict):
    """A reference to a category."""

    type: Literal["userCategory"]
    """Always `userCategory`."""
    id: str
    """Id of the category."""


class ChangedItem(TypedDict):
    """The result of one change of many."""

    type: Literal["changedItem"]
    """Type of the resource: always `changedItem`."""
    id: str
    """Id of the item that was to be changed."""
    attributes: "ChangedItemAttributes"
    """Attributes of the resource `changedItem`."""


class ChangedItemAttributes(TypedDict):
    """Attributes of the resource `changedItem`."""

    result: "ChangeResult"
    """Result of the change."""
    code: str | None
    """Error code of a change that was rejected; else null."""


ChangeResult: TypeAlias = Literal["updated", "unchanged", "rejected"]
"""Result of a change: `updated`, `unchanged` (the item was like that already) or `rejected`."""


class UserCategory(TypedDict):
    """A category that the user has made to sort their library."""

    type: Literal["userCategory"]
    """Type of the resource: always `userCategory`."""
    id: str
    """Id of the category."""
    attributes: "UserCategoryAttributes"
    """Attributes of the resource `userCategory`."""
    links: "ResourceLinks"
    """Addresses of this resource, relative to the host."""


class UserCategoryAttributes(TypedDict):
    """Attributes of the resource `userCategory`."""

    name: str
    """Name of the category."""
    display_order: int
    """Position in the list of categories, the lowest first."""
    item_count: int
    """Number of visible items in the category, without hidden ones."""
    created_at: str
    """When the category was created."""
    updated_at: str
    """When its name or its position changed last."""


class Home(TypedDict):
    """The first screen of a launcher."""

    type: Literal["home"]
    """Type of the resource: always `home`."""
    id: str
    """Id of the user."""
    attributes: "HomeAttributes"
    """Attributes of the resource `home`."""


class HomeAttributes(TypedDict):
    """Attributes of the resource `home`."""

    continue_playing: "list[LibraryItem]"
    """The games that were played last, the last one first, with `achievements`, `saves` and `playtime`. Hidden
    ones are left out.
    """
    new_items: "list[LibraryItem]"
    """The latest additions to the library, the newest first, without hidden ones."""
    item_count: int
    """Number of items of the library, without hidden ones."""
    playing_now: "list[RunningSession]"
    """The sessions that run, on all devices, the newest first."""
    conflicts: "list[ConflictOfSave]"
    """The open conflicts of saves, the oldest first."""
    conflict_count: int
    """Number of all open conflicts."""
    wishes_on_sale: "list[WishOnSale]"
    """The products on the wishlist that are on sale, the greatest discount first."""
    wish_on_sale_count: int
    """Number of all products on the wishlist that are on sale."""
    storage: "SavesStorage"
    """The storage that the saves use."""


class RunningSession(TypedDict):
    """A session that runs now."""

    session_id: str
    """Id of the session."""
    product_id: str
    """Product that is played."""
    device_id: str | None
    """Device of the session, if the client sent one."""
    platform: str | None
    """Platform of the session, if the client sent one."""
    start_time: str
    """When the session started."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class ConflictOfSave(TypedDict):
    """An open conflict of a save, which the user has to resolve."""

    conflict_id: str
    """Id of the conflict."""
    savegame_id: str
    """Id of the save."""
    product_id: str
    """Product of the save."""
    slot_name: str
    """Name of the save within its product."""
    opened_at: str
    """When the conflict began."""
    head_device_id: str | None
    """Device that uploaded the head, if it was named."""
    branch_device_id: str | None
    """Device that uploaded the branch, if it was named."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class WishOnSale(TypedDict):
    """A product on the wishlist whose current price is that of a sale."""

    wishlist_item_id: str
    """Id of the item of the wishlist."""
    product_id: str
    """Product on the wishlist."""
    price_minor: int
    """Price to pay, with the discount, in minor units of the currency."""
    currency: str
    """Currency by its ISO 4217 code."""
    discount_percent: int
    """Discount in percent."""
    sale_id: str
    """Sale that the price belongs to."""
    sale_ends_at: str | None
    """When the sale ends, if that is known."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class SavesStorage(TypedDict):
    """The storage that the saves of the user use, and the limit. Each content counts once."""

    used_bytes: int
    """Bytes of all stored contents, trash and history included."""
    reserved_bytes: int
    """Bytes that open uploads have reserved."""
    limit_bytes: int
    """How many bytes the user may use and reserve."""


class UserAchievementStatus(TypedDict):
    """An achievement, with the progress of the user."""

    type: Literal["userAchievementStatus"]
    """Type of the resource: always `userAchievementStatus`."""
    id: str
    """Id of the achievement."""
    attributes: "UserAchievementStatusAttributes"
    """Attributes of the resource `userAchievementStatus`."""


class UserAchievementStatusAttributes(TypedDict):
    """Attributes of the resource `userAchievementStatus`."""

    product_id: str
    """Product of the achievement."""
    api_name: str | None
    """Name that the developer of the game uses for it."""
    name: str | None
    """Name in the language of the response, else in the other language; null while a hidden achievement is locked.
    """
    description: str | None
    """Description in the language of the response, by the rules of `name`."""
    icon_url_locked: str | None
    """Icon of the locked achievement."""
    icon_url_unlocked: str | None
    """Icon of the unlocked achievement."""
    is_hidden: bool
    """Whether the developer hides it until it is unlocked."""
    is_unlocked: bool
    """Whether the user has unlocked it."""
    unlocked_at: str | None
    """When the user unlocked it; null while it is locked."""
    current_progress: "AchievementProgress | None"
    """Progress of the user; null for an achievement without a target."""
    rarity_percentage: float | None
    """Share of the product's owners who have unlocked it, in percent with one decimal; null if nobody owns the
    product.
    """
    rarity_at_unlock: float | None
    """Rarity at the moment of the unlock."""


class AchievementProgress(TypedDict):
    """Progress towards an achievement."""

    current: int
    """Progress of the user."""
    total: int
    """Progress that unlocks the achievement."""


class AchievementRarity(TypedDict):
    """An achievement with its rarity. A hidden one has neither name nor description here."""

    type: Literal["achievementRarity"]
    """Type of the resource: always `achievementRarity`."""
    id: str
    """Id of the achievement."""
    attributes: "AchievementRarityAttributes"
    """Attributes of the resource `achievementRarity`."""


class AchievementRarityAttributes(TypedDict):
    """Attributes of the resource `achievementRarity`."""

    product_id: str
    """Product of the achievement."""
    api_name: str | None
    """Name that the developer of the game uses for it."""
    name: str | None
    """Name in the language of the response, else in the other language; null while a hidden achievement is locked.
    """
    description: str | None
    """Description in the language of the response, by the rules of `name`."""
    icon_url_locked: str | None
    """Icon of the locked achievement."""
    icon_url_unlocked: str | None
    """Icon of the unlocked achievement."""
    is_hidden: bool
    """Whether the developer hides it until it is unlocked."""
    rarity_percentage: float | None
    """Share of the product's owners who have unlocked it, in percent with one decimal; null if nobody owns the
    product.
    """


class ImportedAchievement(TypedDict):
    """The result of one element of an import."""

    type: Literal["importedAchievement"]
    """Type of the resource: always `importedAchievement`."""
    id: str
    """Id that the client gave the element."""
    attributes: "ImportedAchievementAttributes"
    """Attributes of the resource `importedAchievement`."""


class ImportedAchievementAttributes(TypedDict):
    """Attributes of the resource `importedAchievement`."""

    client_id: str
    """Id that the client gave the element."""
    result: "ImportResult"
    """Result of the element."""
    code: str | None
    """Error code of an element that was rejected; else null."""


ImportResult: TypeAlias = Literal["accepted", "duplicate", "rejected"]
"""Result of one element of an import: `accepted`, `duplicate` (it changed nothing) or `rejected`."""


class ProductAchievements(TypedDict):
    """The progress of the user on the achievements of a product."""

    type: Literal["productAchievements"]
    """Type of the resource: always `productAchievements`."""
    id: str
    """Id of the product."""
    attributes: "ProductAchievementsAttributes"
    """Attributes of the resource `productAchievements`."""


class ProductAchievementsAttributes(TypedDict):
    """Attributes of the resource `productAchievements`."""

    product_id: str
    """Product of the achievements."""
    unlocked: int
    """Number of achievements that the user has unlocked."""
    total: int
    """Number of achievements of the product."""
    percentage: float
    """Share of unlocked ones in percent, rounded down: 100 means all of them."""
    last_unlocked_at: str | None
    """When the user last unlocked one of them."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class WishlistItem(TypedDict):
    """A product on the wishlist of the user."""

    type: Literal["wishlistItem"]
    """Type of the resource: always `wishlistItem`."""
    id: str
    """Id of the item of the wishlist."""
    attributes: "WishlistItemAttributes"
    """Attributes of the resource `wishlistItem`."""


class WishlistItemAttributes(TypedDict):
    """Attributes of the resource `wishlistItem`."""

    product_id: str
    """Product on the wishlist."""
    title: str | None
    """Title in the language of the response, else in the other language; null until the Catalog names the product.
    """
    cover_image_url: str | None
    """Address of the cover image; null while it is unknown."""
    added_at: str
    """When the product was added to the wishlist."""
    priority: int | None
    """Place in the list: 1 is first, null is last."""
    notes: str | None
    """Notes of the user."""
    target_price_minor: int | None
    """Price at which the user wants to be notified, in minor units of `target_currency`."""
    target_currency: str | None
    """Currency of the target price."""
    min_discount_percent: int | None
    """Smallest discount at which the user wants to be notified, in percent."""
    current_price: "Price | None"
    """Current price in the currency of the target, or else in the default currency; null while none is known."""


class Price(TypedDict):
    """The price of a product in one currency, as the Catalog last published it."""

    price_minor: int
    """Price to pay, with the discount, in minor units of the currency."""
    currency: str
    """Currency by its ISO 4217 code."""
    discount_percent: int
    """Discount in percent; 0 without a discount."""
    sale_id: str | None
    """Sale that the price belongs to, if there is one."""
    sale_ends_at: str | None
    """When the sale ends, if that is known."""


class PlaytimeSession(TypedDict):
    """One session of playing a product, running or ended."""

    type: Literal["playtimeSession"]
    """Type of the resource: always `playtimeSession`."""
    id: str
    """Id of the session."""
    attributes: "PlaytimeSessionAttributes"
    """Attributes of the resource `playtimeSession`."""


class PlaytimeSessionAttributes(TypedDict):
    """Attributes of the resource `playtimeSession`."""

    product_id: str
    """Product that was played."""
    device_id: str | None
    """Device of the session, if the client sent one."""
    platform: str | None
    """Platform of the session, if the client sent one."""
    start_time: str
    """When the session started."""
    status: "SessionStatus"
    """Whether the session runs."""
    end_time: str | None
    """When the session ended; null while it runs."""
    duration_seconds: int | None
    """Length of the session in seconds; null while it runs."""
    end_reason: "EndReason | None"
    """Why the session ended; null while it runs."""
    seat_number: int | None
    """Number of the use of the seat of a shared copy; null for a copy of one's own."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


EndReason: TypeAlias = Literal["completed", "timeout", "imported", "access_revoked", "seat_lost"]
"""Why a session ended: `completed` (the client ended it), `timeout` (no heartbeat came any more), `imported` (it
was played offline), `access_revoked` (the user may not play the product any more) or `seat_lost` (the owner of
the copy wanted to play, or support has freed the seat).
"""


class ImportedSession(TypedDict):
    """The result of one session of an import."""

    type: Literal["importedSession"]
    """Type of the resource: always `importedSession`."""
    id: str
    """Id that the client gave the session."""
    attributes: "ImportedSessionAttributes"
    """Attributes of the resource `importedSession`."""


class ImportedSessionAttributes(TypedDict):
    """Attributes of the resource `importedSession`."""

    client_session_id: str
    """Id that the client gave the session."""
    result: "ImportResult"
    """Result of the session."""
    code: str | None
    """Error code of a session that was rejected; else null."""


Playtime: TypeAlias = "ProductPlaytime | PlatformPlaytime"
"""Playtime of the user on a product, on all platforms (`productPlaytime`) or on one (`platformPlaytime`)."""


class ProductPlaytime(TypedDict):
    """Playtime of the user on a product. A session counts once it has ended; sessions that overlap count once."""

    type: Literal["productPlaytime"]
    """Type of the resource: always `productPlaytime`."""
    id: str
    """Id of the product."""
    attributes: "ProductPlaytimeAttributes"
    """Attributes of the resource `productPlaytime`."""


class ProductPlaytimeAttributes(TypedDict):
    """Attributes of the resource `productPlaytime`."""

    product_id: str
    """Product that was played."""
    total_playtime_seconds: int
    """Seconds played in total."""
    last_2_weeks_seconds: int
    """Seconds played in the last 14 × 24 hours."""
    last_played_at: str | None
    """When a session last ended."""
    session_count: int
    """Number of sessions that have ended."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class PlatformPlaytime(TypedDict):
    """Playtime of the user on a product and one platform. Sessions that overlap on two platforms count on each."""

    type: Literal["platformPlaytime"]
    """Type of the resource: always `platformPlaytime`."""
    id: str
    """`<product_id>:<platform>`."""
    attributes: "PlatformPlaytimeAttributes"
    """Attributes of the resource `platformPlaytime`."""


class PlatformPlaytimeAttributes(TypedDict):
    """Attributes of the resource `platformPlaytime`."""

    product_id: str
    """Product that was played."""
    platform: str | None
    """Platform; null for sessions without one."""
    total_playtime_seconds: int
    """Seconds played in total."""
    last_2_weeks_seconds: int
    """Seconds played in the last 14 × 24 hours."""
    last_played_at: str
    """When a session on this platform last ended."""
    session_count: int
    """Number of sessions on this platform that have ended."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class PlaytimeDay(TypedDict):
    """Playtime of the user on a product on one calendar day."""

    type: Literal["playtimeDay"]
    """Type of the resource: always `playtimeDay`."""
    id: str
    """`<date>:<product_id>`."""
    attributes: "PlaytimeDayAttributes"
    """Attributes of the resource `playtimeDay`."""


class PlaytimeDayAttributes(TypedDict):
    """Attributes of the resource `playtimeDay`."""

    date: str
    """Day in the time zone of the query."""
    product_id: str
    """Product that was played."""
    playtime_seconds: int
    """Seconds played on this day."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class GameSettingsSummary(TypedDict):
    """A game that the user has settings of."""

    type: Literal["gameSettingsSummary"]
    """Type of the resource: always `gameSettingsSummary`."""
    id: str
    """Id of the product."""
    attributes: "GameSettingsSummaryAttributes"
    """Attributes of the resource `gameSettingsSummary`."""


class GameSettingsSummaryAttributes(TypedDict):
    """Attributes of the resource `gameSettingsSummary`."""

    product_id: str
    """Game that the settings are of."""
    revision: int
    """Grows with every change of any layer."""
    has_account_layer: bool
    """Whether there is a layer of the account."""
    overlay_count: int
    """Number of overlays of platforms and devices."""
    last_updated_at: str
    """When any layer was last changed or deleted."""
    last_synced_with_cloud_at: str | None
    """When the settings were last written, or read (to the minute)."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class GameSettingsLayer(TypedDict):
    """One layer of the settings of a game, without its payload."""

    type: Literal["gameSettingsLayer"]
    """Type of the resource: always `gameSettingsLayer`."""
    id: str
    """`<product_id>:<layer>`, followed by `:<platform or device>` for an overlay."""
    attributes: "GameSettingsLayerAttributes"
    """Attributes of the resource `gameSettingsLayer`."""


class GameSettingsLayerAttributes(TypedDict):
    """Attributes of the resource `gameSettingsLayer`."""

    product_id: str
    """Game that the settings are of."""
    layer: "SettingsLayerKind"
    """Kind of the layer."""
    platform: str | None
    """Platform of the overlay of a platform; else null."""
    device_id: str | None
    """Device of the overlay of a device; else null."""
    revision: int
    """Revision at the last change of this layer."""
    last_updated_at: str
    """When the layer changed last."""
    last_used_at: str | None
    """When the overlay was last read or written (to the hour); null for the layer of the account."""


SettingsLayerKind: TypeAlias = Literal["account", "platform", "device"]
"""Kind of a layer: of the `account`, of one `platform` or of one `device`."""


class GameSettings(TypedDict):
    """The settings of a game: the layer of the account, with the overlays of a platform and of a device on top."""

    type: Literal["gameSettings"]
    """Type of the resource: always `gameSettings`."""
    id: str
    """Id of the product."""
    attributes: "GameSettingsAttributes"
    """Attributes of the resource `gameSettings`."""


class GameSettingsAttributes(TypedDict):
    """Attributes of the resource `gameSettings`."""

    product_id: str
    """Game that the settings are of."""
    settings_payload: dict[str, Any]
    """The merged settings, as the game defines them."""
    settings_layers: dict[str, Any]
    """The layer that each value comes from (`account`, `platform` or `device`), in the shape of the payload."""
    revision: int
    """Revision of the layer that was written, or the highest of those that were merged."""
    last_updated_at: str
    """When one of these layers changed last."""
    last_synced_with_cloud_at: str | None
    """When the settings were last written, or read (to the minute)."""


class Savegame(TypedDict):
    """A save, described by its head or by the version that an upload became."""

    type: Literal["savegame"]
    """Type of the resource: always `savegame`."""
    id: str
    """Id of the save."""
    attributes: "SavegameAttributes"
    """Attributes of the resource `savegame`."""
    links: "ResourceLinks"
    """Addresses of this resource, relative to the host."""


class SavegameAttributes(TypedDict):
    """Attributes of the resource `savegame`."""

    product_id: str
    """Product of the save."""
    slot_name: str
    """Name of the save within its product."""
    version: int
    """Number of the version within the save. Numbers have gaps and are never reused."""
    parent_version: int
    """Version that this one is based on; 0 if it is based on none."""
    merged_version: int | None
    """Second parent of a version that resolved a conflict; else null."""
    file_size_bytes: int
    """Size of the stored bytes; of a set, of all its files."""
    file_hash_sha256: str
    """SHA-256 of the stored bytes, in hex; of a set, of the list of its files."""
    client_modified_at: str | None
    """When the file changed on the device, according to the client."""
    server_uploaded_at: str
    """When the upload became a version."""
    device_id: str | None
    """Device that uploaded it, if it was named."""
    comment: str | None
    """Comment of the user."""
    file_count: int | None
    """Number of files of a set; null for a single file."""
    game_version_id: str | None
    """Version of the game that wrote the save, if it was named."""
    is_pinned: bool
    """Whether the version is kept when old versions are pruned."""
    playtime_seconds: int | None
    """Playtime in the save, according to the client."""
    content_encoding: str | None
    """Encoding of the bytes, declared by the client."""
    encryption: "SavegameEncryption | None"
    """Encryption of the bytes by the client; null if it declared none."""
    content_identity: str
    """Identity of the content in hex: two versions with the same one hold the same save, even if it was compressed
    or encrypted again.
    """
    deleted_at: str | None
    """When the save was put into the trash; null if it was not."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class SavegameEncryption(TypedDict):
    """Encryption of the bytes by the client. The service never has the key."""

    scheme: str
    """Name of the scheme, chosen by the client."""
    key_id: str
    """Name of the key that decrypts the bytes, chosen by the client."""
    identity: NotRequired[str]
    """HMAC of the unencrypted bytes in hex: the same bytes, encrypted again, are the same content."""


class SavegameQuota(TypedDict):
    """The space that the saves of the user use, and the limit. Each content counts once, however often it is used."""

    type: Literal["savegameQuota"]
    """Type of the resource: always `savegameQuota`."""
    id: str
    """Id of the user."""
    attributes: "SavegameQuotaAttributes"
    """Attributes of the resource `savegameQuota`."""


class SavegameQuotaAttributes(TypedDict):
    """Attributes of the resource `savegameQuota`."""

    used_bytes: int
    """Bytes of all stored contents, trash and history included."""
    reserved_bytes: int
    """Bytes that open uploads have reserved."""
    limit_bytes: int
    """How many bytes the user may use and reserve."""
    products: "list[ProductUsage]"
    """The space that each product uses."""


class ProductUsage(TypedDict):
    """The space that the saves of one product use. A content that two products have counts in both."""

    product_id: str
    """Product of the save."""
    used_bytes: int
    """Bytes of all stored contents, trash and history included."""
    reserved_bytes: int
    """Bytes that open uploads have reserved."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class SavegameVersion(TypedDict):
    """A version of a save."""

    type: Literal["savegameVersion"]
    """Type of the resource: always `savegameVersion`."""
    id: str
    """Id of the version."""
    attributes: "SavegameVersionAttributes"
    """Attributes of the resource `savegameVersion`."""


class SavegameVersionAttributes(TypedDict):
    """Attributes of the resource `savegameVersion`."""

    product_id: str
    """Product of the save."""
    slot_name: str
    """Name of the save within its product."""
    version: int
    """Number of the version within the save. Numbers have gaps and are never reused."""
    parent_version: int
    """Version that this one is based on; 0 if it is based on none."""
    merged_version: int | None
    """Second parent of a version that resolved a conflict; else null."""
    file_size_bytes: int
    """Size of the stored bytes; of a set, of all its files."""
    file_hash_sha256: str
    """SHA-256 of the stored bytes, in hex; of a set, of the list of its files."""
    client_modified_at: str | None
    """When the file changed on the device, according to the client."""
    server_uploaded_at: str
    """When the upload became a version."""
    device_id: str | None
    """Device that uploaded it, if it was named."""
    comment: str | None
    """Comment of the user."""
    file_count: int | None
    """Number of files of a set; null for a single file."""
    game_version_id: str | None
    """Version of the game that wrote the save, if it was named."""
    is_pinned: bool
    """Whether the version is kept when old versions are pruned."""
    playtime_seconds: int | None
    """Playtime in the save, according to the client."""
    content_encoding: str | None
    """Encoding of the bytes, declared by the client."""
    encryption: "SavegameEncryption | None"
    """Encryption of the bytes by the client; null if it declared none."""
    content_identity: str
    """Identity of the content in hex: two versions with the same one hold the same save, even if it was compressed
    or encrypted again.
    """
    status: "VersionStatus"
    """Place of the version in the history of the save."""


VersionStatus: TypeAlias = Literal["head", "history", "branch", "pruned"]
"""Place of a version in its save: `head`, `history` (the head grew from it, or no conflict is about it any more),
`branch` (an open conflict is about it) or `pruned` (its bytes are gone).
"""


class PresignedDownloadUrl(TypedDict):
    """A URL of the object store that downloads a version."""

    type: Literal["presignedDownloadUrl"]
    """Type of the resource: always `presignedDownloadUrl`."""
    id: str
    """Id of the version."""
    attributes: "PresignedDownloadUrlAttributes"
    """Attributes of the resource `presignedDownloadUrl`."""


class PresignedDownloadUrlAttributes(TypedDict):
    """Attributes of the resource `presignedDownloadUrl`."""

    savegame_id: str
    """Save of the version."""
    version: int
    """Number of the version."""
    download_url: str
    """Presigned URL of the object store."""
    expires_in_seconds: int
    """For how many seconds the URL is valid."""
    file_size_bytes: int
    """Size of the stored bytes."""
    file_hash_sha256: str
    """SHA-256 of the stored bytes, in hex."""
    content_encoding: str | None
    """Encoding of the bytes, declared by the client."""
    encryption: "SavegameEncryption | None"
    """Encryption of the bytes by the client; null if it declared none."""


class PresignedUploadUrl(TypedDict):
    """A reserved upload, and the request that sends its bytes to the object store."""

    type: Literal["presignedUploadUrl"]
    """Type of the resource: always `presignedUploadUrl`."""
    id: str
    """Id of the upload."""
    attributes: "PresignedUploadUrlAttributes"
    """Attributes of the resource `presignedUploadUrl`."""


class PresignedUploadUrlAttributes(TypedDict):
    """Attributes of the resource `presignedUploadUrl`."""

    internal_save_id: str
    """Id of the upload: confirm it by this id."""
    upload_required: bool
    """Whether bytes have to be sent; if not, they are stored already, and the client only confirms."""
    upload_url: str | None
    """Presigned URL of the object store; null if nothing has to be sent."""
    method: str | None
    """HTTP method of the request to the object store."""
    headers: dict[str, str]
    """Headers that have to be sent with the bytes, exactly as given."""
    expires_in_seconds: int
    """For how many seconds the URL is valid."""
    conflict_expected: bool
    """Whether the upload would become a branch if it were confirmed now."""


class SavegameUpload(TypedDict):
    """A reserved upload and its state."""

    type: Literal["savegameUpload"]
    """Type of the resource: always `savegameUpload`."""
    id: str
    """Id of the upload."""
    attributes: "SavegameUploadAttributes"
    """Attributes of the resource `savegameUpload`."""
    links: "ResourceLinks"
    """Addresses of this resource, relative to the host."""


class SavegameUploadAttributes(TypedDict):
    """Attributes of the resource `savegameUpload`."""

    product_id: str
    """Product of the save."""
    slot_name: str
    """Name of the save within its product."""
    savegame_id: str
    """Save that the upload belongs to."""
    status: "UploadStatus"
    """State of the upload."""
    conflict_expected: bool
    """Whether the upload would become a branch if it were confirmed now."""
    created_at: str
    """When the upload was reserved."""
    expires_at: str
    """When the upload can no longer be confirmed."""
    base_version: int
    """Version that the upload is based on; 0 if it is based on none."""
    file_count: int | None
    """Number of files of a set; null for a single file."""
    missing_bytes: int
    """Number of bytes that have not arrived. In lists, and while they are verified, it is the size that was
    announced.
    """
    missing_count: int
    """Number of contents that have not arrived. In lists, and while they are verified, it is the number of files.
    """
    uploads: "list[MissingContent]"
    """The contents that have not arrived, with 100 requests at most; GET returns the next ones. Empty for sets in
    lists.
    """
    skipped: "list[SkippedFile]"
    """Files that were left out of a new set, since they are larger than the product's policy allows."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


UploadStatus: TypeAlias = Literal["open", "committed", "failed", "expired", "cancelled"]
"""Status of an upload: `open`, `committed` (it was confirmed), `failed` (other bytes than announced were sent),
`expired` (it was not confirmed in time) or `cancelled`.
"""


class MissingContent(TypedDict):
    """Bytes that have not arrived yet, and the requests that send them to the object store."""

    sha256: str
    """SHA-256 of the bytes, in hex."""
    size_bytes: int
    """Number of the bytes."""
    method: str | None
    """HTTP method of the request; null without a URL."""
    upload_url: str | None
    """Presigned URL of the object store. Null in lists, while the user may not upload, and for bytes that are sent
    in parts.
    """
    headers: dict[str, str]
    """Headers that have to be sent with the bytes, exactly as given."""
    part_size_bytes: int | None
    """Size of each part but the last one; null for bytes that are sent by one request."""
    parts: "list[MissingPart]"
    """The parts that have not arrived, each with its own request; empty for bytes that are sent by one request."""


class MissingPart(TypedDict):
    """A part of a file that has not arrived yet, and the request that sends it to the object store."""

    number: int
    """Number of the part, counted from 1."""
    size_bytes: int
    """Number of its bytes."""
    method: str
    """HTTP method of the request."""
    upload_url: str
    """Presigned URL of the object store."""
    headers: dict[str, str]
    """Headers that have to be sent with the bytes, exactly as given."""


class SkippedFile(TypedDict):
    """A file that was left out, since it is larger than the product's policy allows."""

    path: str
    """Path of the file."""
    size_bytes: int
    """Size of the file."""
    max_bytes: int
    """Size up to which files are saved."""


class SavegameFile(TypedDict):
    """A file of a version."""

    type: Literal["savegameFile"]
    """Type of the resource: always `savegameFile`."""
    id: str
    """Path of the file; of a save that is a single file, its SHA-256."""
    attributes: "SavegameFileAttributes"
    """Attributes of the resource `savegameFile`."""


class SavegameFileAttributes(TypedDict):
    """Attributes of the resource `savegameFile`."""

    path: str | None
    """Path of the file within the set; null for a save that is a single file."""
    size_bytes: int
    """Size of the stored bytes."""
    sha256: str
    """SHA-256 of the stored bytes, in hex."""
    raw_sha256: str | None
    """SHA-256 of the unpacked bytes, in hex; null if it was not announced."""
    raw_size_bytes: int | None
    """Size of the unpacked bytes; null if unknown."""
    content_identity: str
    """Identity of the content in hex: two files with the same one hold the same content, even if it was compressed
    or encrypted again.
    """
    content_encoding: str | None
    """Encoding of the bytes, declared by the client."""
    encryption: "SavegameEncryption | None"
    """Encryption of the bytes by the client; null if it declared none."""
    modified_at: str | None
    """When the file changed on the device, according to the client."""


class SavegameDownload(TypedDict):
    """The files of a version, with URLs of the object store for the bytes that the device does not have."""

    type: Literal["savegameDownload"]
    """Type of the resource: always `savegameDownload`."""
    id: str
    """Id of the version."""
    attributes: "SavegameDownloadAttributes"
    """Attributes of the resource `savegameDownload`."""


class SavegameDownloadAttributes(TypedDict):
    """Attributes of the resource `savegameDownload`."""

    savegame_id: str
    """Save of the version."""
    version: int
    """Number of the version."""
    file_count: int | None
    """Number of files of a set; null for a single file."""
    size_bytes: int
    """Size of all files."""
    file_hash_sha256: str
    """SHA-256 of the list of files, in hex; of a single file, that of its bytes."""
    content_identity: str
    """Identity of the content of the version, in hex."""
    missing_bytes: int
    """Number of bytes that the device does not have."""
    missing_count: int
    """Number of contents that the device does not have. If there are more than URLs, ask again with `want`."""
    expires_in_seconds: int
    """For how many seconds the URLs are valid."""
    files: "list[DownloadFile]"
    """All files of the version, or those that were asked for by `want`."""


class DownloadFile(TypedDict):
    """A file of a version, and perhaps the URL of its bytes."""

    path: str | None
    """Path of the file within the set; null for a save that is a single file."""
    size_bytes: int
    """Size of the stored bytes."""
    sha256: str
    """SHA-256 of the stored bytes, in hex."""
    raw_sha256: str | None
    """SHA-256 of the unpacked bytes, in hex; null if it was not announced."""
    raw_size_bytes: int | None
    """Size of the unpacked bytes; null if unknown."""
    content_identity: str
    """Identity of the content in hex: two files with the same one hold the same content, even if it was compressed
    or encrypted again.
    """
    content_encoding: str | None
    """Encoding of the bytes, declared by the client."""
    encryption: "SavegameEncryption | None"
    """Encryption of the bytes by the client; null if it declared none."""
    modified_at: str | None
    """When the file changed on the device, according to the client."""
    download_url: str | None
    """Presigned URL of the object store; null for bytes that the device has, and for those beyond 100 URLs."""


class SavegameConflict(TypedDict):
    """An open conflict: two versions of a save that both changed; the user has to choose one."""

    type: Literal["savegameConflict"]
    """Type of the resource: always `savegameConflict`."""
    id: str
    """Id of the conflict."""
    attributes: "SavegameConflictAttributes"
    """Attributes of the resource `savegameConflict`."""


class SavegameConflictAttributes(TypedDict):
    """Attributes of the resource `savegameConflict`."""

    savegame_id: str
    """Save that the conflict is about."""
    product_id: str
    """Product of the save."""
    slot_name: str
    """Name of the save within its product."""
    opened_at: str
    """When the conflict was found."""
    head: "SavegameVersion"
    """The head of the save."""
    branch: "SavegameVersion"
    """The version that is not based on the head."""
    base_version: int
    """Version that the branch is based on; 0 if it is based on none."""
    differences: "NotRequired[list[ConflictDifference]]"
    """The first 100 files that differ; only in the response of a single conflict."""
    differences_count: NotRequired[int]
    """Number of all files that differ; only in the response of a single conflict."""
    title: NotRequired[str | None]
    """Title of the product in the language of the response, else in the other language; null until the Catalog
    names the product. Responses to a change do not have it.
    """
    cover_image_url: NotRequired[str | None]
    """Address of the cover image of the product; null while it is unknown. Responses to a change do not have it."""


class ConflictDifference(TypedDict):
    """A file that differs between the two sides of a conflict."""

    path: str | None
    """Path of the file; null where a side is a single file."""
    unit: str
    """Unit of the save that the file belongs to; a merge takes it from one side."""
    kind: "DifferenceKind"
    """How the unit differs; the same for all of its files."""
    suggested: "MergeSide | None"
    """The only side that has changed the unit; null if the user has to choose."""
    base: "FileOfSide | None"
    """The file in the common ancestor; null if it was not there, or if that list is not known."""
    head: "FileOfSide | None"
    """The file in the head; null if it is not there."""
    branch: "FileOfSide | None"
    """The file in the branch; null if it is not there."""


DifferenceKind: TypeAlias = Literal[
    "head_changed", "branch_changed", "both_changed", "head_deleted", "branch_deleted", "delete_vs_change"
]
"""How a unit differs between the sides of a conflict. Where the ancestor's list is not known, both have changed."""


class FileOfSide(TypedDict):
    """A file as one side of a conflict has it."""

    sha256: str
    """SHA-256 of the stored bytes, in hex."""
    size_bytes: int
    """Size of the stored bytes."""
    modified_at: str | None
    """When the file changed on the device, according to the client."""


class SavegameDifference(TypedDict):
    """A file that differs between the two sides of a conflict, compared with their common ancestor."""

    type: Literal["savegameDifference"]
    """Type of the resource: always `savegameDifference`."""
    id: str
    """Path of the file; the name of its unit where a side is a single file."""
    attributes: "SavegameDifferenceAttributes"
    """Attributes of the resource `savegameDifference`."""


class SavegameDifferenceAttributes(TypedDict):
    """Attributes of the resource `savegameDifference`."""

    path: str | None
    """Path of the file; null where a side is a single file."""
    unit: str
    """Unit of the save that the file belongs to; a merge takes it from one side."""
    kind: "DifferenceKind"
    """How the unit differs; the same for all of its files."""
    suggested: "MergeSide | None"
    """The only side that has changed the unit; null if the user has to choose."""
    base: "FileOfSide | None"
    """The file in the common ancestor; null if it was not there, or if that list is not known."""
    head: "FileOfSide | None"
    """The file in the head; null if it is not there."""
    branch: "FileOfSide | None"
    """The file in the branch; null if it is not there."""


class SavegamePlan(TypedDict):
    """What a device has to do with the saves of a product, and what the user's other devices are at."""

    type: Literal["savegamePlan"]
    """Type of the resource: always `savegamePlan`."""
    id: str
    """Id of the product."""
    attributes: "SavegamePlanAttributes"
    """Attributes of the resource `savegamePlan`."""


class SavegamePlanAttributes(TypedDict):
    """Attributes of the resource `savegamePlan`."""

    slots: "list[PlannedSlot]"
    """The saves of the request in its order, and then all other saves of the product."""
    others: "list[OtherDevice]"
    """Other devices that play, or have not uploaded everything."""
    proceed: "Proceed"
    """Whether the game may start: `yes`, `wait` for the upload of another device, or `ask` the user."""
    policy_revision: int
    """Revision of the product's policy."""
    policy: "SavegamePolicyAttributesOfPlan | None"
    """The product's policy; null if the request has its revision."""


class PlannedSlot(TypedDict):
    """What a device has to do with a save."""

    slot_name: str
    """Name of the save: the one that the request has, if it names the save."""
    action: "PlanAction"
    """What has to be done."""
    reason: "PlanReason"
    """Why."""
    savegame_id: str | None
    """Id of the save; null: none."""
    head_version: int | None
    """Version of the head."""
    branch_version: int | None
    """Version of the branch in an open conflict."""
    conflict_id: str | None
    """Open conflict to resolve first."""
    regresses_to: int | None
    """Older version of the history with the content of the device, which would become the head again."""
    written_by_newer_version: str | None
    """Version of the game that wrote the head, if it is newer than that of the request."""


PlanAction: TypeAlias = Literal["none", "upload", "download", "merge", "conflict", "deleted"]
"""What a device has to do with a save."""

PlanReason: TypeAlias = Literal[
    "auto_sync_off",
    "policy_off",
    "nothing",
    "deleted_elsewhere",
    "new",
    "not_here",
    "backup",
    "open_conflict",
    "identical",
    "behind",
    "base_not_synced",
    "regresses",
    "changed",
    "units",
    "diverged",
]
"""Why the device has to do that."""


class OtherDevice(TypedDict):
    """What another device of the user is at."""

    device_id: str
    """The device."""
    device_name: str | None
    """Its name, if it gave one."""
    state: "OtherDeviceState"
    """What it is at."""
    slot_name: str | None
    """Save that it uploads, or has to upload."""
    since: str
    """Since when."""
    unsynced_playtime_seconds: int
    """How long was played there since its last upload, of the last 30 days."""


OtherDeviceState: TypeAlias = Literal["session_active", "session_suspended", "upload_open", "upload_pending"]
"""What another device is at."""

Proceed: TypeAlias = Literal["yes", "wait", "ask"]
"""Whether the game may start, or the device may continue."""


class SavegamePolicyAttributesOfPlan(TypedDict):
    """What of a product is saved, and how."""

    revision: int
    """Revision of the policy; 0: the product never had one, and this is the default one."""
    source: "PolicySource"
    """Where the policy comes from."""
    mode: "SavePolicyMode"
    """What is done with the saves."""
    merge: "SaveMergeRule"
    """Whether branches are merged."""
    conflict_policy: "ConflictPolicy"
    """How other conflicts are resolved."""
    roots: "dict[str, SaveRoot]"
    """Folders of the save, by name. Without any a save may have any paths."""
    units: "list[UnitRule]"
    """Units, by the first rule that matches. Without any the whole save is one."""
    limits: "PolicyLimits"
    """Limits of a set of files."""
    settle_seconds: int
    """For how many seconds files have to stand still before a client saves them."""
    processes: list[str]
    """Programs of the game; a client waits until none of them runs."""


PolicySource: TypeAlias = Literal["catalog", "community", "default"]
"""Where the policy of a product comes from."""

SavePolicyMode: TypeAlias = Literal["sync", "backup", "off"]
"""Whether saves are synchronised (`sync`), only stored (`backup`), or neither (`off`)."""

SaveMergeRule: TypeAlias = Literal["units", "never"]
"""Whether branches are merged by units where that needs no choice (`units`), or `never`."""


class SaveRoot(TypedDict):
    """A folder with files of a save. A path in a save is `<root>/<relative path>`."""

    where: "list[RootPlace]"
    """Places of the folder."""
    include: list[str]
    """Patterns of relative paths that belong to the save."""
    exclude: list[str]
    """Patterns of relative paths that do not, though they are included."""
    scope: "SaveRootScope"
    """Where the files are the same."""


class RootPlace(TypedDict):
    """A folder that may be a root."""

    when: "list[PlaceCondition]"
    """Conditions of which one has to hold; without any the place always counts."""
    path: str
    """Its path, which begins with a placeholder."""


class PlaceCondition(TypedDict):
    """Where a place of a folder counts."""

    os: str | None
    """Operating system: `dos`, `linux`, `mac` or `windows`; null: any."""
    store: str | None
    """Store that the game was installed from; null: any."""


SaveRootScope: TypeAlias = Literal["all", "os", "machine"]
"""Where the files of a folder are the same: on all devices (`all`), on those with one operating system (`os`), or
only on one device, which never uploads them (`machine`).
"""


class UnitRule(TypedDict):
    """Which files are a unit: a part of a save that only makes sense whole."""

    name: str
    """Name of the unit, with captures in braces."""
    match: list[str]
    """Patterns of paths, which begin with a root."""


class PolicyLimits(TypedDict):
    """Limits of a set of files of a product. 0: the limit of the service."""

    max_files: int
    """Highest number of files."""
    max_bytes: int
    """Largest size of a set."""
    max_file_bytes: int
    """Largest size of a file."""
    oversize: "OversizeRule"
    """What happens to a set with a file that is too large."""


OversizeRule: TypeAlias = Literal["refuse", "skip"]
"""What happens to a set with a file that is too large: it is refused (`refuse`), or saved without that file
(`skip`).
"""


class SavegamePolicy(TypedDict):
    """What of a product is saved, and how."""

    type: Literal["savegamePolicy"]
    """Type of the resource: always `savegamePolicy`."""
    id: str
    """Id of the product."""
    attributes: "SavegamePolicyAttributes"
    """Attributes of the resource `savegamePolicy`."""


class SavegamePolicyAttributes(TypedDict):
    """Attributes of the resource `savegamePolicy`."""

    revision: int
    """Revision of the policy; 0: the product never had one, and this is the default one."""
    source: "PolicySource"
    """Where the policy comes from."""
    mode: "SavePolicyMode"
    """What is done with the saves."""
    merge: "SaveMergeRule"
    """Whether branches are merged."""
    conflict_policy: "ConflictPolicy"
    """How other conflicts are resolved."""
    roots: "dict[str, SaveRoot]"
    """Folders of the save, by name. Without any a save may have any paths."""
    units: "list[UnitRule]"
    """Units, by the first rule that matches. Without any the whole save is one."""
    limits: "PolicyLimits"
    """Limits of a set of files."""
    settle_seconds: int
    """For how many seconds files have to stand still before a client saves them."""
    processes: list[str]
    """Programs of the game; a client waits until none of them runs."""


class SavegamePreference(TypedDict):
    """Whether saves are synchronised without being asked."""

    type: Literal["savegamePreference"]
    """Type of the resource: always `savegamePreference`."""
    id: str
    """Id of the product, or of the user."""
    attributes: "SavegamePreferenceAttributes"
    """Attributes of the resource `savegamePreference`."""


class SavegamePreferenceAttributes(TypedDict):
    """Attributes of the resource `savegamePreference`."""

    auto_sync: bool
    """With `false` a device synchronises only when its user asks for it."""


class LibraryEvent(TypedDict):
    """An event: a message of the WebSocket."""

    type: Literal["libraryEvent"]
    """Type of the resource: always `libraryEvent`."""
    id: str
    """Id of the event. It is a cursor: events after it follow."""
    attributes: "LibraryEventAttributes"
    """The message."""


class LibraryEventAttributes(TypedDict):
    """Attributes of the resource `libraryEvent`."""

    event_type: str
    """Type of the message, as the documentation of the WebSocket lists them."""
    timestamp: str
    """When it happened."""
    payload: dict[str, Any]
    """Fields of the message; they depend on its type."""
    origin: NotRequired[str]
    """`X-Client-Id` of the request that caused it."""

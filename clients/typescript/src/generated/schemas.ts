// Written by clients/typescript/generate.py. Do not change it by hand.

export const ERROR_CODES = [
  "ACHIEVEMENT_ALREADY_UNLOCKED",
  "ACHIEVEMENT_NOT_FOUND",
  "CATEGORY_ALREADY_EXISTS",
  "CATEGORY_NOT_FOUND",
  "CONFLICT_NOT_FOUND",
  "FAMILY_ACCESS_RESTRICTED",
  "FAMILY_LIMIT_EXCEEDED",
  "FAMILY_LINK_NOT_FOUND",
  "FAMILY_SEAT_BUSY",
  "FAMILY_SEAT_LOST",
  "FAMILY_SHARING_LINK_INVALID_STATE",
  "GAME_NOT_FOUND_IN_WISHLIST",
  "IDEMPOTENCY_KEY_REUSED",
  "INTERNAL_ERROR",
  "LIBRARY_ITEM_NOT_FOUND",
  "MALFORMED_JSON",
  "METHOD_NOT_ALLOWED",
  "NOT_FOUND",
  "PAYLOAD_TOO_LARGE",
  "PERMISSION_DENIED",
  "PRECONDITION_FAILED",
  "PRODUCT_ALREADY_OWNED",
  "RATE_LIMIT_EXCEEDED",
  "SAVEGAME_BASE_NOT_SYNCED",
  "SAVEGAME_FILE_TOO_LARGE",
  "SAVEGAME_HASH_MISMATCH",
  "SAVEGAME_IS_A_SET",
  "SAVEGAME_MERGE_SPLITS_UNIT",
  "SAVEGAME_POLICY_CHANGED",
  "SAVEGAME_SHRINKS",
  "SAVEGAME_SLOT_NOT_FOUND",
  "SAVEGAME_UPLOAD_INCOMPLETE",
  "SAVEGAME_VERSION_CONFLICT",
  "SAVEGAME_VERSION_NOT_FOUND",
  "SERVICE_UNAVAILABLE",
  "SESSION_ALREADY_ENDED",
  "SESSION_NOT_FOUND",
  "SETTINGS_NOT_FOUND",
  "UNAUTHENTICATED",
  "UNSUPPORTED_MEDIA_TYPE",
  "USER_QUOTA_EXCEEDED",
  "VALIDATION_ERROR",
  "WISHLIST_ITEM_ALREADY_EXISTS",
  "WISHLIST_LIMIT_EXCEEDED",
] as const;

/** Progress towards an achievement. */
export interface AchievementProgress {
  /** Progress of the user. */
  current: number;
  /** Progress that unlocks the achievement. */
  total: number;
}

/** An achievement with its rarity. A hidden one has neither name nor description here. */
export interface AchievementRarity {
  /** Type of the resource: always `achievementRarity`. */
  type: "achievementRarity";
  /** Id of the achievement. */
  id: string;
  /** Attributes of the resource `achievementRarity`. */
  attributes: AchievementRarityAttributes;
}

/** Attributes of the resource `achievementRarity`. */
export interface AchievementRarityAttributes {
  /** Product of the achievement. */
  product_id: string;
  /** Name that the developer of the game uses for it. */
  api_name: string | null;
  /** Name in the language of the response, else in the other language; null while a hidden achievement is locked. */
  name: string | null;
  /** Description in the language of the response, by the rules of `name`. */
  description: string | null;
  /** Icon of the locked achievement. */
  icon_url_locked: string | null;
  /** Icon of the unlocked achievement. */
  icon_url_unlocked: string | null;
  /** Whether the developer hides it until it is unlocked. */
  is_hidden: boolean;
  /** Share of the product's owners who have unlocked it, in percent with one decimal; null if nobody owns the product. */
  rarity_percentage: number | null;
}

/** All elements of a list of `AchievementRarity`. */
export interface AchievementRarityList {
  /** All elements; this list has no pages. */
  data: AchievementRarity[];
}

/**
 * How a game came into a library: `purchase`, `gift`, `key_activation`, `family_shared_access` (a family member shares
 * it) or `free_to_play`.
 */
export type AcquisitionType = "purchase" | "gift" | "key_activation" | "family_shared_access" | "free_to_play";

/** The body of `add_wish`. */
export interface AddWishRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: NewWish;
  };
}

/** A save, as a device has it. */
export interface AskedSlot {
  /** Name of the save within its product. */
  slot_name: string;
  /** Save that `base_version` belongs to, if another save may have its name by now. */
  savegame_id?: string | null;
  /**
   * Version that the device's files grew from; 0: from nothing. Left out, it is the version that the device uploaded
   * or reported (`synced`) last.
   */
  base_version?: number | null;
  /** `content_identity` of what the device has, in hex; null: nothing. */
  content_hash?: string | null;
  /** The units of what the device has, if the product's policy has units. */
  units?: AskedUnit[];
}

/** A unit of a save, as a device has it. */
export interface AskedUnit {
  /** Name of the unit, by the product's policy. */
  name: string;
  /** `content_identity` of its files alone, in hex. */
  sha256: string;
}

/** The body of `begin_upload`. */
export interface BeginUploadRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: NewSet;
  };
}

/** Further breakdown of a summary by product: `platform`. */
export type Breakdown = "platform";

/** Changes to many items. */
export interface BulkChanges {
  /** The items with their changes; each item once. */
  items: BulkItem[];
}

/** Changes to one of many items; a field that is left out stays as it is. */
export interface BulkItem {
  /** Whether the item is hidden. */
  is_hidden?: boolean;
  /** The categories that the item is in from now on, in place of all others. */
  category_ids?: string[];
  /** Categories to add the item to. */
  add_category_ids?: string[];
  /** Categories to remove the item from. */
  remove_category_ids?: string[];
  /** Installation status, as of now. */
  installation_status?: InstallationStatus;
  /** Version that is installed; null clears it. */
  installed_version_id?: string | null;
  /** Device that the installation is about; left out, all devices. */
  device_id?: string;
  /** Id of the item. */
  id: string;
}

/** Changes to a category; a field that is left out stays as it is. */
export interface CategoryChanges {
  /** Name of the category, unique for the user without regard to case and spacing. */
  name?: string;
  /** Position in the list of categories, the lowest first. */
  display_order?: number;
}

/** Result of a change: `updated`, `unchanged` (the item was like that already) or `rejected`. */
export type ChangeResult = "updated" | "unchanged" | "rejected";

/** The result of one change of many. */
export interface ChangedItem {
  /** Type of the resource: always `changedItem`. */
  type: "changedItem";
  /** Id of the item that was to be changed. */
  id: string;
  /** Attributes of the resource `changedItem`. */
  attributes: ChangedItemAttributes;
}

/** Attributes of the resource `changedItem`. */
export interface ChangedItemAttributes {
  /** Result of the change. */
  result: ChangeResult;
  /** Error code of a change that was rejected; else null. */
  code: string | null;
}

/** All elements of a list of `ChangedItem`. */
export interface ChangedItemList {
  /** All elements; this list has no pages. */
  data: ChangedItem[];
}

/** The body of `claim_item`. */
export interface ClaimItemRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: ClaimProduct;
  };
}

/** The product to claim. */
export interface ClaimProduct {
  /** A product that the Catalog calls free to play. */
  product_id: string;
}

/** The upload to confirm. */
export interface ConfirmUpload {
  /** Id of the upload. */
  internal_save_id: string;
  /** Ignored. Older clients send it. */
  s3_path?: string | null;
}

/** The body of `confirm_upload`. */
export interface ConfirmUploadRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: ConfirmUpload;
  };
}

/** A response with one `Savegame`. */
export interface ConfirmedUploadDocument {
  data: Savegame;
  meta: ConfirmedUploadMeta;
}

/** The result of an upload. The fields after `result` are present only for results that need them. */
export interface ConfirmedUploadMeta {
  /** Result of the upload. */
  result: UploadResult;
  /** How the policy resolved the conflict. */
  resolution?: Resolution;
  /** Conflict that was resolved. */
  conflict_id?: string;
  /** Version that was the head. */
  head_version?: number;
  /** Version that the upload became. */
  branch_version?: number;
  /** Older version of the history that has the same content as the new head. */
  regresses_to?: number;
  /** Bytes of the contents of a set that the user did not have before. */
  new_bytes?: number;
}

/** A file that differs between the two sides of a conflict. */
export interface ConflictDifference {
  /** Path of the file; null where a side is a single file. */
  path: string | null;
  /** Unit of the save that the file belongs to; a merge takes it from one side. */
  unit: string;
  /** How the unit differs; the same for all of its files. */
  kind: DifferenceKind;
  /** The only side that has changed the unit; null if the user has to choose. */
  suggested: MergeSide | null;
  /** The file in the common ancestor; null if it was not there, or if that list is not known. */
  base: FileOfSide | null;
  /** The file in the head; null if it is not there. */
  head: FileOfSide | null;
  /** The file in the branch; null if it is not there. */
  branch: FileOfSide | null;
}

/** An open conflict of a save, which the user has to resolve. */
export interface ConflictOfSave {
  /** Id of the conflict. */
  conflict_id: string;
  /** Id of the save. */
  savegame_id: string;
  /** Product of the save. */
  product_id: string;
  /** Name of the save within its product. */
  slot_name: string;
  /** When the conflict began. */
  opened_at: string;
  /** Device that uploaded the head, if it was named. */
  head_device_id: string | null;
  /** Device that uploaded the branch, if it was named. */
  branch_device_id: string | null;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/**
 * How an upload that is a branch is resolved: by the user (`manual`), or in favour of the version that changed last
 * (`most_recent`) or was played longest (`longest_playtime`).
 */
export type ConflictPolicy = "manual" | "most_recent" | "longest_playtime";

/** The body of `create_category`. */
export interface CreateCategoryRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: NewCategory;
  };
}

/**
 * How a device stands to the saves of a product: it has all of them (`synced`), a save has a newer version, or one
 * that the device never had (`newer_elsewhere`), or the user has to resolve a conflict first (`conflict`).
 */
export type DeviceSaveState = "synced" | "newer_elsewhere" | "conflict";

/** How a unit differs between the sides of a conflict. Where the ancestor's list is not known, both have changed. */
export type DifferenceKind = "head_changed" | "branch_changed" | "both_changed" | "head_deleted" | "branch_deleted" | "delete_vs_change";

/** The side of a link that a user is on: `owner` or `member`. */
export type Direction = "owner" | "member";

/** A file of a version, and perhaps the URL of its bytes. */
export interface DownloadFile {
  /** Path of the file within the set; null for a save that is a single file. */
  path: string | null;
  /** Size of the stored bytes. */
  size_bytes: number;
  /** SHA-256 of the stored bytes, in hex. */
  sha256: string;
  /** SHA-256 of the unpacked bytes, in hex; null if it was not announced. */
  raw_sha256: string | null;
  /** Size of the unpacked bytes; null if unknown. */
  raw_size_bytes: number | null;
  /**
   * Identity of the content in hex: two files with the same one hold the same content, even if it was compressed or
   * encrypted again.
   */
  content_identity: string;
  /** Encoding of the bytes, declared by the client. */
  content_encoding: string | null;
  /** Encryption of the bytes by the client; null if it declared none. */
  encryption: SavegameEncryption | null;
  /** When the file changed on the device, according to the client. */
  modified_at: string | null;
  /** Presigned URL of the object store; null for bytes that the device has, and for those beyond 100 URLs. */
  download_url: string | null;
}

/** The body of `download_save`. */
export interface DownloadSaveRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: DownloadSet;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** The version to download, and what the device has already. */
export interface DownloadSet {
  /** Version to download; left out, the head. */
  version?: number | null;
  /** SHA-256 of bytes that the device has, in hex. */
  have?: string[];
  /** Version whose files the device has. */
  have_version?: number | null;
  /** SHA-256 of the bytes whose URLs are needed, in hex; then the answer lists these files alone. */
  want?: string[];
  /** Device that downloads. It decides nothing: report `synced` once the bytes are stored. */
  device_id?: string | null;
}

/** How the client encrypted the bytes. The service never has the key. */
export interface Encryption {
  /** Name of the scheme, as the client calls it. */
  scheme: string;
  /** Key that decrypts the bytes, as the client calls it. */
  key_id: string;
  /** HMAC of the unencrypted bytes in hex: the same bytes, encrypted again, are the same content. */
  identity?: string | null;
}

/**
 * Why a session ended: `completed` (the client ended it), `timeout` (no heartbeat came any more), `imported` (it was
 * played offline), `access_revoked` (the user may not play the product any more) or `seat_lost` (the owner of the copy
 * wanted to play, or support has freed the seat).
 */
export type EndReason = "completed" | "timeout" | "imported" | "access_revoked" | "seat_lost";

/** One problem of a request. */
export interface Problem {
  code: ErrorCode;
  /** Short title in the language of the response. */
  title: string;
  /** Description of the problem, in the language of the response. */
  detail: string;
  /** Part of the request that is wrong. */
  source?: {
    /** JSON Pointer of the field of the body. */
    pointer?: string;
    /** Name of the query parameter. */
    parameter?: string;
  };
  /** Context of the error, such as the current state after a 412. */
  meta?: Record<string, unknown>;
}

/** Stable code of an error. A later version may add codes. */
export type ErrorCode = "ACHIEVEMENT_ALREADY_UNLOCKED" | "ACHIEVEMENT_NOT_FOUND" | "CATEGORY_ALREADY_EXISTS" | "CATEGORY_NOT_FOUND" | "CONFLICT_NOT_FOUND" | "FAMILY_ACCESS_RESTRICTED" | "FAMILY_LIMIT_EXCEEDED" | "FAMILY_LINK_NOT_FOUND" | "FAMILY_SEAT_BUSY" | "FAMILY_SEAT_LOST" | "FAMILY_SHARING_LINK_INVALID_STATE" | "GAME_NOT_FOUND_IN_WISHLIST" | "IDEMPOTENCY_KEY_REUSED" | "INTERNAL_ERROR" | "LIBRARY_ITEM_NOT_FOUND" | "MALFORMED_JSON" | "METHOD_NOT_ALLOWED" | "NOT_FOUND" | "PAYLOAD_TOO_LARGE" | "PERMISSION_DENIED" | "PRECONDITION_FAILED" | "PRODUCT_ALREADY_OWNED" | "RATE_LIMIT_EXCEEDED" | "SAVEGAME_BASE_NOT_SYNCED" | "SAVEGAME_FILE_TOO_LARGE" | "SAVEGAME_HASH_MISMATCH" | "SAVEGAME_IS_A_SET" | "SAVEGAME_MERGE_SPLITS_UNIT" | "SAVEGAME_POLICY_CHANGED" | "SAVEGAME_SHRINKS" | "SAVEGAME_SLOT_NOT_FOUND" | "SAVEGAME_UPLOAD_INCOMPLETE" | "SAVEGAME_VERSION_CONFLICT" | "SAVEGAME_VERSION_NOT_FOUND" | "SERVICE_UNAVAILABLE" | "SESSION_ALREADY_ENDED" | "SESSION_NOT_FOUND" | "SETTINGS_NOT_FOUND" | "UNAUTHENTICATED" | "UNSUPPORTED_MEDIA_TYPE" | "USER_QUOTA_EXCEEDED" | "VALIDATION_ERROR" | "WISHLIST_ITEM_ALREADY_EXISTS" | "WISHLIST_LIMIT_EXCEEDED" | (string & {});

/** The body of every response from 400 on. */
export interface ErrorDocument {
  /** The problems: of a body all of them at once. */
  errors: Problem[];
  /** About the response. */
  meta: {
    /** Id of the request in logs and traces, to be reported to support. */
    trace_id: string;
  };
}

/** A link by which an owner shares games with a member of the family. */
export interface FamilyLink {
  /** Type of the resource: always `familyLink`. */
  type: "familyLink";
  /** Id of the link. */
  id: string;
  /** Attributes of the resource `familyLink`. */
  attributes: FamilyLinkAttributes;
  /** Addresses of this resource, relative to the host. */
  links: ResourceLinks;
}

/** Attributes of the resource `familyLink`. */
export interface FamilyLinkAttributes {
  /** User whose games are shared. */
  owner_user_id: string;
  /** User whom the games are shared with. */
  shared_with_user_id: string;
  /** The side of the link that the calling user is on. */
  direction: Direction;
  /** State of the link. */
  status: LinkStatus;
  /** Which games of the owner are shared. */
  mode: LinkMode;
  /** Products that the modes `only` and `except` are about; empty with the mode `all`. */
  product_ids: string[];
  /** When the link expires; null if it does not. */
  expires_at: string | null;
  /** When the member was last invited, or accepted. */
  shared_at: string;
  /** When the access of the member began. */
  active_since: string | null;
  /** When the member last started a shared game. */
  last_access_at: string | null;
  /** When the link was created. */
  created_at: string;
  /** When the link changed last. */
  updated_at: string;
}

/** A page of a collection of `FamilyLink`. */
export interface FamilyLinkCollection {
  /** The elements of this page. */
  data: FamilyLink[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `FamilyLink`. */
export interface FamilyLinkDocument {
  data: FamilyLink;
}

/** A shared copy of a product that a user plays now. */
export interface FamilySeat {
  /** Type of the resource: always `familySeat`. */
  type: "familySeat";
  /** `<owner_user_id>:<product_id>`. */
  id: string;
  /** Attributes of the resource `familySeat`. */
  attributes: FamilySeatAttributes;
}

/** Attributes of the resource `familySeat`. */
export interface FamilySeatAttributes {
  /** User who owns the copy. */
  owner_user_id: string;
  /** Product of the copy. */
  product_id: string;
  /** User who plays the copy. */
  held_by_user_id: string;
  /** Session that takes the seat; null unless it is a session of the calling user. */
  session_id: string | null;
  /** When the seat was taken. */
  since: string;
  /** Number of this use of the seat. It grows with every use. */
  seat_number: number;
  /** When the player has to stop because the owner plays; null if they may continue. */
  lost_at: string | null;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** All elements of a list of `FamilySeat`. */
export interface FamilySeatList {
  /** All elements; this list has no pages. */
  data: FamilySeat[];
}

/** Position from which the feed continues. */
export interface FeedMeta {
  /** Cursor for the next request. */
  cursor: string;
  /** Whether more events follow at once. */
  has_more: boolean;
}

/** A file to save. */
export interface FileEntry {
  /** Path within the set, with `/` between its parts; null: the save is a single file, and this is its only entry. */
  path: string | null;
  /** Size of the bytes. */
  size_bytes: number;
  /** SHA-256 of the bytes, in hex. */
  sha256: string;
  /** SHA-256 of the unpacked bytes, in hex; it is verified. Needs the `content_encoding` `identity`, `gzip` or `zstd`. */
  raw_sha256?: string | null;
  /** Size of the unpacked bytes. */
  raw_size_bytes?: number | null;
  /** Encoding of the bytes, such as `gzip`; the bytes are stored as they are. */
  content_encoding?: string | null;
  /** How the client encrypted the bytes. */
  encryption?: Encryption | null;
  /** When the file changed on the device. */
  modified_at?: string | null;
  /**
   * SHA-256 of each part, in order, in hex: the file is sent in parts. Only for more than 8 MiB; each part but the
   * last one has a thousandth of the size, rounded up, and 8 MiB at least.
   */
  part_sha256?: string[] | null;
}

/** A file as one side of a conflict has it. */
export interface FileOfSide {
  /** SHA-256 of the stored bytes, in hex. */
  sha256: string;
  /** Size of the stored bytes. */
  size_bytes: number;
  /** When the file changed on the device, according to the client. */
  modified_at: string | null;
}

/** The settings of a game: the layer of the account, with the overlays of a platform and of a device on top. */
export interface GameSettings {
  /** Type of the resource: always `gameSettings`. */
  type: "gameSettings";
  /** Id of the product. */
  id: string;
  /** Attributes of the resource `gameSettings`. */
  attributes: GameSettingsAttributes;
}

/** Attributes of the resource `gameSettings`. */
export interface GameSettingsAttributes {
  /** Game that the settings are of. */
  product_id: string;
  /** The merged settings, as the game defines them. */
  settings_payload: Record<string, unknown>;
  /** The layer that each value comes from (`account`, `platform` or `device`), in the shape of the payload. */
  settings_layers: Record<string, unknown>;
  /** Revision of the layer that was written, or the highest of those that were merged. */
  revision: number;
  /** When one of these layers changed last. */
  last_updated_at: string;
  /** When the settings were last written, or read (to the minute). */
  last_synced_with_cloud_at: string | null;
}

/** A response with one `GameSettings`. */
export interface GameSettingsDocument {
  data: GameSettings;
}

/** One layer of the settings of a game, without its payload. */
export interface GameSettingsLayer {
  /** Type of the resource: always `gameSettingsLayer`. */
  type: "gameSettingsLayer";
  /** `<product_id>:<layer>`, followed by `:<platform or device>` for an overlay. */
  id: string;
  /** Attributes of the resource `gameSettingsLayer`. */
  attributes: GameSettingsLayerAttributes;
}

/** Attributes of the resource `gameSettingsLayer`. */
export interface GameSettingsLayerAttributes {
  /** Game that the settings are of. */
  product_id: string;
  /** Kind of the layer. */
  layer: SettingsLayerKind;
  /** Platform of the overlay of a platform; else null. */
  platform: string | null;
  /** Device of the overlay of a device; else null. */
  device_id: string | null;
  /** Revision at the last change of this layer. */
  revision: number;
  /** When the layer changed last. */
  last_updated_at: string;
  /** When the overlay was last read or written (to the hour); null for the layer of the account. */
  last_used_at: string | null;
}

/** All elements of a list of `GameSettingsLayer`. */
export interface GameSettingsLayerList {
  /** All elements; this list has no pages. */
  data: GameSettingsLayer[];
}

/** A game that the user has settings of. */
export interface GameSettingsSummary {
  /** Type of the resource: always `gameSettingsSummary`. */
  type: "gameSettingsSummary";
  /** Id of the product. */
  id: string;
  /** Attributes of the resource `gameSettingsSummary`. */
  attributes: GameSettingsSummaryAttributes;
}

/** Attributes of the resource `gameSettingsSummary`. */
export interface GameSettingsSummaryAttributes {
  /** Game that the settings are of. */
  product_id: string;
  /** Grows with every change of any layer. */
  revision: number;
  /** Whether there is a layer of the account. */
  has_account_layer: boolean;
  /** Number of overlays of platforms and devices. */
  overlay_count: number;
  /** When any layer was last changed or deleted. */
  last_updated_at: string;
  /** When the settings were last written, or read (to the minute). */
  last_synced_with_cloud_at: string | null;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** A page of a collection of `GameSettingsSummary`. */
export interface GameSettingsSummaryCollection {
  /** The elements of this page. */
  data: GameSettingsSummary[];
  meta: PageMeta;
  links: PageLinks;
}

/** Whether hidden items are listed: `false` (not), `true` (with the others) or `only`. */
export type HiddenFilter = "false" | "true" | "only";

/** The first screen of a launcher. */
export interface Home {
  /** Type of the resource: always `home`. */
  type: "home";
  /** Id of the user. */
  id: string;
  /** Attributes of the resource `home`. */
  attributes: HomeAttributes;
}

/** Attributes of the resource `home`. */
export interface HomeAttributes {
  /**
   * The games that were played last, the last one first, with `achievements`, `saves` and `playtime`. Hidden ones are
   * left out.
   */
  continue_playing: LibraryItem[];
  /** The latest additions to the library, the newest first, without hidden ones. */
  new_items: LibraryItem[];
  /** Number of items of the library, without hidden ones. */
  item_count: number;
  /** The sessions that run, on all devices, the newest first. */
  playing_now: RunningSession[];
  /** The open conflicts of saves, the oldest first. */
  conflicts: ConflictOfSave[];
  /** Number of all open conflicts. */
  conflict_count: number;
  /** The products on the wishlist that are on sale, the greatest discount first. */
  wishes_on_sale: WishOnSale[];
  /** Number of all products on the wishlist that are on sale. */
  wish_on_sale_count: number;
  /** The storage that the saves use. */
  storage: SavesStorage;
}

/** A response with one `Home`. */
export interface HomeDocument {
  data: Home;
  meta: HomeMeta;
}

/** Position in the feed. */
export interface HomeMeta {
  /** Cursor of the feed: the events after it may change what is shown. */
  cursor: string;
}

/** The unlocks and progress reports that a client collected offline. */
export interface ImportAchievements {
  /** The unlocks and progress reports. */
  achievements: OfflineAchievement[];
}

/** The body of `import_achievements`. */
export interface ImportAchievementsRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: ImportAchievements;
  };
}

/** Result of one element of an import: `accepted`, `duplicate` (it changed nothing) or `rejected`. */
export type ImportResult = "accepted" | "duplicate" | "rejected";

/** Sessions that were played offline. */
export interface ImportSessions {
  /** The sessions. */
  sessions: OfflineSession[];
}

/** The body of `import_sessions`. */
export interface ImportSessionsRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: ImportSessions;
  };
}

/** The result of one element of an import. */
export interface ImportedAchievement {
  /** Type of the resource: always `importedAchievement`. */
  type: "importedAchievement";
  /** Id that the client gave the element. */
  id: string;
  /** Attributes of the resource `importedAchievement`. */
  attributes: ImportedAchievementAttributes;
}

/** Attributes of the resource `importedAchievement`. */
export interface ImportedAchievementAttributes {
  /** Id that the client gave the element. */
  client_id: string;
  /** Result of the element. */
  result: ImportResult;
  /** Error code of an element that was rejected; else null. */
  code: string | null;
}

/** All elements of a list of `ImportedAchievement`. */
export interface ImportedAchievementList {
  /** All elements; this list has no pages. */
  data: ImportedAchievement[];
}

/** The result of one session of an import. */
export interface ImportedSession {
  /** Type of the resource: always `importedSession`. */
  type: "importedSession";
  /** Id that the client gave the session. */
  id: string;
  /** Attributes of the resource `importedSession`. */
  attributes: ImportedSessionAttributes;
}

/** Attributes of the resource `importedSession`. */
export interface ImportedSessionAttributes {
  /** Id that the client gave the session. */
  client_session_id: string;
  /** Result of the session. */
  result: ImportResult;
  /** Error code of a session that was rejected; else null. */
  code: string | null;
}

/** All elements of a list of `ImportedSession`. */
export interface ImportedSessionList {
  /** All elements; this list has no pages. */
  data: ImportedSession[];
}

/** The installation of a product on one device, or on all devices. */
export interface Installation {
  /** Device of the installation; null for an entry that is about all devices. */
  device_id: string | null;
  /** Status on this device. */
  installation_status: InstallationStatus;
  /** Version on this device, if it is known. */
  installed_version_id: string | null;
  /** When this entry changed last. */
  changed_at: string;
}

/** Status of an installation: `not_installed`, `installing`, `installed`, `updating`, `repair_needed` or `error`. */
export type InstallationStatus = "not_installed" | "installing" | "installed" | "updating" | "repair_needed" | "error";

/** The body of `invite_member`. */
export interface InviteMemberRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: NewLink;
  };
}

/** The progress of the user on the achievements of a product. */
export interface ItemAchievements {
  /** Number of achievements that the user has unlocked. */
  unlocked: number;
  /** Number of achievements of the product. */
  total: number;
  /** Share of unlocked ones in percent, rounded down: 100 means all of them. */
  percentage: number;
  /** When the user last unlocked one of them. */
  last_unlocked_at: string | null;
}

/** Changes to an item; a field that is left out stays as it is. `category_ids` excludes the other two lists. */
export interface ItemChanges {
  /** Whether the item is hidden. */
  is_hidden?: boolean;
  /** The categories that the item is in from now on, in place of all others. */
  category_ids?: string[];
  /** Categories to add the item to. */
  add_category_ids?: string[];
  /** Categories to remove the item from. */
  remove_category_ids?: string[];
  /** Installation status, as of now. */
  installation_status?: InstallationStatus;
  /** Version that is installed; null clears it. */
  installed_version_id?: string | null;
  /** Device that the installation is about; left out, all devices. */
  device_id?: string;
}

/**
 * What an item includes: `achievements` (how many are unlocked), `saves` (cloud saves, and how the device of the query
 * stands to them) or `playtime` (of the last two weeks).
 */
export type ItemPart = "achievements" | "saves" | "playtime";

/** How the user has played a product lately. */
export interface ItemPlaytime {
  /** Seconds played in the last 14 × 24 hours. */
  last_2_weeks_seconds: number;
  /** Number of sessions that have ended. */
  session_count: number;
}

/** The cloud saves of a product, without those in the trash. */
export interface ItemSaves {
  /** How the device of the query stands to these saves; null where the query names none. */
  state: DeviceSaveState | null;
  /** Number of saves. */
  save_count: number;
  /** Number of open conflicts, whatever device they are about. */
  conflict_count: number;
  /** When the newest save was uploaded. */
  last_saved_at: string;
  /** Device that uploaded it, if it was named. */
  last_device_id: string | null;
}

/**
 * Orders of the library. `name_asc`, `name_desc`: by title; `last_played_desc`: the last played first;
 * `added_at_desc`: the latest addition first; `playtime_desc`: the most played first.
 */
export type ItemSort = "name_asc" | "name_desc" | "last_played_desc" | "added_at_desc" | "playtime_desc";

/** An event: a message of the WebSocket. */
export interface LibraryEvent {
  /** Type of the resource: always `libraryEvent`. */
  type: "libraryEvent";
  /** Id of the event. It is a cursor: events after it follow. */
  id: string;
  /** The message. */
  attributes: LibraryEventAttributes;
}

/** Attributes of the resource `libraryEvent`. */
export interface LibraryEventAttributes {
  /** Type of the message, as the documentation of the WebSocket lists them. */
  event_type: string;
  /** When it happened. */
  timestamp: string;
  /** Fields of the message; they depend on its type. */
  payload: Record<string, unknown>;
  /** `X-Client-Id` of the request that caused it. */
  origin?: string;
}

/** Events after a cursor, the oldest first. */
export interface LibraryEventFeed {
  /** The events. */
  data: LibraryEvent[];
  /** Position from which the feed continues. */
  meta: FeedMeta;
}

/** A product in the library of the user: a game that they own, or that a family member shares with them. */
export interface LibraryItem {
  /** Type of the resource: always `libraryItem`. */
  type: "libraryItem";
  /** Id of the item. */
  id: string;
  /** Attributes of the resource `libraryItem`. */
  attributes: LibraryItemAttributes;
  /** Resources related to `libraryItem`. */
  relationships: LibraryItemRelationships;
  /** Addresses of this resource, relative to the host. */
  links: ResourceLinks;
}

/** Attributes of the resource `libraryItem`. */
export interface LibraryItemAttributes {
  /** Product of the item, as the Catalog names it. */
  product_id: string;
  /** Type of the product in the Catalog, such as `game` or `dlc`; null while it is unknown. */
  product_type: string | null;
  /** Title in the language of the response, else in the other language; null until the Catalog names the product. */
  title: string | null;
  /** Address of the cover image; null while it is unknown. */
  cover_image_url: string | null;
  /** When access to the product began, according to its source. */
  added_at: string;
  /** How the user acquired the product, by the oldest grant of ownership that is still valid. */
  acquisition_type: AcquisitionType;
  /** Owner who shares the product; null for a product that the user owns. */
  shared_from_user_id: string | null;
  /** Best status of all devices, or the status on the device that the query names. */
  installation_status: InstallationStatus;
  /** Version that belongs to `installation_status`; null while it is unknown. */
  installed_version_id: string | null;
  /** Installation on each device. */
  installations: Installation[];
  /** When a session of the product started or ended last; null if it was never played. */
  last_played_at: string | null;
  /** Total playtime in seconds, with corrections by support. Sessions that overlap count once. */
  total_playtime_seconds: number;
  /** Whether the user has hidden the item. */
  is_hidden: boolean;
  /** Rating by the user, from 0 to 100; null while the social service has sent none. */
  user_rating: number | null;
  /** Achievements, with `include=achievements`; null for a product without achievements. */
  achievements?: ItemAchievements | null;
  /** Cloud saves, with `include=saves`; null for a product without saves. */
  saves?: ItemSaves | null;
  /** Recent playtime, with `include=playtime`; null for a product that was never played. */
  playtime?: ItemPlaytime | null;
}

/** A page of a collection of `LibraryItem`. */
export interface LibraryItemCollection {
  /** The elements of this page. */
  data: LibraryItem[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `LibraryItem`. */
export interface LibraryItemDocument {
  data: LibraryItem;
}

/** Resources related to `libraryItem`. */
export interface LibraryItemRelationships {
  /** Categories of the item. */
  categories: {
    /** The categories. */
    data: UserCategoryReference[];
  };
}

/** Changes to a link; a field that is left out stays as it is. */
export interface LinkChanges {
  /** Which games are shared. `all` clears `product_ids`. */
  mode?: LinkMode;
  /** Products that the modes `only` and `except` are about. */
  product_ids?: string[];
  /** When the link ends by itself; null: never. */
  expires_at?: string | null;
}

/** Which games of the owner a link shares: `all`, `only` those that are named, or all `except` those. */
export type LinkMode = "all" | "only" | "except";

/**
 * State of a family link: `pending_approval` (the member has not answered yet), `active`, `revoked_by_owner` (also one
 * that has expired), `declined_by_user` (the member declined it, or left) or `revoked_by_admin`.
 */
export type LinkStatus = "pending_approval" | "active" | "revoked_by_owner" | "declined_by_user" | "revoked_by_admin";

/** The side of a conflict whose files of a unit a merge takes. */
export type MergeSide = "head" | "branch";

/** Bytes that have not arrived yet, and the requests that send them to the object store. */
export interface MissingContent {
  /** SHA-256 of the bytes, in hex. */
  sha256: string;
  /** Number of the bytes. */
  size_bytes: number;
  /** HTTP method of the request; null without a URL. */
  method: string | null;
  /**
   * Presigned URL of the object store. Null in lists, while the user may not upload, and for bytes that are sent in
   * parts.
   */
  upload_url: string | null;
  /** Headers that have to be sent with the bytes, exactly as given. */
  headers: Record<string, string>;
  /** Size of each part but the last one; null for bytes that are sent by one request. */
  part_size_bytes: number | null;
  /** The parts that have not arrived, each with its own request; empty for bytes that are sent by one request. */
  parts: MissingPart[];
}

/** A part of a file that has not arrived yet, and the request that sends it to the object store. */
export interface MissingPart {
  /** Number of the part, counted from 1. */
  number: number;
  /** Number of its bytes. */
  size_bytes: number;
  /** HTTP method of the request. */
  method: string;
  /** Presigned URL of the object store. */
  upload_url: string;
  /** Headers that have to be sent with the bytes, exactly as given. */
  headers: Record<string, string>;
}

/** A new category. */
export interface NewCategory {
  /** Name of the category, unique for the user without regard to case and spacing. */
  name: string;
  /** Position in the list of categories, the lowest first; 0 if it is left out. */
  display_order?: number;
}

/** An invitation to play games of the user. */
export interface NewLink {
  /** User who is invited. */
  shared_with_user_id: string;
  /** Which games are shared; `all` if it is left out. */
  mode?: LinkMode;
  /** Products that the modes `only` and `except` are about. */
  product_ids?: string[];
  /** When the link ends by itself; null or left out: never. */
  expires_at?: string | null;
}

/** Files to save: all of them (`files`), or what changed against `base_version` (`put`, `remove`, `set_sha256`). */
export interface NewSet {
  /** Product that the save belongs to. */
  product_id: string;
  /** Name of the save within its product. */
  save_slot_name: string;
  /** All files of the save. */
  files?: FileEntry[] | null;
  /** Files that are new or changed against `base_version`. */
  put?: FileEntry[] | null;
  /** Paths of `base_version` that are no longer there. */
  remove?: string[] | null;
  /** `file_hash_sha256` of the result of a delta, in hex. */
  set_sha256?: string | null;
  /** Save that `base_version` belongs to, if another save may have its name by now. */
  savegame_id?: string | null;
  /**
   * Version that the files grew from; 0: from nothing. Left out, it is the version that the device uploaded or
   * reported (`synced`) last.
   */
  base_version?: number | null;
  /** Device that uploads. A set needs it. */
  device_id?: string | null;
  /** Name of the device, for the user's other devices. */
  device_name?: string | null;
  /** When the save changed on the device; left out, it is the newest `modified_at`. */
  client_modified_at?: string | null;
  /** Comment of the user. */
  comment?: string | null;
  /** Playtime in the save. */
  playtime_seconds?: number | null;
  /** How a conflict is resolved if the upload is a branch; left out, as the product's policy has it. */
  conflict_policy?: ConflictPolicy | null;
  /** Version of the game that wrote the save. */
  game_version_id?: string | null;
  /** Revision of the product's policy that the device used. */
  policy_revision?: number | null;
  /** Number of files that the user agreed to remove. */
  confirm_removals?: number | null;
}

/** A whole layer. */
export interface NewSettings {
  /** Settings of the layer, as the game defines them. */
  settings_payload: Record<string, unknown>;
}

/** Bytes to save. */
export interface NewUpload {
  /** Product that the save belongs to. */
  product_id: string;
  /** Name of the save within its product. */
  save_slot_name: string;
  /** Size of the bytes. */
  file_size_bytes: number;
  /** SHA-256 of the bytes, in hex. */
  file_hash_sha256: string;
  /** When the file changed on the device. */
  client_modified_at?: string | null;
  /** Save that `base_version` belongs to, if another save may have its name by now. */
  savegame_id?: string | null;
  /**
   * Version that the bytes grew from; 0: from nothing. Left out, it is the version that the device uploaded or
   * reported (`synced`) last, and without a device the head.
   */
  base_version?: number | null;
  /** Device that uploads. */
  device_id?: string | null;
  /** Comment of the user. */
  comment?: string | null;
  /** Playtime in the save. */
  playtime_seconds?: number | null;
  /** Encoding of the bytes, such as `gzip`; the bytes are stored as they are. */
  content_encoding?: string | null;
  /** How the client encrypted the bytes. */
  encryption?: Encryption | null;
  /** SHA-256 of the unpacked bytes, in hex; it is verified. Needs the `content_encoding` `identity`, `gzip` or `zstd`. */
  raw_sha256?: string | null;
  /** Size of the unpacked bytes. */
  raw_size_bytes?: number | null;
  /** How a conflict is resolved if the upload is a branch; left out, as the product's policy has it. */
  conflict_policy?: ConflictPolicy | null;
  /** Number of files that the user agreed to remove, where the bytes replace a set. */
  confirm_removals?: number | null;
}

/** A product to wish for, and when to notify the user. The user is notified when all conditions that are set are met. */
export interface NewWish {
  /** Product to wish for. */
  product_id: string;
  /** Place in the list, from 1; items without one are last. */
  priority?: number | null;
  /** Notes of the user. */
  notes?: string | null;
  /** Price to be notified at, in minor units of `target_currency`, which it needs. */
  target_price_minor?: number | null;
  /** Currency of the target price by its ISO 4217 code. */
  target_currency?: string | null;
  /** Smallest discount to be notified at, in percent. */
  min_discount_percent?: number | null;
}

/**
 * An unlock or a progress report from offline play. It identifies the achievement by `achievement_id`, or by
 * `product_id` and `api_name`. It has `unlocked` or `current_progress`.
 */
export interface OfflineAchievement {
  /** Id of the element, chosen by the client. The result of the element has the same id. */
  client_id: string;
  /** Id of the achievement. */
  achievement_id?: string | null;
  /** Product of the achievement, together with `api_name`. */
  product_id?: string | null;
  /** Name of the achievement in the game, together with `product_id`. */
  api_name?: string | null;
  /** `true`: the achievement was unlocked. */
  unlocked?: true | null;
  /** Progress by the count of the game. */
  current_progress?: number | null;
  /** Time of the unlock or report, by the clock of the device. */
  happened_at: string;
  /** Device of the unlock or report. */
  device_id?: string | null;
}

/** A session that was played offline. */
export interface OfflineSession {
  /** Id that the client gives the session. The same one from the same device is imported once. */
  client_session_id: string;
  /** Product that was played. */
  product_id: string;
  /** When the session started. */
  start_time: string;
  /** When the session ended. */
  end_time: string;
  /** Device that it was played on. */
  device_id?: string | null;
  /** Platform that it was played on. */
  platform?: string | null;
}

/** The order of the whole wishlist. */
export interface Order {
  /** Every item of the wishlist once, the most wanted first. */
  item_ids: string[];
}

/** The body of `order_wishes`. */
export interface OrderWishesRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: Order;
  };
}

/** What another device of the user is at. */
export interface OtherDevice {
  /** The device. */
  device_id: string;
  /** Its name, if it gave one. */
  device_name: string | null;
  /** What it is at. */
  state: OtherDeviceState;
  /** Save that it uploads, or has to upload. */
  slot_name: string | null;
  /** Since when. */
  since: string;
  /** How long was played there since its last upload, of the last 30 days. */
  unsynced_playtime_seconds: number;
}

/** What another device is at. */
export type OtherDeviceState = "session_active" | "session_suspended" | "upload_open" | "upload_pending";

/** What happens to a set with a file that is too large: it is refused (`refuse`), or saved without that file (`skip`). */
export type OversizeRule = "refuse" | "skip";

/** Addresses of the pages of a collection, relative to the host. */
export interface PageLinks {
  /** Address of this page. */
  self: string;
  /** Address of the first page. */
  first: string;
  /** Address of the previous page; absent on the first page. */
  prev?: string;
  /** Address of the next page; absent on the last page. */
  next?: string;
  /** Address of the last page. */
  last: string;
}

/** Position of a page in its collection. */
export interface PageMeta {
  /** Number of elements of all pages. */
  total_items: number;
  /** Number of this page, counted from 1. */
  current_page: number;
  /** Maximum number of elements of a page (`limit`). */
  per_page: number;
}

/** The body of `patch_settings`. */
export interface PatchSettingsRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: SettingsPatch;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** Time that a summary is about: `all_time` or `last_2_weeks` (the last 14 × 24 hours). */
export type Period = "all_time" | "last_2_weeks";

/** Where a place of a folder counts. */
export interface PlaceCondition {
  /** Operating system: `dos`, `linux`, `mac` or `windows`; null: any. */
  os: string | null;
  /** Store that the game was installed from; null: any. */
  store: string | null;
}

/** What a device has to do with a save. */
export type PlanAction = "none" | "upload" | "download" | "merge" | "conflict" | "deleted";

/** What the device is about to do. */
export type PlanIntent = "launch" | "exit" | "suspend" | "resume" | "background" | "manual";

/** Why the device has to do that. */
export type PlanReason = "auto_sync_off" | "policy_off" | "nothing" | "deleted_elsewhere" | "new" | "not_here" | "backup" | "open_conflict" | "identical" | "behind" | "base_not_synced" | "regresses" | "changed" | "units" | "diverged";

/** What a device has of the saves of a product, and what it is about to do. */
export interface PlanSaves {
  /** Product of the saves. */
  product_id: string;
  /** Device that asks. */
  device_id: string;
  /** Name of the device, for the user's other devices. */
  device_name?: string | null;
  /** Revision of the product's policy that the device has. */
  policy_revision?: number | null;
  /** Version of the game on the device. */
  game_version_id?: string | null;
  intent: PlanIntent;
  /** The saves that the device knows. */
  slots?: AskedSlot[];
}

/** The body of `plan_saves`. */
export interface PlanSavesRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: PlanSaves;
  };
}

/** What a device has to do with a save. */
export interface PlannedSlot {
  /** Name of the save: the one that the request has, if it names the save. */
  slot_name: string;
  /** What has to be done. */
  action: PlanAction;
  /** Why. */
  reason: PlanReason;
  /** Id of the save; null: none. */
  savegame_id: string | null;
  /** Version of the head. */
  head_version: number | null;
  /** Version of the branch in an open conflict. */
  branch_version: number | null;
  /** Open conflict to resolve first. */
  conflict_id: string | null;
  /** Older version of the history with the content of the device, which would become the head again. */
  regresses_to: number | null;
  /** Version of the game that wrote the head, if it is newer than that of the request. */
  written_by_newer_version: string | null;
}

/** Playtime of the user on a product and one platform. Sessions that overlap on two platforms count on each. */
export interface PlatformPlaytime {
  /** Type of the resource: always `platformPlaytime`. */
  type: "platformPlaytime";
  /** `<product_id>:<platform>`. */
  id: string;
  /** Attributes of the resource `platformPlaytime`. */
  attributes: PlatformPlaytimeAttributes;
}

/** Attributes of the resource `platformPlaytime`. */
export interface PlatformPlaytimeAttributes {
  /** Product that was played. */
  product_id: string;
  /** Platform; null for sessions without one. */
  platform: string | null;
  /** Seconds played in total. */
  total_playtime_seconds: number;
  /** Seconds played in the last 14 × 24 hours. */
  last_2_weeks_seconds: number;
  /** When a session on this platform last ended. */
  last_played_at: string;
  /** Number of sessions on this platform that have ended. */
  session_count: number;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** Playtime of the user on a product, on all platforms (`productPlaytime`) or on one (`platformPlaytime`). */
export type Playtime = ProductPlaytime | PlatformPlaytime;

/** A page of a collection of `Playtime`. */
export interface PlaytimeCollection {
  /** The elements of this page. */
  data: Playtime[];
  meta: PageMeta;
  links: PageLinks;
}

/** Playtime of the user on a product on one calendar day. */
export interface PlaytimeDay {
  /** Type of the resource: always `playtimeDay`. */
  type: "playtimeDay";
  /** `<date>:<product_id>`. */
  id: string;
  /** Attributes of the resource `playtimeDay`. */
  attributes: PlaytimeDayAttributes;
}

/** Attributes of the resource `playtimeDay`. */
export interface PlaytimeDayAttributes {
  /** Day in the time zone of the query. */
  date: string;
  /** Product that was played. */
  product_id: string;
  /** Seconds played on this day. */
  playtime_seconds: number;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** All elements of a list of `PlaytimeDay`. */
export interface PlaytimeDayList {
  /** All elements; this list has no pages. */
  data: PlaytimeDay[];
}

/** One session of playing a product, running or ended. */
export interface PlaytimeSession {
  /** Type of the resource: always `playtimeSession`. */
  type: "playtimeSession";
  /** Id of the session. */
  id: string;
  /** Attributes of the resource `playtimeSession`. */
  attributes: PlaytimeSessionAttributes;
}

/** Attributes of the resource `playtimeSession`. */
export interface PlaytimeSessionAttributes {
  /** Product that was played. */
  product_id: string;
  /** Device of the session, if the client sent one. */
  device_id: string | null;
  /** Platform of the session, if the client sent one. */
  platform: string | null;
  /** When the session started. */
  start_time: string;
  /** Whether the session runs. */
  status: SessionStatus;
  /** When the session ended; null while it runs. */
  end_time: string | null;
  /** Length of the session in seconds; null while it runs. */
  duration_seconds: number | null;
  /** Why the session ended; null while it runs. */
  end_reason: EndReason | null;
  /** Number of the use of the seat of a shared copy; null for a copy of one's own. */
  seat_number: number | null;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** A page of a collection of `PlaytimeSession`. */
export interface PlaytimeSessionCollection {
  /** The elements of this page. */
  data: PlaytimeSession[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `PlaytimeSession`. */
export interface PlaytimeSessionDocument {
  data: PlaytimeSession;
}

/** Limits of a set of files of a product. 0: the limit of the service. */
export interface PolicyLimits {
  /** Highest number of files. */
  max_files: number;
  /** Largest size of a set. */
  max_bytes: number;
  /** Largest size of a file. */
  max_file_bytes: number;
  /** What happens to a set with a file that is too large. */
  oversize: OversizeRule;
}

/** Where the policy of a product comes from. */
export type PolicySource = "catalog" | "community" | "default";

/** Whether saves are synchronised without being asked. */
export interface Preference {
  /** With `false` a device synchronises only when its user asks for it. */
  auto_sync: boolean;
}

/** A URL of the object store that downloads a version. */
export interface PresignedDownloadUrl {
  /** Type of the resource: always `presignedDownloadUrl`. */
  type: "presignedDownloadUrl";
  /** Id of the version. */
  id: string;
  /** Attributes of the resource `presignedDownloadUrl`. */
  attributes: PresignedDownloadUrlAttributes;
}

/** Attributes of the resource `presignedDownloadUrl`. */
export interface PresignedDownloadUrlAttributes {
  /** Save of the version. */
  savegame_id: string;
  /** Number of the version. */
  version: number;
  /** Presigned URL of the object store. */
  download_url: string;
  /** For how many seconds the URL is valid. */
  expires_in_seconds: number;
  /** Size of the stored bytes. */
  file_size_bytes: number;
  /** SHA-256 of the stored bytes, in hex. */
  file_hash_sha256: string;
  /** Encoding of the bytes, declared by the client. */
  content_encoding: string | null;
  /** Encryption of the bytes by the client; null if it declared none. */
  encryption: SavegameEncryption | null;
}

/** A response with one `PresignedDownloadUrl`. */
export interface PresignedDownloadUrlDocument {
  data: PresignedDownloadUrl;
}

/** A reserved upload, and the request that sends its bytes to the object store. */
export interface PresignedUploadUrl {
  /** Type of the resource: always `presignedUploadUrl`. */
  type: "presignedUploadUrl";
  /** Id of the upload. */
  id: string;
  /** Attributes of the resource `presignedUploadUrl`. */
  attributes: PresignedUploadUrlAttributes;
}

/** Attributes of the resource `presignedUploadUrl`. */
export interface PresignedUploadUrlAttributes {
  /** Id of the upload: confirm it by this id. */
  internal_save_id: string;
  /** Whether bytes have to be sent; if not, they are stored already, and the client only confirms. */
  upload_required: boolean;
  /** Presigned URL of the object store; null if nothing has to be sent. */
  upload_url: string | null;
  /** HTTP method of the request to the object store. */
  method: string | null;
  /** Headers that have to be sent with the bytes, exactly as given. */
  headers: Record<string, string>;
  /** For how many seconds the URL is valid. */
  expires_in_seconds: number;
  /** Whether the upload would become a branch if it were confirmed now. */
  conflict_expected: boolean;
}

/** A response with one `PresignedUploadUrl`. */
export interface PresignedUploadUrlDocument {
  data: PresignedUploadUrl;
}

/** The price of a product in one currency, as the Catalog last published it. */
export interface Price {
  /** Price to pay, with the discount, in minor units of the currency. */
  price_minor: number;
  /** Currency by its ISO 4217 code. */
  currency: string;
  /** Discount in percent; 0 without a discount. */
  discount_percent: number;
  /** Sale that the price belongs to, if there is one. */
  sale_id: string | null;
  /** When the sale ends, if that is known. */
  sale_ends_at: string | null;
}

/** Whether the game may start, or the device may continue. */
export type Proceed = "yes" | "wait" | "ask";

/** The progress of the user on the achievements of a product. */
export interface ProductAchievements {
  /** Type of the resource: always `productAchievements`. */
  type: "productAchievements";
  /** Id of the product. */
  id: string;
  /** Attributes of the resource `productAchievements`. */
  attributes: ProductAchievementsAttributes;
}

/** Attributes of the resource `productAchievements`. */
export interface ProductAchievementsAttributes {
  /** Product of the achievements. */
  product_id: string;
  /** Number of achievements that the user has unlocked. */
  unlocked: number;
  /** Number of achievements of the product. */
  total: number;
  /** Share of unlocked ones in percent, rounded down: 100 means all of them. */
  percentage: number;
  /** When the user last unlocked one of them. */
  last_unlocked_at: string | null;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** A page of a collection of `ProductAchievements`. */
export interface ProductAchievementsCollection {
  /** The elements of this page. */
  data: ProductAchievements[];
  meta: PageMeta;
  links: PageLinks;
}

/** Playtime of the user on a product. A session counts once it has ended; sessions that overlap count once. */
export interface ProductPlaytime {
  /** Type of the resource: always `productPlaytime`. */
  type: "productPlaytime";
  /** Id of the product. */
  id: string;
  /** Attributes of the resource `productPlaytime`. */
  attributes: ProductPlaytimeAttributes;
}

/** Attributes of the resource `productPlaytime`. */
export interface ProductPlaytimeAttributes {
  /** Product that was played. */
  product_id: string;
  /** Seconds played in total. */
  total_playtime_seconds: number;
  /** Seconds played in the last 14 × 24 hours. */
  last_2_weeks_seconds: number;
  /** When a session last ended. */
  last_played_at: string | null;
  /** Number of sessions that have ended. */
  session_count: number;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** The space that the saves of one product use. A content that two products have counts in both. */
export interface ProductUsage {
  /** Product of the save. */
  product_id: string;
  /** Bytes of all stored contents, trash and history included. */
  used_bytes: number;
  /** Bytes that open uploads have reserved. */
  reserved_bytes: number;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** The body of `put_preferences`. */
export interface PutPreferencesRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: Preference;
  };
}

/** The body of `put_product_preference`. */
export interface PutProductPreferenceRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: Preference;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** The body of `put_settings`. */
export interface PutSettingsRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: NewSettings;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** A progress report. */
export interface ReportProgress {
  /** Progress by the count of the game. Less than before changes nothing; more than the target counts as the target. */
  current_progress: number;
}

/** The body of `report_progress_by_name`. */
export interface ReportProgressByNameRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: ReportProgress;
  };
}

/** The body of `report_progress`. */
export interface ReportProgressRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: ReportProgress;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** The body of `report_synced`. */
export interface ReportSyncedRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: Synced;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** A response with one `UserAchievementStatus`. */
export interface ReportedProgressDocument {
  data: UserAchievementStatus;
  meta: ReportedProgressMeta;
}

/** The result of a progress report. */
export interface ReportedProgressMeta {
  /** Whether this report has unlocked the achievement. */
  newly_unlocked: boolean;
}

/** The body of `request_upload_url`. */
export interface RequestUploadUrlRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: NewUpload;
  };
}

/**
 * How a conflict is resolved: the bytes of the branch (`keep_local`) or of the head (`keep_cloud`) become the new
 * head, the branch becomes a save of its own (`keep_both`), or each unit of the new head is that of one side
 * (`merge`).
 */
export type Resolution = "keep_local" | "keep_cloud" | "keep_both" | "merge";

/** How to resolve a conflict. */
export interface Resolve {
  /** How the conflict is resolved. */
  resolution: Resolution;
  /** Name of the new save with `keep_both`; left out, `<name> (conflict v<number>)`. */
  copy_slot_name?: string | null;
  /** Head that the user has seen; left out, the one that the last 409 described. */
  head_version?: number | null;
  /** Branch that the user has seen; left out, the one that the last 409 described. */
  branch_version?: number | null;
  /** With `merge` the side of each unit. Units that only one side has changed may be left out. */
  units?: Record<string, MergeSide> | null;
}

/** The body of `resolve_conflict`. */
export interface ResolveConflictRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: Resolve;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** A response with one `Savegame`. */
export interface ResolvedConflictDocument {
  data: Savegame;
  meta: ResolvedConflictMeta;
}

/** The resolution of a conflict. */
export interface ResolvedConflictMeta {
  /** The resolution that was applied. */
  resolution: Resolution;
  /** Conflict that was resolved. */
  conflict_id: string;
  /** The new save of the branch with `keep_both`; else null. */
  copy_savegame_id: string | null;
}

/** Addresses of a resource, relative to the host. */
export interface ResourceLinks {
  /** Address of the resource. */
  self: string;
}

/** The version to restore. */
export interface Restore {
  /** Version whose bytes become the head. */
  version: number;
  /** Device that restores, which counts as the device of the new head. */
  device_id?: string | null;
  /** Only these units of a set; the others stay as the head has them. Left out, the whole version is restored. */
  units?: string[] | null;
}

/** The body of `restore_version`. */
export interface RestoreVersionRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: Restore;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** A folder that may be a root. */
export interface RootPlace {
  /** Conditions of which one has to hold; without any the place always counts. */
  when: PlaceCondition[];
  /** Its path, which begins with a placeholder. */
  path: string;
}

/** A session that runs now. */
export interface RunningSession {
  /** Id of the session. */
  session_id: string;
  /** Product that is played. */
  product_id: string;
  /** Device of the session, if the client sent one. */
  device_id: string | null;
  /** Platform of the session, if the client sent one. */
  platform: string | null;
  /** When the session started. */
  start_time: string;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** Whether branches are merged by units where that needs no choice (`units`), or `never`. */
export type SaveMergeRule = "units" | "never";

/** Whether saves are synchronised (`sync`), only stored (`backup`), or neither (`off`). */
export type SavePolicyMode = "sync" | "backup" | "off";

/** A folder with files of a save. A path in a save is `<root>/<relative path>`. */
export interface SaveRoot {
  /** Places of the folder. */
  where: RootPlace[];
  /** Patterns of relative paths that belong to the save. */
  include: string[];
  /** Patterns of relative paths that do not, though they are included. */
  exclude: string[];
  /** Where the files are the same. */
  scope: SaveRootScope;
}

/**
 * Where the files of a folder are the same: on all devices (`all`), on those with one operating system (`os`), or only
 * on one device, which never uploads them (`machine`).
 */
export type SaveRootScope = "all" | "os" | "machine";

/** A save, described by its head or by the version that an upload became. */
export interface Savegame {
  /** Type of the resource: always `savegame`. */
  type: "savegame";
  /** Id of the save. */
  id: string;
  /** Attributes of the resource `savegame`. */
  attributes: SavegameAttributes;
  /** Addresses of this resource, relative to the host. */
  links: ResourceLinks;
}

/** Attributes of the resource `savegame`. */
export interface SavegameAttributes {
  /** Product of the save. */
  product_id: string;
  /** Name of the save within its product. */
  slot_name: string;
  /** Number of the version within the save. Numbers have gaps and are never reused. */
  version: number;
  /** Version that this one is based on; 0 if it is based on none. */
  parent_version: number;
  /** Second parent of a version that resolved a conflict; else null. */
  merged_version: number | null;
  /** Size of the stored bytes; of a set, of all its files. */
  file_size_bytes: number;
  /** SHA-256 of the stored bytes, in hex; of a set, of the list of its files. */
  file_hash_sha256: string;
  /** When the file changed on the device, according to the client. */
  client_modified_at: string | null;
  /** When the upload became a version. */
  server_uploaded_at: string;
  /** Device that uploaded it, if it was named. */
  device_id: string | null;
  /** Comment of the user. */
  comment: string | null;
  /** Number of files of a set; null for a single file. */
  file_count: number | null;
  /** Version of the game that wrote the save, if it was named. */
  game_version_id: string | null;
  /** Whether the version is kept when old versions are pruned. */
  is_pinned: boolean;
  /** Playtime in the save, according to the client. */
  playtime_seconds: number | null;
  /** Encoding of the bytes, declared by the client. */
  content_encoding: string | null;
  /** Encryption of the bytes by the client; null if it declared none. */
  encryption: SavegameEncryption | null;
  /**
   * Identity of the content in hex: two versions with the same one hold the same save, even if it was compressed or
   * encrypted again.
   */
  content_identity: string;
  /** When the save was put into the trash; null if it was not. */
  deleted_at: string | null;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** A page of a collection of `Savegame`. */
export interface SavegameCollection {
  /** The elements of this page. */
  data: Savegame[];
  meta: PageMeta;
  links: PageLinks;
}

/** An open conflict: two versions of a save that both changed; the user has to choose one. */
export interface SavegameConflict {
  /** Type of the resource: always `savegameConflict`. */
  type: "savegameConflict";
  /** Id of the conflict. */
  id: string;
  /** Attributes of the resource `savegameConflict`. */
  attributes: SavegameConflictAttributes;
}

/** Attributes of the resource `savegameConflict`. */
export interface SavegameConflictAttributes {
  /** Save that the conflict is about. */
  savegame_id: string;
  /** Product of the save. */
  product_id: string;
  /** Name of the save within its product. */
  slot_name: string;
  /** When the conflict was found. */
  opened_at: string;
  /** The head of the save. */
  head: SavegameVersion;
  /** The version that is not based on the head. */
  branch: SavegameVersion;
  /** Version that the branch is based on; 0 if it is based on none. */
  base_version: number;
  /** The first 100 files that differ; only in the response of a single conflict. */
  differences?: ConflictDifference[];
  /** Number of all files that differ; only in the response of a single conflict. */
  differences_count?: number;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** A page of a collection of `SavegameConflict`. */
export interface SavegameConflictCollection {
  /** The elements of this page. */
  data: SavegameConflict[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `SavegameConflict`. */
export interface SavegameConflictDocument {
  data: SavegameConflict;
}

/** A file that differs between the two sides of a conflict, compared with their common ancestor. */
export interface SavegameDifference {
  /** Type of the resource: always `savegameDifference`. */
  type: "savegameDifference";
  /** Path of the file; the name of its unit where a side is a single file. */
  id: string;
  /** Attributes of the resource `savegameDifference`. */
  attributes: SavegameDifferenceAttributes;
}

/** Attributes of the resource `savegameDifference`. */
export interface SavegameDifferenceAttributes {
  /** Path of the file; null where a side is a single file. */
  path: string | null;
  /** Unit of the save that the file belongs to; a merge takes it from one side. */
  unit: string;
  /** How the unit differs; the same for all of its files. */
  kind: DifferenceKind;
  /** The only side that has changed the unit; null if the user has to choose. */
  suggested: MergeSide | null;
  /** The file in the common ancestor; null if it was not there, or if that list is not known. */
  base: FileOfSide | null;
  /** The file in the head; null if it is not there. */
  head: FileOfSide | null;
  /** The file in the branch; null if it is not there. */
  branch: FileOfSide | null;
}

/** A page of a collection of `SavegameDifference`. */
export interface SavegameDifferenceCollection {
  /** The elements of this page. */
  data: SavegameDifference[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `Savegame`. */
export interface SavegameDocument {
  data: Savegame;
}

/** The files of a version, with URLs of the object store for the bytes that the device does not have. */
export interface SavegameDownload {
  /** Type of the resource: always `savegameDownload`. */
  type: "savegameDownload";
  /** Id of the version. */
  id: string;
  /** Attributes of the resource `savegameDownload`. */
  attributes: SavegameDownloadAttributes;
}

/** Attributes of the resource `savegameDownload`. */
export interface SavegameDownloadAttributes {
  /** Save of the version. */
  savegame_id: string;
  /** Number of the version. */
  version: number;
  /** Number of files of a set; null for a single file. */
  file_count: number | null;
  /** Size of all files. */
  size_bytes: number;
  /** SHA-256 of the list of files, in hex; of a single file, that of its bytes. */
  file_hash_sha256: string;
  /** Identity of the content of the version, in hex. */
  content_identity: string;
  /** Number of bytes that the device does not have. */
  missing_bytes: number;
  /** Number of contents that the device does not have. If there are more than URLs, ask again with `want`. */
  missing_count: number;
  /** For how many seconds the URLs are valid. */
  expires_in_seconds: number;
  /** All files of the version, or those that were asked for by `want`. */
  files: DownloadFile[];
}

/** A response with one `SavegameDownload`. */
export interface SavegameDownloadDocument {
  data: SavegameDownload;
}

/** Encryption of the bytes by the client. The service never has the key. */
export interface SavegameEncryption {
  /** Name of the scheme, chosen by the client. */
  scheme: string;
  /** Name of the key that decrypts the bytes, chosen by the client. */
  key_id: string;
  /** HMAC of the unencrypted bytes in hex: the same bytes, encrypted again, are the same content. */
  identity?: string;
}

/** A file of a version. */
export interface SavegameFile {
  /** Type of the resource: always `savegameFile`. */
  type: "savegameFile";
  /** Path of the file; of a save that is a single file, its SHA-256. */
  id: string;
  /** Attributes of the resource `savegameFile`. */
  attributes: SavegameFileAttributes;
}

/** Attributes of the resource `savegameFile`. */
export interface SavegameFileAttributes {
  /** Path of the file within the set; null for a save that is a single file. */
  path: string | null;
  /** Size of the stored bytes. */
  size_bytes: number;
  /** SHA-256 of the stored bytes, in hex. */
  sha256: string;
  /** SHA-256 of the unpacked bytes, in hex; null if it was not announced. */
  raw_sha256: string | null;
  /** Size of the unpacked bytes; null if unknown. */
  raw_size_bytes: number | null;
  /**
   * Identity of the content in hex: two files with the same one hold the same content, even if it was compressed or
   * encrypted again.
   */
  content_identity: string;
  /** Encoding of the bytes, declared by the client. */
  content_encoding: string | null;
  /** Encryption of the bytes by the client; null if it declared none. */
  encryption: SavegameEncryption | null;
  /** When the file changed on the device, according to the client. */
  modified_at: string | null;
}

/** A page of a collection of `SavegameFile`. */
export interface SavegameFileCollection {
  /** The elements of this page. */
  data: SavegameFile[];
  meta: PageMeta;
  links: PageLinks;
}

/** What a device has to do with the saves of a product, and what the user's other devices are at. */
export interface SavegamePlan {
  /** Type of the resource: always `savegamePlan`. */
  type: "savegamePlan";
  /** Id of the product. */
  id: string;
  /** Attributes of the resource `savegamePlan`. */
  attributes: SavegamePlanAttributes;
}

/** Attributes of the resource `savegamePlan`. */
export interface SavegamePlanAttributes {
  /** The saves of the request in its order, and then all other saves of the product. */
  slots: PlannedSlot[];
  /** Other devices that play, or have not uploaded everything. */
  others: OtherDevice[];
  /** Whether the game may start: `yes`, `wait` for the upload of another device, or `ask` the user. */
  proceed: Proceed;
  /** Revision of the product's policy. */
  policy_revision: number;
  /** The product's policy; null if the request has its revision. */
  policy: SavegamePolicyAttributesOfPlan | null;
}

/** A response with one `SavegamePlan`. */
export interface SavegamePlanDocument {
  data: SavegamePlan;
  meta: SavegamePlanMeta;
}

/** Whether the plan counts without being asked for. */
export interface SavegamePlanMeta {
  /** Whether saves of the product are synchronised without being asked. */
  auto_sync: boolean;
}

/** What of a product is saved, and how. */
export interface SavegamePolicy {
  /** Type of the resource: always `savegamePolicy`. */
  type: "savegamePolicy";
  /** Id of the product. */
  id: string;
  /** Attributes of the resource `savegamePolicy`. */
  attributes: SavegamePolicyAttributes;
}

/** Attributes of the resource `savegamePolicy`. */
export interface SavegamePolicyAttributes {
  /** Revision of the policy; 0: the product never had one, and this is the default one. */
  revision: number;
  /** Where the policy comes from. */
  source: PolicySource;
  /** What is done with the saves. */
  mode: SavePolicyMode;
  /** Whether branches are merged. */
  merge: SaveMergeRule;
  /** How other conflicts are resolved. */
  conflict_policy: ConflictPolicy;
  /** Folders of the save, by name. Without any a save may have any paths. */
  roots: Record<string, SaveRoot>;
  /** Units, by the first rule that matches. Without any the whole save is one. */
  units: UnitRule[];
  /** Limits of a set of files. */
  limits: PolicyLimits;
  /** For how many seconds files have to stand still before a client saves them. */
  settle_seconds: number;
  /** Programs of the game; a client waits until none of them runs. */
  processes: string[];
}

/** What of a product is saved, and how. */
export interface SavegamePolicyAttributesOfPlan {
  /** Revision of the policy; 0: the product never had one, and this is the default one. */
  revision: number;
  /** Where the policy comes from. */
  source: PolicySource;
  /** What is done with the saves. */
  mode: SavePolicyMode;
  /** Whether branches are merged. */
  merge: SaveMergeRule;
  /** How other conflicts are resolved. */
  conflict_policy: ConflictPolicy;
  /** Folders of the save, by name. Without any a save may have any paths. */
  roots: Record<string, SaveRoot>;
  /** Units, by the first rule that matches. Without any the whole save is one. */
  units: UnitRule[];
  /** Limits of a set of files. */
  limits: PolicyLimits;
  /** For how many seconds files have to stand still before a client saves them. */
  settle_seconds: number;
  /** Programs of the game; a client waits until none of them runs. */
  processes: string[];
}

/** A response with one `SavegamePolicy`. */
export interface SavegamePolicyDocument {
  data: SavegamePolicy;
}

/** Whether saves are synchronised without being asked. */
export interface SavegamePreference {
  /** Type of the resource: always `savegamePreference`. */
  type: "savegamePreference";
  /** Id of the product, or of the user. */
  id: string;
  /** Attributes of the resource `savegamePreference`. */
  attributes: SavegamePreferenceAttributes;
}

/** Attributes of the resource `savegamePreference`. */
export interface SavegamePreferenceAttributes {
  /** With `false` a device synchronises only when its user asks for it. */
  auto_sync: boolean;
}

/** A response with one `SavegamePreference`. */
export interface SavegamePreferenceDocument {
  data: SavegamePreference;
}

/** The space that the saves of the user use, and the limit. Each content counts once, however often it is used. */
export interface SavegameQuota {
  /** Type of the resource: always `savegameQuota`. */
  type: "savegameQuota";
  /** Id of the user. */
  id: string;
  /** Attributes of the resource `savegameQuota`. */
  attributes: SavegameQuotaAttributes;
}

/** Attributes of the resource `savegameQuota`. */
export interface SavegameQuotaAttributes {
  /** Bytes of all stored contents, trash and history included. */
  used_bytes: number;
  /** Bytes that open uploads have reserved. */
  reserved_bytes: number;
  /** How many bytes the user may use and reserve. */
  limit_bytes: number;
  /** The space that each product uses. */
  products: ProductUsage[];
}

/** A response with one `SavegameQuota`. */
export interface SavegameQuotaDocument {
  data: SavegameQuota;
}

/** A reserved upload and its state. */
export interface SavegameUpload {
  /** Type of the resource: always `savegameUpload`. */
  type: "savegameUpload";
  /** Id of the upload. */
  id: string;
  /** Attributes of the resource `savegameUpload`. */
  attributes: SavegameUploadAttributes;
  /** Addresses of this resource, relative to the host. */
  links: ResourceLinks;
}

/** Attributes of the resource `savegameUpload`. */
export interface SavegameUploadAttributes {
  /** Product of the save. */
  product_id: string;
  /** Name of the save within its product. */
  slot_name: string;
  /** Save that the upload belongs to. */
  savegame_id: string;
  /** State of the upload. */
  status: UploadStatus;
  /** Whether the upload would become a branch if it were confirmed now. */
  conflict_expected: boolean;
  /** When the upload was reserved. */
  created_at: string;
  /** When the upload can no longer be confirmed. */
  expires_at: string;
  /** Version that the upload is based on; 0 if it is based on none. */
  base_version: number;
  /** Number of files of a set; null for a single file. */
  file_count: number | null;
  /** Number of bytes that have not arrived. In lists, and while they are verified, it is the size that was announced. */
  missing_bytes: number;
  /** Number of contents that have not arrived. In lists, and while they are verified, it is the number of files. */
  missing_count: number;
  /** The contents that have not arrived, with 100 requests at most; GET returns the next ones. Empty for sets in lists. */
  uploads: MissingContent[];
  /** Files that were left out of a new set, since they are larger than the product's policy allows. */
  skipped: SkippedFile[];
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** A page of a collection of `SavegameUpload`. */
export interface SavegameUploadCollection {
  /** The elements of this page. */
  data: SavegameUpload[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `SavegameUpload`. */
export interface SavegameUploadDocument {
  data: SavegameUpload;
}

/** A version of a save. */
export interface SavegameVersion {
  /** Type of the resource: always `savegameVersion`. */
  type: "savegameVersion";
  /** Id of the version. */
  id: string;
  /** Attributes of the resource `savegameVersion`. */
  attributes: SavegameVersionAttributes;
}

/** Attributes of the resource `savegameVersion`. */
export interface SavegameVersionAttributes {
  /** Product of the save. */
  product_id: string;
  /** Name of the save within its product. */
  slot_name: string;
  /** Number of the version within the save. Numbers have gaps and are never reused. */
  version: number;
  /** Version that this one is based on; 0 if it is based on none. */
  parent_version: number;
  /** Second parent of a version that resolved a conflict; else null. */
  merged_version: number | null;
  /** Size of the stored bytes; of a set, of all its files. */
  file_size_bytes: number;
  /** SHA-256 of the stored bytes, in hex; of a set, of the list of its files. */
  file_hash_sha256: string;
  /** When the file changed on the device, according to the client. */
  client_modified_at: string | null;
  /** When the upload became a version. */
  server_uploaded_at: string;
  /** Device that uploaded it, if it was named. */
  device_id: string | null;
  /** Comment of the user. */
  comment: string | null;
  /** Number of files of a set; null for a single file. */
  file_count: number | null;
  /** Version of the game that wrote the save, if it was named. */
  game_version_id: string | null;
  /** Whether the version is kept when old versions are pruned. */
  is_pinned: boolean;
  /** Playtime in the save, according to the client. */
  playtime_seconds: number | null;
  /** Encoding of the bytes, declared by the client. */
  content_encoding: string | null;
  /** Encryption of the bytes by the client; null if it declared none. */
  encryption: SavegameEncryption | null;
  /**
   * Identity of the content in hex: two versions with the same one hold the same save, even if it was compressed or
   * encrypted again.
   */
  content_identity: string;
  /** Place of the version in the history of the save. */
  status: VersionStatus;
}

/** A page of a collection of `SavegameVersion`. */
export interface SavegameVersionCollection {
  /** The elements of this page. */
  data: SavegameVersion[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `SavegameVersion`. */
export interface SavegameVersionDocument {
  data: SavegameVersion;
}

/** The storage that the saves of the user use, and the limit. Each content counts once. */
export interface SavesStorage {
  /** Bytes of all stored contents, trash and history included. */
  used_bytes: number;
  /** Bytes that open uploads have reserved. */
  reserved_bytes: number;
  /** How many bytes the user may use and reserve. */
  limit_bytes: number;
}

/** Whether a session runs: `active` or `completed`. */
export type SessionStatus = "active" | "completed";

/** Kind of a layer: of the `account`, of one `platform` or of one `device`. */
export type SettingsLayerKind = "account" | "platform" | "device";

/** A JSON Merge Patch (RFC 7396) of a layer. */
export interface SettingsPatch {
  /** Changes of the layer. Null removes a key. */
  settings_payload: Record<string, unknown>;
}

/** Whether games that a family member shares are listed: `include`, `only` or `exclude`. */
export type SharedFilter = "include" | "only" | "exclude";

/** A file that was left out, since it is larger than the product's policy allows. */
export interface SkippedFile {
  /** Path of the file. */
  path: string;
  /** Size of the file. */
  size_bytes: number;
  /** Size up to which files are saved. */
  max_bytes: number;
}

/** A session to start. It starts at the time of the server. */
export interface StartSession {
  /** Product that is played. */
  product_id: string;
  /** Platform that it is played on. */
  platform?: string | null;
  /** Device that it is played on. */
  device_id?: string | null;
}

/** The body of `start_session`. */
export interface StartSessionRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: StartSession;
  };
}

/** The version that a device has. */
export interface Synced {
  /** Version whose bytes the device has. */
  version: number;
  /** Device that has them. */
  device_id: string;
}

/** Which files are a unit: a part of a save that only makes sense whole. */
export interface UnitRule {
  /** Name of the unit, with captures in braces. */
  name: string;
  /** Patterns of paths, which begin with a root. */
  match: string[];
}

/** The body of `update_category`. */
export interface UpdateCategoryRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: CategoryChanges;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** The body of `update_item`. */
export interface UpdateItemRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: ItemChanges;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** The body of `update_items`. */
export interface UpdateItemsRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: BulkChanges;
  };
}

/** The body of `update_link`. */
export interface UpdateLinkRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: LinkChanges;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/** The body of `update_version`. */
export interface UpdateVersionRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: VersionChanges;
  };
}

/** The body of `update_wish`. */
export interface UpdateWishRequest {
  /** The input of the request, with the type of its resource. */
  data: {
    /** Type of the resource. It documents the request: any value is accepted. */
    type?: string;
    /** The input of the request. */
    attributes: WishChanges;
    /** Id of the resource. If it is there, it has to agree with the path. */
    id?: string;
  };
}

/**
 * Result of an upload: `head` (the new head), `identical` (the head holds these bytes already), `behind` (the head is
 * based on these bytes: download it), `resolved` (the policy has resolved a conflict) or `deleted` (the save is in the
 * trash, and nothing was made).
 */
export type UploadResult = "head" | "identical" | "behind" | "resolved" | "deleted";

/**
 * Status of an upload: `open`, `committed` (it was confirmed), `failed` (other bytes than announced were sent),
 * `expired` (it was not confirmed in time) or `cancelled`.
 */
export type UploadStatus = "open" | "committed" | "failed" | "expired" | "cancelled";

/** An achievement, with the progress of the user. */
export interface UserAchievementStatus {
  /** Type of the resource: always `userAchievementStatus`. */
  type: "userAchievementStatus";
  /** Id of the achievement. */
  id: string;
  /** Attributes of the resource `userAchievementStatus`. */
  attributes: UserAchievementStatusAttributes;
}

/** Attributes of the resource `userAchievementStatus`. */
export interface UserAchievementStatusAttributes {
  /** Product of the achievement. */
  product_id: string;
  /** Name that the developer of the game uses for it. */
  api_name: string | null;
  /** Name in the language of the response, else in the other language; null while a hidden achievement is locked. */
  name: string | null;
  /** Description in the language of the response, by the rules of `name`. */
  description: string | null;
  /** Icon of the locked achievement. */
  icon_url_locked: string | null;
  /** Icon of the unlocked achievement. */
  icon_url_unlocked: string | null;
  /** Whether the developer hides it until it is unlocked. */
  is_hidden: boolean;
  /** Whether the user has unlocked it. */
  is_unlocked: boolean;
  /** When the user unlocked it; null while it is locked. */
  unlocked_at: string | null;
  /** Progress of the user; null for an achievement without a target. */
  current_progress: AchievementProgress | null;
  /** Share of the product's owners who have unlocked it, in percent with one decimal; null if nobody owns the product. */
  rarity_percentage: number | null;
  /** Rarity at the moment of the unlock. */
  rarity_at_unlock: number | null;
}

/** A response with one `UserAchievementStatus`. */
export interface UserAchievementStatusDocument {
  data: UserAchievementStatus;
}

/** All elements of a list of `UserAchievementStatus`. */
export interface UserAchievementStatusList {
  /** All elements; this list has no pages. */
  data: UserAchievementStatus[];
}

/** A category that the user has made to sort their library. */
export interface UserCategory {
  /** Type of the resource: always `userCategory`. */
  type: "userCategory";
  /** Id of the category. */
  id: string;
  /** Attributes of the resource `userCategory`. */
  attributes: UserCategoryAttributes;
  /** Addresses of this resource, relative to the host. */
  links: ResourceLinks;
}

/** Attributes of the resource `userCategory`. */
export interface UserCategoryAttributes {
  /** Name of the category. */
  name: string;
  /** Position in the list of categories, the lowest first. */
  display_order: number;
  /** Number of visible items in the category, without hidden ones. */
  item_count: number;
  /** When the category was created. */
  created_at: string;
  /** When its name or its position changed last. */
  updated_at: string;
}

/** A page of a collection of `UserCategory`. */
export interface UserCategoryCollection {
  /** The elements of this page. */
  data: UserCategory[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `UserCategory`. */
export interface UserCategoryDocument {
  data: UserCategory;
}

/** A reference to a category. */
export interface UserCategoryReference {
  /** Always `userCategory`. */
  type: "userCategory";
  /** Id of the category. */
  id: string;
}

/** How much of an upload is verified. */
export interface VerificationMeta {
  /** Number of contents that are verified. */
  verified_count: number;
  /** Number of all contents of the upload. */
  total_count: number;
}

/** A response with one `SavegameUpload`. */
export interface VerifyingUploadDocument {
  data: SavegameUpload;
  meta: VerificationMeta;
}

/** Changes to a version; a field that is left out stays as it is. */
export interface VersionChanges {
  /** Whether the version is kept when old versions are pruned. */
  is_pinned?: boolean | null;
  /** Comment of the user; null clears it. */
  comment?: string | null;
}

/**
 * Place of a version in its save: `head`, `history` (the head grew from it, or no conflict is about it any more),
 * `branch` (an open conflict is about it) or `pruned` (its bytes are gone).
 */
export type VersionStatus = "head" | "history" | "branch" | "pruned";

/** Changes to an item; a field that is left out stays as it is, null clears it. */
export interface WishChanges {
  /** Place in the list, from 1; items without one are last. */
  priority?: number | null;
  /** Notes of the user. */
  notes?: string | null;
  /** Price to be notified at, in minor units of `target_currency`, which it needs. */
  target_price_minor?: number | null;
  /** Currency of the target price by its ISO 4217 code. */
  target_currency?: string | null;
  /** Smallest discount to be notified at, in percent. */
  min_discount_percent?: number | null;
}

/** A product on the wishlist whose current price is that of a sale. */
export interface WishOnSale {
  /** Id of the item of the wishlist. */
  wishlist_item_id: string;
  /** Product on the wishlist. */
  product_id: string;
  /** Price to pay, with the discount, in minor units of the currency. */
  price_minor: number;
  /** Currency by its ISO 4217 code. */
  currency: string;
  /** Discount in percent. */
  discount_percent: number;
  /** Sale that the price belongs to. */
  sale_id: string;
  /** When the sale ends, if that is known. */
  sale_ends_at: string | null;
  /**
   * Title of the product in the language of the response, else in the other language; null until the Catalog names the
   * product. Responses to a change do not have it.
   */
  title?: string | null;
  /** Address of the cover image of the product; null while it is unknown. Responses to a change do not have it. */
  cover_image_url?: string | null;
}

/** A product on the wishlist of the user. */
export interface WishlistItem {
  /** Type of the resource: always `wishlistItem`. */
  type: "wishlistItem";
  /** Id of the item of the wishlist. */
  id: string;
  /** Attributes of the resource `wishlistItem`. */
  attributes: WishlistItemAttributes;
}

/** Attributes of the resource `wishlistItem`. */
export interface WishlistItemAttributes {
  /** Product on the wishlist. */
  product_id: string;
  /** Title in the language of the response, else in the other language; null until the Catalog names the product. */
  title: string | null;
  /** Address of the cover image; null while it is unknown. */
  cover_image_url: string | null;
  /** When the product was added to the wishlist. */
  added_at: string;
  /** Place in the list: 1 is first, null is last. */
  priority: number | null;
  /** Notes of the user. */
  notes: string | null;
  /** Price at which the user wants to be notified, in minor units of `target_currency`. */
  target_price_minor: number | null;
  /** Currency of the target price. */
  target_currency: string | null;
  /** Smallest discount at which the user wants to be notified, in percent. */
  min_discount_percent: number | null;
  /** Current price in the currency of the target, or else in the default currency; null while none is known. */
  current_price: Price | null;
}

/** A page of a collection of `WishlistItem`. */
export interface WishlistItemCollection {
  /** The elements of this page. */
  data: WishlistItem[];
  meta: PageMeta;
  links: PageLinks;
}

/** A response with one `WishlistItem`. */
export interface WishlistItemDocument {
  data: WishlistItem;
}

/** What `meta` of a refusal has, by its code. A code that is not listed here has none that a program would need. */

import type { EndReason, SavegamePolicyAttributes, SavegameVersion } from "./generated/schemas.js";

export interface ErrorMetas {
  ACHIEVEMENT_ALREADY_UNLOCKED: { unlocked_at: string };
  FAMILY_ACCESS_RESTRICTED: { reason: "out_of_scope" | "sharing_forbidden" | "link_expired" | "link_ended" };
  FAMILY_SEAT_BUSY: { held_by_user_id: string; since: string; lost_at?: string; session_id?: string };
  FAMILY_SHARING_LINK_INVALID_STATE: { status: string };
  PAYLOAD_TOO_LARGE: { size_bytes?: number; max_bytes?: number };
  PERMISSION_DENIED: { reason?: "not_owned" | "refunded" | "link_pending" | "claimable" };
  PRECONDITION_FAILED: { current?: unknown };
  PRODUCT_ALREADY_OWNED: { library_item_id: string };
  SAVEGAME_BASE_NOT_SYNCED: { head_version: number; device_version: number };
  SAVEGAME_IS_A_SET: { file_count: number };
  SAVEGAME_MERGE_SPLITS_UNIT: { reason: "no_units" | "single_file" | "units_meet" };
  SAVEGAME_POLICY_CHANGED: { policy_revision: number; policy: SavegamePolicyAttributes };
  SAVEGAME_SHRINKS: { removed: number; bytes: number; units: string[]; head_version: number };
  SAVEGAME_VERSION_CONFLICT: {
    conflict_id: string;
    savegame_id: string;
    head: SavegameVersion;
    branch: SavegameVersion;
    differences_count?: number;
    unnamed_count?: number;
  };
  SESSION_ALREADY_ENDED: { end_time: string; end_reason: EndReason };
  USER_QUOTA_EXCEEDED: { limit: string; resets_at?: string };
}

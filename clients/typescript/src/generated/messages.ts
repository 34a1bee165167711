// Written by clients/typescript/generate.py. Do not change it by hand.

/** What all messages have. */
export interface Message {
  event_type: string;
  /** The number of the event in the user's stream: the cursor to resume from. */
  id: string;
  timestamp: string;
  payload: Record<string, unknown>;
  /** The X-Client-Id of the request that caused it, if it had one. */
  origin?: string;
}

/** An achievement was unlocked. */
export interface AchievementUnlocked extends Message {
  event_type: "achievement.unlocked";
  payload: {
    product_id: string;
    achievement_id: string;
    /** The name in Russian, otherwise in English, otherwise the API name. */
    achievement_name: string | null;
    /** The name in each language. Null: the Catalog has none in this language. */
    achievement_names: {
      ru: string | null;
      en: string | null;
    };
    unlocked_at: string;
  };
}

/**
 * The token was accepted. The first message of every connection, and the answer to each auth.token. The id is the
 * cursor: the messages after it follow.
 */
export interface AuthSuccess extends Message {
  event_type: "auth.success";
  payload: {
    /** The cursor of the connection, from which it can be resumed. */
    cursor: string;
  };
}

/**
 * Games that an owner shares changed. Many games of one owner have become visible or are gone, or the first games of a
 * new link have arrived. Read the library again.
 */
export interface FamilyLibraryUpdated extends Message {
  event_type: "family.library.updated";
  payload: {
    link_id: string;
    owner_user_id: string;
    /** How many games have become visible. */
    added: number;
    /** How many games are gone. */
    removed: number;
  };
}

/** A family link changed. It is sent once per change and not once per game. Read the library again. */
export interface FamilyLinkUpdated extends Message {
  event_type: "family.link.updated";
  payload: {
    link_id: string;
    owner_user_id: string;
    shared_with_user_id: string;
    status: "pending_approval" | "active" | "revoked_by_owner" | "declined_by_user" | "revoked_by_admin";
    mode: "all" | "only" | "except";
    expires_at: string | null;
  };
}

/** The owner wants to play their copy. The session may continue until lost_at. Then it ends. */
export interface FamilySeatReclaimed extends Message {
  event_type: "family.seat.reclaimed";
  payload: {
    owner_user_id: string;
    product_id: string;
    session_id: string;
    lost_at: string;
    grace_seconds: number;
  };
}

/**
 * A category was created, changed or deleted. For a deleted category the message contains its last name and order. No
 * game belongs to it any more.
 */
export interface LibraryCategoryUpdated extends Message {
  event_type: "library.category.updated";
  payload: {
    category_id: string;
    name: string;
    display_order: number;
    is_deleted: boolean;
  };
}

/** A game was added to the library. Read the item for its title and cover. */
export interface LibraryItemAdded extends Message {
  event_type: "library.item.added";
  payload: {
    library_item_id: string;
    product_id: string;
    acquisition_type: "purchase" | "gift" | "key_activation" | "family_shared_access" | "free_to_play";
    added_at: string;
    /** The owner who shares the game. Absent for an own copy. */
    shared_from_user_id?: string;
    /** The title in Russian, otherwise in English. Null: the Catalog has not sent a title yet. */
    title: string | null;
    titles: {
      ru: string | null;
      en: string | null;
    };
    cover_image_url: string | null;
  };
}

/**
 * A game was removed from the library. The user's last grant of the game ended, or nobody shares it with them any
 * more.
 */
export interface LibraryItemRemoved extends Message {
  event_type: "library.item.removed";
  payload: {
    library_item_id: string;
    product_id: string;
    reason: "refund" | "revoked" | "support" | "no_longer_shared";
  };
}

/** An item changed. `changes` contains the new values of the attributes that changed. */
export interface LibraryItemUpdated extends Message {
  event_type: "library.item.updated";
  payload: {
    library_item_id: string;
    product_id: string;
    changes: {
      is_hidden?: boolean;
      category_ids?: string[];
      installation_status?: "not_installed" | "installing" | "installed" | "updating" | "repair_needed" | "error";
      installed_version_id?: string | null;
      /** The installations on all devices. */
      installations?: ({
        /** The device. Null: the source named no device, and the state is that of the account. */
        device_id: string | null;
        installation_status: "not_installed" | "installing" | "installed" | "updating" | "repair_needed" | "error";
        installed_version_id: string | null;
        changed_at: string;
      })[];
      user_rating?: number;
      acquisition_type?: "purchase" | "gift" | "key_activation" | "family_shared_access" | "free_to_play";
      /** The owner of the copy, if it is shared now. Null: the user's own copy. */
      shared_from_user_id?: string | null;
      added_at?: string;
      total_playtime_seconds?: number;
      last_played_at?: string | null;
      /** The achievements of the game that support has revoked. Read the achievements of the game again. */
      locked_achievement_ids?: string[];
    };
  };
}

/** Many items changed at once. Read the library again. */
export interface LibraryUpdated extends Message {
  event_type: "library.updated";
  payload: {
    /** How many items changed. */
    count: number;
  };
}

/** A session ended. A session ended, or a session that was played offline was imported. Durations are whole seconds. */
export interface PlaytimeSessionEnded extends Message {
  event_type: "playtime.session.ended";
  payload: {
    session_id: string;
    product_id: string;
    start_time: string;
    end_time: string;
    duration_seconds: number;
    end_reason: "completed" | "timeout" | "imported" | "access_revoked" | "seat_lost";
    /** The user's playtime of the product on all devices, including this session. */
    total_playtime_seconds: number;
  };
}

/** A session started. The user plays a game, on this device or on another one. */
export interface PlaytimeSessionStarted extends Message {
  event_type: "playtime.session.started";
  payload: {
    session_id: string;
    product_id: string;
    device_id: string | null;
    start_time: string;
  };
}

/** A pong. The answer to a client's ping. Its id is that of the newest message that was sent. */
export interface Pong extends Message {
  event_type: "pong";
  payload: Record<string, unknown>;
}

/**
 * A full reload is required. The messages after the cursor can't be sent any more. Read everything again, and resume
 * from this id.
 */
export interface ResyncRequired extends Message {
  event_type: "resync.required";
  payload: Record<string, unknown>;
}

/**
 * The synchronisation of a save started, completed, failed or found a conflict. After sync_completed, `version` is the
 * head of the save: download it unless this device has just uploaded it.
 */
export interface SavegameSyncStatus extends Message {
  event_type: "savegame.sync.status";
  payload: {
    savegame_id: string;
    product_id: string;
    slot_name: string;
    status: "sync_started" | "sync_completed" | "sync_failed" | "conflict" | "deleted";
    last_synced_at: string | null;
    /** With sync_failed: SAVEGAME_HASH_MISMATCH, SAVEGAME_UPLOAD_INCOMPLETE (never confirmed) or CANCELLED. */
    error_message: string | null;
    /** With sync_completed: the head. If a conflict ended because its save was deleted permanently: the last head. */
    version?: number;
    /** With conflict, and with the sync_completed that ends it. */
    conflict_id?: string;
    /** With the sync_completed of an upload of a set: how many files it has. Otherwise null. */
    file_count?: number | null;
    /** With the sync_completed of an upload of a set: how many of its bytes were not stored before. Otherwise null. */
    new_bytes?: number | null;
  };
}

/**
 * A game's settings changed. Read the settings again unless the device knows the revision. The device that wrote them
 * receives the message too.
 */
export interface SettingsUpdated extends Message {
  event_type: "settings.updated";
  payload: {
    product_id: string;
    revision: number;
    /** The layer. Null: all layers were deleted. */
    layer: "account" | "platform" | "device" | null;
    platform: string | null;
    device_id: string | null;
    is_deleted: boolean;
    updated_at: string;
  };
}

/** A wished product is on sale. The message is sent once per user, sale and product. */
export interface WishlistItemOnSale extends Message {
  event_type: "wishlist.item.on_sale";
  payload: {
    wishlist_item_id: string;
    product_id: string;
    sale_id: string;
    /** The price in minor units of the currency. */
    price_minor: number;
    currency: string;
    discount_percent: number;
    sale_ends_at: string | null;
  };
}

/**
 * The price of a wished product was lowered permanently. The price was lowered, without a sale, to the user's target
 * price or below. The message is sent once per user and price.
 */
export interface WishlistItemPriceDropped extends Message {
  event_type: "wishlist.item.price_dropped";
  payload: {
    wishlist_item_id: string;
    product_id: string;
    /** The price in minor units of the currency. */
    price_minor: number;
    currency: string;
    /** The previous price, in minor units of the currency. */
    old_price_minor: number;
  };
}

/** The wishlist changed. An item was added, removed or changed. Read the wishlist again. */
export interface WishlistUpdated extends Message {
  event_type: "wishlist.updated";
  payload: {
    /** The product of the item. Null: the list was reordered. */
    product_id: string | null;
  };
}

export type KnownMessage =
  | AchievementUnlocked
  | AuthSuccess
  | FamilyLibraryUpdated
  | FamilyLinkUpdated
  | FamilySeatReclaimed
  | LibraryCategoryUpdated
  | LibraryItemAdded
  | LibraryItemRemoved
  | LibraryItemUpdated
  | LibraryUpdated
  | PlaytimeSessionEnded
  | PlaytimeSessionStarted
  | Pong
  | ResyncRequired
  | SavegameSyncStatus
  | SettingsUpdated
  | WishlistItemOnSale
  | WishlistItemPriceDropped
  | WishlistUpdated;

export const EVENT_TYPES = [
  "achievement.unlocked",
  "auth.success",
  "family.library.updated",
  "family.link.updated",
  "family.seat.reclaimed",
  "library.category.updated",
  "library.item.added",
  "library.item.removed",
  "library.item.updated",
  "library.updated",
  "playtime.session.ended",
  "playtime.session.started",
  "pong",
  "resync.required",
  "savegame.sync.status",
  "settings.updated",
  "wishlist.item.on_sale",
  "wishlist.item.price_dropped",
  "wishlist.updated",
] as const satisfies readonly KnownMessage["event_type"][];

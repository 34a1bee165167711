// Written by clients/typescript/generate.py. Do not change it by hand.
import { Calls } from "../calls.js";
/** Family sharing: links between an owner and a member, and the seats of shared copies. */
export class FamilyCalls extends Calls {
    /**
     * Lists the family links.
     * Returns a page of the links of the user, as owner and as member, the newest first.
     * `GET /api/v1/library/family/links`
     */
    listLinks(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/family/links", query }, options);
    }
    /**
     * Invites a member.
     * Offers games to another user, who has to accept. An owner may have `FAMILY_MAX_MEMBERS` links that are active or
     * pending, and may invite the same user three times in 24 hours.
     * `POST /api/v1/library/family/links`
     */
    inviteMember(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/family/links", attributes, isKeyed: true }, options);
    }
    /**
     * Returns a family link.
     * Only the owner and the member see a link; for everybody else it does not exist.
     * `GET /api/v1/library/family/links/{link_id}`
     */
    getLink(linkId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/family/links/${encodeURIComponent(linkId)}` }, options);
    }
    /**
     * Changes the shared games of a link.
     * Only the owner may do so. A field that is left out stays as it is.
     * `PATCH /api/v1/library/family/links/{link_id}`
     */
    updateLink(linkId, attributes, options = {}) {
        return this.answer({ method: "PATCH", path: `/api/v1/library/family/links/${encodeURIComponent(linkId)}`, attributes }, options);
    }
    /**
     * Accepts an invitation.
     * Only the member may do so. The shared games are in their library at once.
     * `POST /api/v1/library/family/links/{link_id}/accept`
     */
    acceptLink(linkId, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/family/links/${encodeURIComponent(linkId)}/accept`, isKeyed: true }, options);
    }
    /**
     * Declines an invitation.
     * Only the member may do so.
     * `POST /api/v1/library/family/links/{link_id}/decline`
     */
    declineLink(linkId, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/family/links/${encodeURIComponent(linkId)}/decline`, isKeyed: true }, options);
    }
    /**
     * Ends a link.
     * The owner or the member may do so. Running sessions on shared copies end at once.
     * `POST /api/v1/library/family/links/{link_id}/revoke`
     */
    revokeLink(linkId, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/family/links/${encodeURIComponent(linkId)}/revoke`, isKeyed: true }, options);
    }
    /**
     * Lists the seats that are taken.
     * Shows who plays shared copies now: copies of the user, and copies of owners who share with them.
     * `GET /api/v1/library/family/seats`
     */
    listSeats(options = {}) {
        return this.answer({ method: "GET", path: "/api/v1/library/family/seats" }, options);
    }
}
/** The library of the user: items, and the categories that they are sorted into. */
export class LibraryCalls extends Calls {
    /**
     * Lists the library.
     * Returns a page of the games that the user owns, or that a family member shares with them. All filters have to
     * match. Hidden items are left out unless `include_hidden` selects them. With the `ETag` of an earlier page as `If-
     * None-Match` the response is 304 while nothing has changed. `include` adds to each item what other parts of the
     * library know of its product.
     * `GET /api/v1/library/items`
     */
    listItems(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/items", query, hasEtag: true }, options);
    }
    /**
     * Claims a free-to-play product.
     * Adds a product to the library that is free to play according to the Catalog. Any other known product is refused
     * with 403, an unknown one with 404.
     * `POST /api/v1/library/items`
     */
    claimItem(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/items", attributes, isKeyed: true }, options);
    }
    /**
     * Returns an item of the library.
     * This includes hidden items. The `ETag` changes whenever the response does; as `If-Match` of a change it compares
     * only the fields that the user can change. `include` adds what other parts of the library know of the product.
     * `GET /api/v1/library/items/{item_id}`
     */
    getItem(itemId, query = {}, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/items/${encodeURIComponent(itemId)}`, query, hasEtag: true }, options);
    }
    /**
     * Changes an item of the library.
     * Hides it, replaces or edits its categories, or sets its installation on one device or on all devices. A field that
     * is left out stays as it is. After a 412 `errors[0].meta.current` has the current item.
     * `PATCH /api/v1/library/items/{item_id}`
     */
    updateItem(itemId, attributes, options = {}) {
        return this.answer({ method: "PATCH", path: `/api/v1/library/items/${encodeURIComponent(itemId)}`, attributes }, options);
    }
    /**
     * Changes up to 500 items.
     * All changes are committed together, and each has a result, in the order of the request. An item that can't be
     * changed is rejected, and does not affect the others.
     * `POST /api/v1/library/items/bulk`
     */
    updateItems(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/items/bulk", attributes, isKeyed: true }, options);
    }
    /**
     * Lists the categories.
     * Returns a page of the categories of the user, by their display order.
     * `GET /api/v1/library/categories`
     */
    listCategories(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/categories", query }, options);
    }
    /**
     * Creates a category.
     * A user may have up to 200 categories. Names are compared without regard to case and spacing.
     * `POST /api/v1/library/categories`
     */
    createCategory(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/categories", attributes, isKeyed: true }, options);
    }
    /**
     * Renames or moves a category.
     * A field that is left out stays as it is.
     * `PATCH /api/v1/library/categories/{category_id}`
     */
    updateCategory(categoryId, attributes, options = {}) {
        return this.answer({ method: "PATCH", path: `/api/v1/library/categories/${encodeURIComponent(categoryId)}`, attributes }, options);
    }
    /**
     * Deletes a category.
     * The items in it stay in the library.
     * `DELETE /api/v1/library/categories/{category_id}`
     */
    deleteCategory(categoryId, options = {}) {
        return this.done({ method: "DELETE", path: `/api/v1/library/categories/${encodeURIComponent(categoryId)}` }, options);
    }
}
/** The first screen of a launcher, in one request. */
export class HomeCalls extends Calls {
    /**
     * Returns the first screen of a launcher.
     * The games that were played last with achievements, recent playtime and the state of their saves, the latest
     * additions, what is played now, open conflicts, wishes on sale and the storage of saves. Each list has up to 10
     * entries. `meta.cursor` is the cursor of the feed from which to follow changes. With the `ETag` of an earlier
     * response as `If-None-Match` the response is 304 while nothing has changed.
     * `GET /api/v1/library/home`
     */
    home(query = {}, options = {}) {
        return this.answer({ method: "GET", path: "/api/v1/library/home", query, hasEtag: true }, options);
    }
}
/** Achievements of products: progress, unlocks and rarity. */
export class AchievementsCalls extends Calls {
    /**
     * Lists the achievements of a product.
     * Returns every achievement of the product, with the progress of the user. The list is empty for a product without
     * achievements.
     * `GET /api/v1/library/achievements/status/{product_id}`
     */
    listAchievements(productId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/achievements/status/${encodeURIComponent(productId)}` }, options);
    }
    /**
     * Lists the rarity of the achievements of a product.
     * The user need not own the product, so a store page can show the list.
     * `GET /api/v1/library/achievements/rarity/{product_id}`
     */
    listRarities(productId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/achievements/rarity/${encodeURIComponent(productId)}` }, options);
    }
    /**
     * Reports progress.
     * Needs access to the product. Progress never goes back; an achievement unlocks when its target is reached.
     * `meta.newly_unlocked` shows whether this report has unlocked it.
     * `POST /api/v1/library/achievements/{achievement_id}/progress`
     */
    reportProgress(achievementId, attributes, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/achievements/${encodeURIComponent(achievementId)}/progress`, attributes, isKeyed: true }, options);
    }
    /**
     * Reports progress by name.
     * Works like the report by id, but the achievement is named by its product and by the name that the developer of the
     * game uses.
     * `POST /api/v1/library/achievements/by-name/{product_id}/{api_name}/progress`
     */
    reportProgressByName(productId, apiName, attributes, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/achievements/by-name/${encodeURIComponent(productId)}/${encodeURIComponent(apiName)}/progress`, attributes, isKeyed: true }, options);
    }
    /**
     * Unlocks an achievement.
     * Needs access to the product. An achievement that is unlocked already is refused with 409.
     * `POST /api/v1/library/achievements/{achievement_id}/unlock`
     */
    unlockAchievement(achievementId, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/achievements/${encodeURIComponent(achievementId)}/unlock`, isKeyed: true }, options);
    }
    /**
     * Unlocks an achievement by name.
     * Works like the unlock by id, but the achievement is named by its product and by the name that the developer of the
     * game uses.
     * `POST /api/v1/library/achievements/by-name/{product_id}/{api_name}/unlock`
     */
    unlockAchievementByName(productId, apiName, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/achievements/by-name/${encodeURIComponent(productId)}/${encodeURIComponent(apiName)}/unlock`, isKeyed: true }, options);
    }
    /**
     * Imports offline progress.
     * Accepts up to 100 unlocks and progress reports. Each has a result, in the order of the request; a rejected one
     * does not affect the others.
     * `POST /api/v1/library/achievements/import`
     */
    importAchievements(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/achievements/import", attributes, isKeyed: true }, options);
    }
    /**
     * Returns the progress on each product.
     * Returns a page of the products with achievements, the one with the latest unlock first.
     * `GET /api/v1/library/achievements/summary`
     */
    summarizeAchievements(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/achievements/summary", query }, options);
    }
}
/** The products that a user wishes for, and the conditions of notifications. */
export class WishlistCalls extends Calls {
    /**
     * Lists the wishlist.
     * Returns a page of the wishlist by priority, and then by the time of adding.
     * `GET /api/v1/library/wishlist/items`
     */
    listWishes(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/wishlist/items", query }, options);
    }
    /**
     * Adds a product to the wishlist.
     * The Catalog need not have named the product yet. The user is notified of sales that meet all conditions of the
     * item.
     * `POST /api/v1/library/wishlist/items`
     */
    addWish(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/wishlist/items", attributes, isKeyed: true }, options);
    }
    /**
     * Changes an item of the wishlist.
     * A field that is left out stays as it is; null clears it.
     * `PATCH /api/v1/library/wishlist/items/{item_id}`
     */
    updateWish(itemId, attributes, options = {}) {
        return this.answer({ method: "PATCH", path: `/api/v1/library/wishlist/items/${encodeURIComponent(itemId)}`, attributes }, options);
    }
    /**
     * Removes an item from the wishlist.
     * The item is named by its own id.
     * `DELETE /api/v1/library/wishlist/items/{item_id}`
     */
    removeWish(itemId, options = {}) {
        return this.done({ method: "DELETE", path: `/api/v1/library/wishlist/items/${encodeURIComponent(itemId)}` }, options);
    }
    /**
     * Removes a product from the wishlist.
     * The item is named by its product.
     * `DELETE /api/v1/library/wishlist/items/by-product/{product_id}`
     */
    removeWishOfProduct(productId, options = {}) {
        return this.done({ method: "DELETE", path: `/api/v1/library/wishlist/items/by-product/${encodeURIComponent(productId)}` }, options);
    }
    /**
     * Orders the whole wishlist.
     * Every item has to be named once; a list that is out of date is refused with 400. The response is the first page in
     * the new order.
     * `PUT /api/v1/library/wishlist/order`
     */
    orderWishes(attributes, options = {}) {
        return this.pages({ method: "PUT", path: "/api/v1/library/wishlist/order", attributes }, options);
    }
}
/** Sessions of playing, and how long products were played. */
export class PlaytimeCalls extends Calls {
    /**
     * Starts a session.
     * Needs access to the product. On a shared game it takes the seat of the copy. If the device plays the product
     * already, its running session is returned with 200.
     * `POST /api/v1/library/playtime/sessions/start`
     */
    startSession(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/playtime/sessions/start", attributes, isKeyed: true }, options);
    }
    /**
     * Records a heartbeat.
     * Keeps a session running: send one every `PLAYTIME_HEARTBEAT_INTERVAL_SECONDS`. The header `X-Seat-Lost-At`
     * contains the time when the session has to end because the owner wants to play. An `Idempotency-Key` is ignored.
     * `POST /api/v1/library/playtime/sessions/{session_id}/heartbeat`
     */
    recordHeartbeat(sessionId, options = {}) {
        return this.done({ method: "POST", path: `/api/v1/library/playtime/sessions/${encodeURIComponent(sessionId)}/heartbeat` }, options);
    }
    /**
     * Ends a session.
     * A session that has ended already is returned as it is.
     * `POST /api/v1/library/playtime/sessions/{session_id}/end`
     */
    endSession(sessionId, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/playtime/sessions/${encodeURIComponent(sessionId)}/end`, isKeyed: true }, options);
    }
    /**
     * Imports sessions that were played offline.
     * Accepts up to 100 sessions. Each has a result, in the order of the request; a rejected one does not affect the
     * others.
     * `POST /api/v1/library/playtime/sessions/import`
     */
    importSessions(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/playtime/sessions/import", attributes, isKeyed: true }, options);
    }
    /**
     * Returns the playtime of each product.
     * Returns a page of the products that the user has played, the last played first. With `by=platform` each element is
     * about one product on one platform (`platformPlaytime`).
     * `GET /api/v1/library/playtime`
     */
    summarizePlaytime(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/playtime", query }, options);
    }
    /**
     * Lists the sessions.
     * Returns a page of running and ended sessions, the newest first.
     * `GET /api/v1/library/playtime/sessions`
     */
    listSessions(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/playtime/sessions", query }, options);
    }
    /**
     * Returns a session.
     * The session may be running, or may have ended.
     * `GET /api/v1/library/playtime/sessions/{session_id}`
     */
    getSession(sessionId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/playtime/sessions/${encodeURIComponent(sessionId)}` }, options);
    }
    /**
     * Returns the playtime of each day.
     * Returns seconds per day and product of the last 14 days, or of up to 366 days. Days without play are left out.
     * `GET /api/v1/library/playtime/daily`
     */
    listDays(query = {}, options = {}) {
        return this.answer({ method: "GET", path: "/api/v1/library/playtime/daily", query }, options);
    }
}
/** Settings of games, in layers: one of the account, and overlays of platforms and devices. */
export class SettingsCalls extends Calls {
    /**
     * Lists the games with settings.
     * Returns a page of the games that the user has settings of, the last changed first. With `since` it includes games
     * whose settings were deleted.
     * `GET /api/v1/library/settings`
     */
    listSettings(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/settings", query }, options);
    }
    /**
     * Lists the layers of the settings of a game.
     * The payloads are left out. A new device can adopt the settings of another one by this list, and unused layers can
     * be deleted.
     * `GET /api/v1/library/settings/{product_id}/layers`
     */
    listLayers(productId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/settings/${encodeURIComponent(productId)}/layers` }, options);
    }
    /**
     * Returns the settings of a game.
     * Returns the layer of the account, merged with the overlays of the platform and of the device that the query names.
     * `GET /api/v1/library/settings/{product_id}`
     */
    getSettings(productId, query = {}, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/settings/${encodeURIComponent(productId)}`, query, hasEtag: true }, options);
    }
    /**
     * Replaces a layer of settings.
     * The query selects the overlay of a platform or of a device; without it the layer of the account is replaced. Needs
     * access to the product. After a 412 `errors[0].meta.current` has the current settings.
     * `PUT /api/v1/library/settings/{product_id}`
     */
    putSettings(productId, attributes, query = {}, options = {}) {
        return this.answer({ method: "PUT", path: `/api/v1/library/settings/${encodeURIComponent(productId)}`, attributes, query }, options);
    }
    /**
     * Patches a layer of settings.
     * Applies a JSON Merge Patch (RFC 7396): null removes a key. Needs access to the product. After a 412
     * `errors[0].meta.current` has the current settings.
     * `PATCH /api/v1/library/settings/{product_id}`
     */
    patchSettings(productId, attributes, query = {}, options = {}) {
        return this.answer({ method: "PATCH", path: `/api/v1/library/settings/${encodeURIComponent(productId)}`, attributes, query }, options);
    }
    /**
     * Deletes settings of a game.
     * Deletes the overlay that the query names; without a query all layers.
     * `DELETE /api/v1/library/settings/{product_id}`
     */
    deleteSettings(productId, query = {}, options = {}) {
        return this.done({ method: "DELETE", path: `/api/v1/library/settings/${encodeURIComponent(productId)}`, query }, options);
    }
}
/** Cloud saves: versions, uploads, conflicts and quota. The bytes go directly to the object store and back. */
export class SavesCalls extends Calls {
    /**
     * Lists the saves.
     * Returns a page of the heads of the saves, the last uploaded first; with `trashed=true` of the saves in the trash.
     * `GET /api/v1/library/savegames`
     */
    listSaves(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/savegames", query }, options);
    }
    /**
     * Returns the quota.
     * Returns the bytes that the saves of the user use, also by product, and the limits.
     * `GET /api/v1/library/savegames/quota`
     */
    getQuota(options = {}) {
        return this.answer({ method: "GET", path: "/api/v1/library/savegames/quota" }, options);
    }
    /**
     * Returns a save.
     * The save is described by its head.
     * `GET /api/v1/library/savegames/{savegame_id}`
     */
    getSave(savegameId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}` }, options);
    }
    /**
     * Deletes a save.
     * Puts the save into the trash; with `permanent=true` deletes it at once, from the trash too.
     * `DELETE /api/v1/library/savegames/{savegame_id}`
     */
    deleteSave(savegameId, query = {}, options = {}) {
        return this.done({ method: "DELETE", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}`, query }, options);
    }
    /**
     * Lists the versions of a save.
     * Returns a page of its history, a tree in which each version names its parents. It includes versions without bytes,
     * which were pruned.
     * `GET /api/v1/library/savegames/{savegame_id}/versions`
     */
    listVersions(savegameId, query = {}, options = {}) {
        return this.pages({ method: "GET", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}/versions`, query }, options);
    }
    /**
     * Returns a URL for a download.
     * Returns a presigned URL of the head, or of the version that the query names. Needs access to the product. A device
     * that has stored the bytes reports that by `/synced`.
     * `GET /api/v1/library/savegames/{savegame_id}/download-url`
     */
    requestDownloadUrl(savegameId, query = {}, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}/download-url`, query }, options);
    }
    /**
     * Reports that a device has a version.
     * The device's next upload without a base version is based on this version.
     * `POST /api/v1/library/savegames/{savegame_id}/synced`
     */
    reportSynced(savegameId, attributes, options = {}) {
        return this.done({ method: "POST", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}/synced`, attributes, isKeyed: true }, options);
    }
    /**
     * Restores a version.
     * Makes a new head from the bytes of an older version, or of some units of it. No version is lost. A device has the
     * new head only once it reports that by `/synced`.
     * `POST /api/v1/library/savegames/{savegame_id}/restore`
     */
    restoreVersion(savegameId, attributes, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}/restore`, attributes, isKeyed: true }, options);
    }
    /**
     * Changes a version.
     * Pins it, so that it is never pruned, or changes its comment. A field that is left out stays as it is; null clears
     * the comment.
     * `PATCH /api/v1/library/savegames/{savegame_id}/versions/{version_number}`
     */
    updateVersion(savegameId, versionNumber, attributes, options = {}) {
        return this.answer({ method: "PATCH", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}/versions/${encodeURIComponent(versionNumber)}`, attributes }, options);
    }
    /**
     * Takes a save out of the trash.
     * If its name is taken by another save, it gets a new one.
     * `POST /api/v1/library/savegames/{savegame_id}/undelete`
     */
    undeleteSave(savegameId, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}/undelete`, isKeyed: true }, options);
    }
    /**
     * Reserves an upload.
     * Reserves quota and returns a presigned request that sends exactly these bytes to the object store. Needs access to
     * the product. The same request for an upload that is open returns that upload with a new signature.
     * `POST /api/v1/library/savegames/upload-url`
     */
    requestUploadUrl(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/savegames/upload-url", attributes, isKeyed: true }, options);
    }
    /**
     * Confirms an upload.
     * Verifies the bytes that were sent to the object store, and makes a version of them. An upload that is not based on
     * the head is kept as a branch and answered with 409; the meta of the error describes both sides. Confirming again
     * returns the same result for 30 days. If the verification takes longer than 20 seconds, the response is 202; ask
     * again. An upload of a set is confirmed as well, in the way of `/commit`.
     * `POST /api/v1/library/savegames/confirm-upload`
     */
    confirmUpload(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/savegames/confirm-upload", attributes, isKeyed: true }, options);
    }
    /**
     * Reserves an upload of files.
     * Takes all files of a save, or what changed against a version (`put`, `remove`, `set_sha256`). Reserves quota, and
     * returns presigned requests for the contents that the user does not have yet. Needs access to the product. The same
     * request for an upload that is open returns that upload with new signatures. A save that is a single file has one
     * entry, whose path is null.
     * `POST /api/v1/library/savegames/uploads`
     */
    beginUpload(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/savegames/uploads", attributes, isKeyed: true }, options);
    }
    /**
     * Lists the open uploads.
     * Returns a page of the uploads that can still be confirmed, the oldest first. The list has no URLs; a single upload
     * has one.
     * `GET /api/v1/library/savegames/uploads`
     */
    listUploads(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/savegames/uploads", query }, options);
    }
    /**
     * Returns an upload.
     * Returns its state, and new presigned requests for what has not arrived, 100 at most. The upload can then be
     * confirmed until an hour after those URLs have expired.
     * `GET /api/v1/library/savegames/uploads/{upload_id}`
     */
    getUpload(uploadId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/savegames/uploads/${encodeURIComponent(uploadId)}` }, options);
    }
    /**
     * Cancels an upload.
     * This releases the quota that it had reserved.
     * `DELETE /api/v1/library/savegames/uploads/{upload_id}`
     */
    cancelUpload(uploadId, options = {}) {
        return this.done({ method: "DELETE", path: `/api/v1/library/savegames/uploads/${encodeURIComponent(uploadId)}` }, options);
    }
    /**
     * Commits an upload.
     * Verifies what was sent to the object store, and makes a version of it: of all files, or of none. An upload that is
     * not based on the head is kept as a branch and answered with 409. 422 names what is missing (`meta.missing`) and
     * what is wrong (`meta.mismatched`); the upload stays open, and only that has to be sent again. If the verification
     * takes longer than 20 seconds, the response is 202; ask again, what is verified stays.
     * `POST /api/v1/library/savegames/uploads/{upload_id}/commit`
     */
    commitUpload(uploadId, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/savegames/uploads/${encodeURIComponent(uploadId)}/commit`, isKeyed: true }, options);
    }
    /**
     * Lists the files of a version.
     * Returns a page of the files, by their paths; `limit` may be up to 1,000. A save that is a single file has one,
     * whose path is null.
     * `GET /api/v1/library/savegames/{savegame_id}/versions/{version_number}/files`
     */
    listFiles(savegameId, versionNumber, query = {}, options = {}) {
        return this.pages({ method: "GET", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}/versions/${encodeURIComponent(versionNumber)}/files`, query }, options);
    }
    /**
     * Returns the files of a version, with URLs.
     * Returns all files of the head, or of the version that the request names, and presigned URLs for the bytes that the
     * device does not have (`have`, `have_version`), 100 at most. With `want` it returns those files alone. Needs access
     * to the product. A device that has stored the bytes reports that by `/synced`.
     * `POST /api/v1/library/savegames/{savegame_id}/download`
     */
    downloadSave(savegameId, attributes, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/savegames/${encodeURIComponent(savegameId)}/download`, attributes, isKeyed: true }, options);
    }
    /**
     * Lists the open conflicts.
     * Returns a page of the conflicts with both of their sides, the oldest first.
     * `GET /api/v1/library/savegames/conflicts`
     */
    listConflicts(query = {}, options = {}) {
        return this.pages({ method: "GET", path: "/api/v1/library/savegames/conflicts", query }, options);
    }
    /**
     * Returns a conflict.
     * Returns an open conflict with both of its sides, and the first 100 files that differ between them.
     * `GET /api/v1/library/savegames/conflicts/{conflict_id}`
     */
    getConflict(conflictId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/savegames/conflicts/${encodeURIComponent(conflictId)}` }, options);
    }
    /**
     * Lists the differences of a conflict.
     * Returns a page of the files that differ between the sides of an open conflict, by units and paths. A merge takes
     * each unit from one side.
     * `GET /api/v1/library/savegames/conflicts/{conflict_id}/differences`
     */
    listDifferences(conflictId, query = {}, options = {}) {
        return this.pages({ method: "GET", path: `/api/v1/library/savegames/conflicts/${encodeURIComponent(conflictId)}/differences`, query }, options);
    }
    /**
     * Resolves a conflict.
     * Keeps the branch, the head or both, or merges them: `units` names the side of each unit that both sides have
     * changed, and may name others. If a side has changed since the client read the conflict, the response is 409 and
     * describes the current sides.
     * `POST /api/v1/library/savegames/conflicts/{conflict_id}/resolve`
     */
    resolveConflict(conflictId, attributes, options = {}) {
        return this.answer({ method: "POST", path: `/api/v1/library/savegames/conflicts/${encodeURIComponent(conflictId)}/resolve`, attributes, isKeyed: true }, options);
    }
    /**
     * Plans what a device has to do.
     * Says for each save that the device has, and for all others of the product, whether to upload, download or ask, and
     * what the user's other devices are at. Reserves nothing, and needs no access to the product. The intents `exit`,
     * `suspend` and `resume` are remembered for the plans of other devices.
     * `POST /api/v1/library/savegames/plan`
     */
    planSaves(attributes, options = {}) {
        return this.answer({ method: "POST", path: "/api/v1/library/savegames/plan", attributes, isRead: true }, options);
    }
    /**
     * Returns the policy of a product.
     * Says which files of a game are saved, what belongs together, and the limits. A product without a policy has the
     * default one, with the revision 0.
     * `GET /api/v1/library/savegames/policy/{product_id}`
     */
    getPolicy(productId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/savegames/policy/${encodeURIComponent(productId)}` }, options);
    }
    /**
     * Returns whether saves of a product are synchronised without being asked.
     * The preference of the account counts as well: both have to be on.
     * `GET /api/v1/library/savegames/policy/{product_id}/me`
     */
    getProductPreference(productId, options = {}) {
        return this.answer({ method: "GET", path: `/api/v1/library/savegames/policy/${encodeURIComponent(productId)}/me` }, options);
    }
    /**
     * Sets whether saves of a product are synchronised without being asked.
     * Where they are not, plans answer `none` unless the intent is `manual`.
     * `PUT /api/v1/library/savegames/policy/{product_id}/me`
     */
    putProductPreference(productId, attributes, options = {}) {
        return this.answer({ method: "PUT", path: `/api/v1/library/savegames/policy/${encodeURIComponent(productId)}/me`, attributes }, options);
    }
    /**
     * Returns whether the account's saves are synchronised without being asked.
     * A product can be switched off by itself.
     * `GET /api/v1/library/savegames/preferences`
     */
    getPreferences(options = {}) {
        return this.answer({ method: "GET", path: "/api/v1/library/savegames/preferences" }, options);
    }
    /**
     * Sets whether the account's saves are synchronised without being asked.
     * Where they are not, plans answer `none` unless the intent is `manual`.
     * `PUT /api/v1/library/savegames/preferences`
     */
    putPreferences(attributes, options = {}) {
        return this.answer({ method: "PUT", path: "/api/v1/library/savegames/preferences", attributes }, options);
    }
}
/** The events of the WebSocket, for clients that cannot use one. */
export class EventsCalls extends Calls {
    /**
     * Lists events.
     * Returns the messages of the WebSocket after a cursor, for clients that cannot hold a connection. Without a cursor
     * the list is empty, and `meta.cursor` is the cursor to start at. A single `resync.required` means that messages are
     * missing: read the resources again.
     * `GET /api/v1/library/events`
     */
    listEvents(query = {}, options = {}) {
        return this.answer({ method: "GET", path: "/api/v1/library/events", query }, options);
    }
}
/** The methods that call an operation, one per operation of the API. */
export const METHODS = [
    "acceptLink",
    "addWish",
    "beginUpload",
    "cancelUpload",
    "claimItem",
    "commitUpload",
    "confirmUpload",
    "createCategory",
    "declineLink",
    "deleteCategory",
    "deleteSave",
    "deleteSettings",
    "downloadSave",
    "endSession",
    "getConflict",
    "home",
    "getItem",
    "getLink",
    "getPolicy",
    "getPreferences",
    "getProductPreference",
    "getQuota",
    "getSave",
    "getSession",
    "getSettings",
    "getUpload",
    "importAchievements",
    "importSessions",
    "inviteMember",
    "listAchievements",
    "listCategories",
    "listConflicts",
    "listDays",
    "listDifferences",
    "listEvents",
    "listFiles",
    "listItems",
    "listLayers",
    "listLinks",
    "listRarities",
    "listSaves",
    "listSeats",
    "listSessions",
    "listSettings",
    "listUploads",
    "listVersions",
    "listWishes",
    "orderWishes",
    "patchSettings",
    "planSaves",
    "putPreferences",
    "putProductPreference",
    "putSettings",
    "recordHeartbeat",
    "removeWish",
    "removeWishOfProduct",
    "reportProgress",
    "reportProgressByName",
    "reportSynced",
    "requestDownloadUrl",
    "requestUploadUrl",
    "resolveConflict",
    "restoreVersion",
    "revokeLink",
    "startSession",
    "summarizeAchievements",
    "summarizePlaytime",
    "undeleteSave",
    "unlockAchievement",
    "unlockAchievementByName",
    "updateCategory",
    "updateItem",
    "updateItems",
    "updateLink",
    "updateVersion",
    "updateWish",
];

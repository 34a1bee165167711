"""The calls of the service, by domain.

Written by clients/python/generate.py from the OpenAPI document; not to be edited.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gameshelf.client.answers import LibraryAnswer
from gameshelf.client.groups import AnyId, CallGroup, segment
from gameshelf.client.paging import Pages

if TYPE_CHECKING:  # their classes take time to import, which a game need not spend
    from gameshelf.client.schemas import (
        AchievementRarity,
        Breakdown,
        BulkChanges,
        CategoryChanges,
        ChangedItem,
        ClaimProduct,
        ConfirmUpload,
        Direction,
        DownloadSet,
        FamilyLink,
        FamilySeat,
        GameSettings,
        GameSettingsLayer,
        GameSettingsSummary,
        HiddenFilter,
        Home,
        ImportAchievements,
        ImportedAchievement,
        ImportedSession,
        ImportSessions,
        InstallationStatus,
        ItemChanges,
        ItemPart,
        ItemSort,
        LibraryEvent,
        LibraryItem,
        LinkChanges,
        LinkStatus,
        NewCategory,
        NewLink,
        NewSet,
        NewSettings,
        NewUpload,
        NewWish,
        Order,
        Period,
        PlanSaves,
        Playtime,
        PlaytimeDay,
        PlaytimeSession,
        Preference,
        PresignedDownloadUrl,
        PresignedUploadUrl,
        ProductAchievements,
        ReportProgress,
        Resolve,
        Restore,
        Savegame,
        SavegameConflict,
        SavegameDifference,
        SavegameDownload,
        SavegameFile,
        SavegamePlan,
        SavegamePolicy,
        SavegamePreference,
        SavegameQuota,
        SavegameUpload,
        SavegameVersion,
        SessionStatus,
        SettingsPatch,
        SharedFilter,
        StartSession,
        Synced,
        UserAchievementStatus,
        UserCategory,
        VersionChanges,
        WishChanges,
        WishlistItem,
    )


class FamilyCalls(CallGroup):
    """Family sharing: links between an owner and a member, and the seats of shared copies."""

    def list_links(
        self,
        *,
        direction: "Direction | None" = None,
        status: "Sequence[LinkStatus] | None" = None,
        limit: int | None = None,
    ) -> "Pages[FamilyLink]":
        """Lists the family links.

        Returns a page of the links of the user, as owner and as member, the newest first.
        """
        return self._pages("family/links", {"direction": direction, "status": status, "limit": limit})

    async def invite_member(self, attributes: "NewLink", *, key: str | None = None) -> "LibraryAnswer[FamilyLink]":
        """Invites a member.

        Offers games to another user, who has to accept. An owner may have `FAMILY_MAX_MEMBERS` links that are
        active or pending, and may invite the same user three times in 24 hours.
        """
        return await self._send("POST", "family/links", attributes=attributes, takes_key=True, key=key)

    async def get_link(self, link_id: AnyId) -> "LibraryAnswer[FamilyLink]":
        """Returns a family link.

        Only the owner and the member see a link; for everybody else it does not exist.
        """
        return await self._send("GET", f"family/links/{segment(link_id)}")

    async def update_link(self, link_id: AnyId, attributes: "LinkChanges") -> "LibraryAnswer[FamilyLink]":
        """Changes the shared games of a link.

        Only the owner may do so. A field that is left out stays as it is.
        """
        return await self._send("PATCH", f"family/links/{segment(link_id)}", attributes=attributes)

    async def accept_link(self, link_id: AnyId, *, key: str | None = None) -> "LibraryAnswer[FamilyLink]":
        """Accepts an invitation.

        Only the member may do so. The shared games are in their library at once.
        """
        return await self._send("POST", f"family/links/{segment(link_id)}/accept", takes_key=True, key=key)

    async def decline_link(self, link_id: AnyId, *, key: str | None = None) -> "LibraryAnswer[FamilyLink]":
        """Declines an invitation.

        Only the member may do so.
        """
        return await self._send("POST", f"family/links/{segment(link_id)}/decline", takes_key=True, key=key)

    async def revoke_link(self, link_id: AnyId, *, key: str | None = None) -> "LibraryAnswer[FamilyLink]":
        """Ends a link.

        The owner or the member may do so. Running sessions on shared copies end at once.
        """
        return await self._send("POST", f"family/links/{segment(link_id)}/revoke", takes_key=True, key=key)

    async def list_seats(self) -> "LibraryAnswer[list[FamilySeat]]":
        """Lists the seats that are taken.

        Shows who plays shared copies now: copies of the user, and copies of owners who share with them.
        """
        return await self._send("GET", "family/seats")


class LibraryCalls(CallGroup):
    """The library of the user: items, and the categories that they are sorted into."""

    def list_items(
        self,
        *,
        status: "Sequence[InstallationStatus] | None" = None,
        category_id: AnyId | None = None,
        search: str | None = None,
        sort_by: "ItemSort | None" = None,
        include_hidden: "HiddenFilter | None" = None,
        shared: "SharedFilter | None" = None,
        product_ids: "Sequence[AnyId] | None" = None,
        product_type: Sequence[str] | None = None,
        uncategorized: bool | None = None,
        played: bool | None = None,
        device_id: str | None = None,
        limit: int | None = None,
        include: "Sequence[ItemPart] | None" = None,
    ) -> "Pages[LibraryItem]":
        """Lists the library.

        Returns a page of the games that the user owns, or that a family member shares with them. All filters have
        to match. Hidden items are left out unless `include_hidden` selects them. With the `ETag` of an earlier page
        as `If-None-Match` the response is 304 while nothing has changed. `include` adds to each item what other
        parts of the library know of its product.
        """
        return self._pages(
            "items",
            {
                "status": status,
                "category_id": category_id,
                "search": search,
                "sort_by": sort_by,
                "include_hidden": include_hidden,
                "shared": shared,
                "product_ids": product_ids,
                "product_type": product_type,
                "uncategorized": uncategorized,
                "played": played,
                "device_id": device_id,
                "limit": limit,
                "include": include,
            },
            has_etag=True,
        )

    async def claim_item(self, attributes: "ClaimProduct", *, key: str | None = None) -> "LibraryAnswer[LibraryItem]":
        """Claims a free-to-play product.

        Adds a product to the library that is free to play according to the Catalog. Any other known product is
        refused with 403, an unknown one with 404.
        """
        return await self._send("POST", "items", attributes=attributes, takes_key=True, key=key)

    async def get_item(
        self, item_id: AnyId, *, device_id: str | None = None, include: "Sequence[ItemPart] | None" = None
    ) -> "LibraryAnswer[LibraryItem]":
        """Returns an item of the library.

        This includes hidden items. The `ETag` changes whenever the response does; as `If-Match` of a change it
        compares only the fields that the user can change. `include` adds what other parts of the library know of
        the product.
        """
        return await self._send(
            "GET", f"items/{segment(item_id)}", query={"device_id": device_id, "include": include}, has_etag=True
        )

    async def update_item(
        self, item_id: AnyId, attributes: "ItemChanges", *, if_match: str | None = None
    ) -> "LibraryAnswer[LibraryItem]":
        """Changes an item of the library.

        Hides it, replaces or edits its categories, or sets its installation on one device or on all devices. A
        field that is left out stays as it is. After a 412 `errors[0].meta.current` has the current item.
        """
        return await self._send(
            "PATCH", f"items/{segment(item_id)}", attributes=attributes, headers={"If-Match": if_match}
        )

    async def update_items(
        self, attributes: "BulkChanges", *, key: str | None = None
    ) -> "LibraryAnswer[list[ChangedItem]]":
        """Changes up to 500 items.

        All changes are committed together, and each has a result, in the order of the request. An item that can't
        be changed is rejected, and does not affect the others.
        """
        return await self._send("POST", "items/bulk", attributes=attributes, takes_key=True, key=key)

    def list_categories(self, *, limit: int | None = None) -> "Pages[UserCategory]":
        """Lists the categories.

        Returns a page of the categories of the user, by their display order.
        """
        return self._pages("categories", {"limit": limit})

    async def create_category(
        self, attributes: "NewCategory", *, key: str | None = None
    ) -> "LibraryAnswer[UserCategory]":
        """Creates a category.

        A user may have up to 200 categories. Names are compared without regard to case and spacing.
        """
        return await self._send("POST", "categories", attributes=attributes, takes_key=True, key=key)

    async def update_category(self, category_id: AnyId, attributes: "CategoryChanges") -> "LibraryAnswer[UserCategory]":
        """Renames or moves a category.

        A field that is left out stays as it is.
        """
        return await self._send("PATCH", f"categories/{segment(category_id)}", attributes=attributes)

    async def delete_category(self, category_id: AnyId) -> "LibraryAnswer[None]":
        """Deletes a category.

        The items in it stay in the library.
        """
        return await self._send("DELETE", f"categories/{segment(category_id)}")


class HomeCalls(CallGroup):
    """The first screen of a launcher, in one request."""

    async def get_home(self, *, device_id: str | None = None) -> "LibraryAnswer[Home]":
        """Returns the first screen of a launcher.

        The games that were played last with achievements, recent playtime and the state of their saves, the latest
        additions, what is played now, open conflicts, wishes on sale and the storage of saves. Each list has up to
        10 entries. `meta.cursor` is the cursor of the feed from which to follow changes. With the `ETag` of an
        earlier response as `If-None-Match` the response is 304 while nothing has changed.
        """
        return await self._send("GET", "home", query={"device_id": device_id}, has_etag=True)


class AchievementsCalls(CallGroup):
    """Achievements of products: progress, unlocks and rarity."""

    async def list_achievements(self, product_id: AnyId) -> "LibraryAnswer[list[UserAchievementStatus]]":
        """Lists the achievements of a product.

        Returns every achievement of the product, with the progress of the user. The list is empty for a product
        without achievements.
        """
        return await self._send("GET", f"achievements/status/{segment(product_id)}")

    async def list_rarities(self, product_id: AnyId) -> "LibraryAnswer[list[AchievementRarity]]":
        """Lists the rarity of the achievements of a product.

        The user need not own the product, so a store page can show the list.
        """
        return await self._send("GET", f"achievements/rarity/{segment(product_id)}")

    async def report_progress(
        self, achievement_id: AnyId, attributes: "ReportProgress", *, key: str | None = None
    ) -> "LibraryAnswer[UserAchievementStatus]":
        """Reports progress.

        Needs access to the product. Progress never goes back; an achievement unlocks when its target is reached.
        `meta.newly_unlocked` shows whether this report has unlocked it.
        """
        return await self._send(
            "POST", f"achievements/{segment(achievement_id)}/progress", attributes=attributes, takes_key=True, key=key
        )

    async def report_progress_by_name(
        self, product_id: AnyId, api_name: str, attributes: "ReportProgress", *, key: str | None = None
    ) -> "LibraryAnswer[UserAchievementStatus]":
        """Reports progress by name.

        Works like the report by id, but the achievement is named by its product and by the name that the developer
        of the game uses.
        """
        return await self._send(
            "POST",
            f"achievements/by-name/{segment(product_id)}/{segment(api_name)}/progress",
            attributes=attributes,
            takes_key=True,
            key=key,
        )

    async def unlock_achievement(
        self, achievement_id: AnyId, *, key: str | None = None
    ) -> "LibraryAnswer[UserAchievementStatus]":
        """Unlocks an achievement.

        Needs access to the product. An achievement that is unlocked already is refused with 409.
        """
        return await self._send("POST", f"achievements/{segment(achievement_id)}/unlock", takes_key=True, key=key)

    async def unlock_achievement_by_name(
        self, product_id: AnyId, api_name: str, *, key: str | None = None
    ) -> "LibraryAnswer[UserAchievementStatus]":
        """Unlocks an achievement by name.

        Works like the unlock by id, but the achievement is named by its product and by the name that the developer
        of the game uses.
        """
        return await self._send(
            "POST", f"achievements/by-name/{segment(product_id)}/{segment(api_name)}/unlock", takes_key=True, key=key
        )

    async def import_achievements(
        self, attributes: "ImportAchievements", *, key: str | None = None
    ) -> "LibraryAnswer[list[ImportedAchievement]]":
        """Imports offline progress.

        Accepts up to 100 unlocks and progress reports. Each has a result, in the order of the request; a rejected
        one does not affect the others.
        """
        return await self._send("POST", "achievements/import", attributes=attributes, takes_key=True, key=key)

    def summarize_achievements(
        self, *, product_ids: "Sequence[AnyId] | None" = None, limit: int | None = None
    ) -> "Pages[ProductAchievements]":
        """Returns the progress on each product.

        Returns a page of the products with achievements, the one with the latest unlock first.
        """
        return self._pages("achievements/summary", {"product_ids": product_ids, "limit": limit})


class WishlistCalls(CallGroup):
    """The products that a user wishes for, and the conditions of notifications."""

    def list_wishes(self, *, limit: int | None = None) -> "Pages[WishlistItem]":
        """Lists the wishlist.

        Returns a page of the wishlist by priority, and then by the time of adding.
        """
        return self._pages("wishlist/items", {"limit": limit})

    async def add_wish(self, attributes: "NewWish", *, key: str | None = None) -> "LibraryAnswer[WishlistItem]":
        """Adds a product to the wishlist.

        The Catalog need not have named the product yet. The user is notified of sales that meet all conditions of
        the item.
        """
        return await self._send("POST", "wishlist/items", attributes=attributes, takes_key=True, key=key)

    async def update_wish(self, item_id: AnyId, attributes: "WishChanges") -> "LibraryAnswer[WishlistItem]":
        """Changes an item of the wishlist.

        A field that is left out stays as it is; null clears it.
        """
        return await self._send("PATCH", f"wishlist/items/{segment(item_id)}", attributes=attributes)

    async def remove_wish(self, item_id: AnyId) -> "LibraryAnswer[None]":
        """Removes an item from the wishlist.

        The item is named by its own id.
        """
        return await self._send("DELETE", f"wishlist/items/{segment(item_id)}")

    async def remove_wish_of_product(self, product_id: AnyId) -> "LibraryAnswer[None]":
        """Removes a product from the wishlist.

        The item is named by its product.
        """
        return await self._send("DELETE", f"wishlist/items/by-product/{segment(product_id)}")

    async def order_wishes(self, attributes: "Order") -> "LibraryAnswer[list[WishlistItem]]":
        """Orders the whole wishlist.

        Every item has to be named once; a list that is out of date is refused with 400. The response is the first
        page in the new order.
        """
        return await self._send("PUT", "wishlist/order", attributes=attributes)


class PlaytimeCalls(CallGroup):
    """Sessions of playing, and how long products were played."""

    async def start_session(
        self, attributes: "StartSession", *, key: str | None = None
    ) -> "LibraryAnswer[PlaytimeSession]":
        """Starts a session.

        Needs access to the product. On a shared game it takes the seat of the copy. If the device plays the product
        already, its running session is returned with 200.
        """
        return await self._send("POST", "playtime/sessions/start", attributes=attributes, takes_key=True, key=key)

    async def record_heartbeat(self, session_id: AnyId) -> "LibraryAnswer[None]":
        """Records a heartbeat.

        Keeps a session running: send one every `PLAYTIME_HEARTBEAT_INTERVAL_SECONDS`. The header `X-Seat-Lost-At`
        contains the time when the session has to end because the owner wants to play. An `Idempotency-Key` is
        ignored.
        """
        return await self._send("POST", f"playtime/sessions/{segment(session_id)}/heartbeat")

    async def end_session(self, session_id: AnyId, *, key: str | None = None) -> "LibraryAnswer[PlaytimeSession]":
        """Ends a session.

        A session that has ended already is returned as it is.
        """
        return await self._send("POST", f"playtime/sessions/{segment(session_id)}/end", takes_key=True, key=key)

    async def import_sessions(
        self, attributes: "ImportSessions", *, key: str | None = None
    ) -> "LibraryAnswer[list[ImportedSession]]":
        """Imports sessions that were played offline.

        Accepts up to 100 sessions. Each has a result, in the order of the request; a rejected one does not affect
        the others.
        """
        return await self._send("POST", "playtime/sessions/import", attributes=attributes, takes_key=True, key=key)

    def summarize_playtime(
        self,
        *,
        product_ids: "Sequence[AnyId] | None" = None,
        period: "Period | None" = None,
        by: "Breakdown | None" = None,
        limit: int | None = None,
    ) -> "Pages[Playtime]":
        """Returns the playtime of each product.

        Returns a page of the products that the user has played, the last played first. With `by=platform` each
        element is about one product on one platform (`platformPlaytime`).
        """
        return self._pages("playtime", {"product_ids": product_ids, "period": period, "by": by, "limit": limit})

    def list_sessions(
        self, *, product_id: AnyId | None = None, status: "SessionStatus | None" = None, limit: int | None = None
    ) -> "Pages[PlaytimeSession]":
        """Lists the sessions.

        Returns a page of running and ended sessions, the newest first.
        """
        return self._pages("playtime/sessions", {"product_id": product_id, "status": status, "limit": limit})

    async def get_session(self, session_id: AnyId) -> "LibraryAnswer[PlaytimeSession]":
        """Returns a session.

        The session may be running, or may have ended.
        """
        return await self._send("GET", f"playtime/sessions/{segment(session_id)}")

    async def list_days(
        self,
        *,
        product_ids: "Sequence[AnyId] | None" = None,
        since: str | None = None,
        until: str | None = None,
        tz: str | None = None,
    ) -> "LibraryAnswer[list[PlaytimeDay]]":
        """Returns the playtime of each day.

        Returns seconds per day and product of the last 14 days, or of up to 366 days. Days without play are left
        out.
        """
        return await self._send(
            "GET", "playtime/daily", query={"product_ids": product_ids, "since": since, "until": until, "tz": tz}
        )


class SettingsCalls(CallGroup):
    """Settings of games, in layers: one of the account, and overlays of platforms and devices."""

    def list_settings(self, *, since: str | None = None, limit: int | None = None) -> "Pages[GameSettingsSummary]":
        """Lists the games with settings.

        Returns a page of the games that the user has settings of, the last changed first. With `since` it includes
        games whose settings were deleted.
        """
        return self._pages("settings", {"since": since, "limit": limit})

    async def list_layers(self, product_id: AnyId) -> "LibraryAnswer[list[GameSettingsLayer]]":
        """Lists the layers of the settings of a game.

        The payloads are left out. A new device can adopt the settings of another one by this list, and unused
        layers can be deleted.
        """
        return await self._send("GET", f"settings/{segment(product_id)}/layers")

    async def get_settings(
        self, product_id: AnyId, *, platform: str | None = None, device_id: str | None = None
    ) -> "LibraryAnswer[GameSettings]":
        """Returns the settings of a game.

        Returns the layer of the account, merged with the overlays of the platform and of the device that the query
        names.
        """
        return await self._send(
            "GET",
            f"settings/{segment(product_id)}",
            query={"platform": platform, "device_id": device_id},
            has_etag=True,
        )

    async def put_settings(
        self,
        product_id: AnyId,
        attributes: "NewSettings",
        *,
        platform: str | None = None,
        device_id: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> "LibraryAnswer[GameSettings]":
        """Replaces a layer of settings.

        The query selects the overlay of a platform or of a device; without it the layer of the account is replaced.
        Needs access to the product. After a 412 `errors[0].meta.current` has the current settings.
        """
        return await self._send(
            "PUT",
            f"settings/{segment(product_id)}",
            query={"platform": platform, "device_id": device_id},
            attributes=attributes,
            headers={"If-Match": if_match, "If-None-Match": if_none_match},
        )

    async def patch_settings(
        self,
        product_id: AnyId,
        attributes: "SettingsPatch",
        *,
        platform: str | None = None,
        device_id: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> "LibraryAnswer[GameSettings]":
        """Patches a layer of settings.

        Applies a JSON Merge Patch (RFC 7396): null removes a key. Needs access to the product. After a 412
        `errors[0].meta.current` has the current settings.
        """
        return await self._send(
            "PATCH",
            f"settings/{segment(product_id)}",
            query={"platform": platform, "device_id": device_id},
            attributes=attributes,
            headers={"If-Match": if_match, "If-None-Match": if_none_match},
        )

    async def delete_settings(
        self,
        product_id: AnyId,
        *,
        platform: str | None = None,
        device_id: str | None = None,
        if_match: str | None = None,
    ) -> "LibraryAnswer[None]":
        """Deletes settings of a game.

        Deletes the overlay that the query names; without a query all layers.
        """
        return await self._send(
            "DELETE",
            f"settings/{segment(product_id)}",
            query={"platform": platform, "device_id": device_id},
            headers={"If-Match": if_match},
        )


class SavegamesCalls(CallGroup):
    """Cloud saves: versions, uploads, conflicts and quota. The bytes go directly to the object store and back."""

    def list_saves(
        self, *, product_id: AnyId | None = None, trashed: bool | None = None, limit: int | None = None
    ) -> "Pages[Savegame]":
        """Lists the saves.

        Returns a page of the heads of the saves, the last uploaded first; with `trashed=true` of the saves in the
        trash.
        """
        return self._pages("savegames", {"product_id": product_id, "trashed": trashed, "limit": limit})

    async def get_quota(self) -> "LibraryAnswer[SavegameQuota]":
        """Returns the quota.

        Returns the bytes that the saves of the user use, also by product, and the limits.
        """
        return await self._send("GET", "savegames/quota")

    async def get_save(self, savegame_id: AnyId) -> "LibraryAnswer[Savegame]":
        """Returns a save.

        The save is described by its head.
        """
        return await self._send("GET", f"savegames/{segment(savegame_id)}")

    async def delete_save(self, savegame_id: AnyId, *, permanent: bool | None = None) -> "LibraryAnswer[None]":
        """Deletes a save.

        Puts the save into the trash; with `permanent=true` deletes it at once, from the trash too.
        """
        return await self._send("DELETE", f"savegames/{segment(savegame_id)}", query={"permanent": permanent})

    def list_versions(self, savegame_id: AnyId, *, limit: int | None = None) -> "Pages[SavegameVersion]":
        """Lists the versions of a save.

        Returns a page of its history, a tree in which each version names its parents. It includes versions without
        bytes, which were pruned.
        """
        return self._pages(f"savegames/{segment(savegame_id)}/versions", {"limit": limit})

    async def request_download_url(
        self, savegame_id: AnyId, *, version: int | None = None, device_id: str | None = None
    ) -> "LibraryAnswer[PresignedDownloadUrl]":
        """Returns a URL for a download.

        Returns a presigned URL of the head, or of the version that the query names. Needs access to the product. A
        device that has stored the bytes reports that by `/synced`.
        """
        return await self._send(
            "GET", f"savegames/{segment(savegame_id)}/download-url", query={"version": version, "device_id": device_id}
        )

    async def report_synced(
        self, savegame_id: AnyId, attributes: "Synced", *, key: str | None = None
    ) -> "LibraryAnswer[None]":
        """Reports that a device has a version.

        The device's next upload without a base version is based on this version.
        """
        return await self._send(
            "POST", f"savegames/{segment(savegame_id)}/synced", attributes=attributes, takes_key=True, key=key
        )

    async def restore_version(
        self, savegame_id: AnyId, attributes: "Restore", *, key: str | None = None
    ) -> "LibraryAnswer[Savegame]":
        """Restores a version.

        Makes a new head from the bytes of an older version, or of some units of it. No version is lost. A device
        has the new head only once it reports that by `/synced`.
        """
        return await self._send(
            "POST", f"savegames/{segment(savegame_id)}/restore", attributes=attributes, takes_key=True, key=key
        )

    async def update_version(
        self, savegame_id: AnyId, version_number: int, attributes: "VersionChanges"
    ) -> "LibraryAnswer[SavegameVersion]":
        """Changes a version.

        Pins it, so that it is never pruned, or changes its comment. A field that is left out stays as it is; null
        clears the comment.
        """
        return await self._send(
            "PATCH", f"savegames/{segment(savegame_id)}/versions/{segment(version_number)}", attributes=attributes
        )

    async def undelete_save(self, savegame_id: AnyId, *, key: str | None = None) -> "LibraryAnswer[Savegame]":
        """Takes a save out of the trash.

        If its name is taken by another save, it gets a new one.
        """
        return await self._send("POST", f"savegames/{segment(savegame_id)}/undelete", takes_key=True, key=key)

    async def request_upload_url(
        self, attributes: "NewUpload", *, key: str | None = None
    ) -> "LibraryAnswer[PresignedUploadUrl]":
        """Reserves an upload.

        Reserves quota and returns a presigned request that sends exactly these bytes to the object store. Needs
        access to the product. The same request for an upload that is open returns that upload with a new signature.
        """
        return await self._send("POST", "savegames/upload-url", attributes=attributes, takes_key=True, key=key)

    async def confirm_upload(self, attributes: "ConfirmUpload", *, key: str | None = None) -> "LibraryAnswer[Savegame]":
        """Confirms an upload.

        Verifies the bytes that were sent to the object store, and makes a version of them. An upload that is not
        based on the head is kept as a branch and answered with 409; the meta of the error describes both sides.
        Confirming again returns the same result for 30 days. If the verification takes longer than 20 seconds, the
        response is 202; ask again. An upload of a set is confirmed as well, in the way of `/commit`.
        """
        return await self._send("POST", "savegames/confirm-upload", attributes=attributes, takes_key=True, key=key)

    async def begin_upload(self, attributes: "NewSet", *, key: str | None = None) -> "LibraryAnswer[SavegameUpload]":
        """Reserves an upload of files.

        Takes all files of a save, or what changed against a version (`put`, `remove`, `set_sha256`). Reserves
        quota, and returns presigned requests for the contents that the user does not have yet. Needs access to the
        product. The same request for an upload that is open returns that upload with new signatures. A save that is
        a single file has one entry, whose path is null.
        """
        return await self._send("POST", "savegames/uploads", attributes=attributes, takes_key=True, key=key)

    def list_uploads(self, *, product_id: AnyId | None = None, limit: int | None = None) -> "Pages[SavegameUpload]":
        """Lists the open uploads.

        Returns a page of the uploads that can still be confirmed, the oldest first. The list has no URLs; a single
        upload has one.
        """
        return self._pages("savegames/uploads", {"product_id": product_id, "limit": limit})

    async def get_upload(self, upload_id: AnyId) -> "LibraryAnswer[SavegameUpload]":
        """Returns an upload.

        Returns its state, and new presigned requests for what has not arrived, 100 at most. The upload can then be
        confirmed until an hour after those URLs have expired.
        """
        return await self._send("GET", f"savegames/uploads/{segment(upload_id)}")

    async def cancel_upload(self, upload_id: AnyId) -> "LibraryAnswer[None]":
        """Cancels an upload.

        This releases the quota that it had reserved.
        """
        return await self._send("DELETE", f"savegames/uploads/{segment(upload_id)}")

    async def commit_upload(self, upload_id: AnyId, *, key: str | None = None) -> "LibraryAnswer[Savegame]":
        """Commits an upload.

        Verifies what was sent to the object store, and makes a version of it: of all files, or of none. An upload
        that is not based on the head is kept as a branch and answered with 409. 422 names what is missing
        (`meta.missing`) and what is wrong (`meta.mismatched`); the upload stays open, and only that has to be sent
        again. If the verification takes longer than 20 seconds, the response is 202; ask again, what is verified
        stays.
        """
        return await self._send("POST", f"savegames/uploads/{segment(upload_id)}/commit", takes_key=True, key=key)

    def list_files(self, savegame_id: AnyId, version_number: int, *, limit: int | None = None) -> "Pages[SavegameFile]":
        """Lists the files of a version.

        Returns a page of the files, by their paths; `limit` may be up to 1,000. A save that is a single file has
        one, whose path is null.
        """
        return self._pages(
            f"savegames/{segment(savegame_id)}/versions/{segment(version_number)}/files", {"limit": limit}
        )

    async def download_save(
        self, savegame_id: AnyId, attributes: "DownloadSet", *, key: str | None = None
    ) -> "LibraryAnswer[SavegameDownload]":
        """Returns the files of a version, with URLs.

        Returns all files of the head, or of the version that the request names, and presigned URLs for the bytes
        that the device does not have (`have`, `have_version`), 100 at most. With `want` it returns those files
        alone. Needs access to the product. A device that has stored the bytes reports that by `/synced`.
        """
        return await self._send(
            "POST", f"savegames/{segment(savegame_id)}/download", attributes=attributes, takes_key=True, key=key
        )

    def list_conflicts(self, *, product_id: AnyId | None = None, limit: int | None = None) -> "Pages[SavegameConflict]":
        """Lists the open conflicts.

        Returns a page of the conflicts with both of their sides, the oldest first.
        """
        return self._pages("savegames/conflicts", {"product_id": product_id, "limit": limit})

    async def get_conflict(self, conflict_id: AnyId) -> "LibraryAnswer[SavegameConflict]":
        """Returns a conflict.

        Returns an open conflict with both of its sides, and the first 100 files that differ between them.
        """
        return await self._send("GET", f"savegames/conflicts/{segment(conflict_id)}")

    def list_differences(self, conflict_id: AnyId, *, limit: int | None = None) -> "Pages[SavegameDifference]":
        """Lists the differences of a conflict.

        Returns a page of the files that differ between the sides of an open conflict, by units and paths. A merge
        takes each unit from one side.
        """
        return self._pages(f"savegames/conflicts/{segment(conflict_id)}/differences", {"limit": limit})

    async def resolve_conflict(
        self, conflict_id: AnyId, attributes: "Resolve", *, key: str | None = None
    ) -> "LibraryAnswer[Savegame]":
        """Resolves a conflict.

        Keeps the branch, the head or both, or merges them: `units` names the side of each unit that both sides have
        changed, and may name others. If a side has changed since the client read the conflict, the response is 409
        and describes the current sides.
        """
        return await self._send(
            "POST",
            f"savegames/conflicts/{segment(conflict_id)}/resolve",
            attributes=attributes,
            takes_key=True,
            key=key,
        )

    async def plan_saves(self, attributes: "PlanSaves") -> "LibraryAnswer[SavegamePlan]":
        """Plans what a device has to do.

        Says for each save that the device has, and for all others of the product, whether to upload, download or
        ask, and what the user's other devices are at. Reserves nothing, and needs no access to the product. The
        intents `exit`, `suspend` and `resume` are remembered for the plans of other devices.
        """
        return await self._send("POST", "savegames/plan", attributes=attributes, is_read=True)

    async def get_policy(self, product_id: AnyId) -> "LibraryAnswer[SavegamePolicy]":
        """Returns the policy of a product.

        Says which files of a game are saved, what belongs together, and the limits. A product without a policy has
        the default one, with the revision 0.
        """
        return await self._send("GET", f"savegames/policy/{segment(product_id)}")

    async def get_product_preference(self, product_id: AnyId) -> "LibraryAnswer[SavegamePreference]":
        """Returns whether saves of a product are synchronised without being asked.

        The preference of the account counts as well: both have to be on.
        """
        return await self._send("GET", f"savegames/policy/{segment(product_id)}/me")

    async def put_product_preference(
        self, product_id: AnyId, attributes: "Preference"
    ) -> "LibraryAnswer[SavegamePreference]":
        """Sets whether saves of a product are synchronised without being asked.

        Where they are not, plans answer `none` unless the intent is `manual`.
        """
        return await self._send("PUT", f"savegames/policy/{segment(product_id)}/me", attributes=attributes)

    async def get_preferences(self) -> "LibraryAnswer[SavegamePreference]":
        """Returns whether the account's saves are synchronised without being asked.

        A product can be switched off by itself.
        """
        return await self._send("GET", "savegames/preferences")

    async def put_preferences(self, attributes: "Preference") -> "LibraryAnswer[SavegamePreference]":
        """Sets whether the account's saves are synchronised without being asked.

        Where they are not, plans answer `none` unless the intent is `manual`.
        """
        return await self._send("PUT", "savegames/preferences", attributes=attributes)


class EventsCalls(CallGroup):
    """The events of the WebSocket, for clients that cannot use one."""

    async def list_events(
        self, *, cursor: str | None = None, limit: int | None = None
    ) -> "LibraryAnswer[list[LibraryEvent]]":
        """Lists events.

        Returns the messages of the WebSocket after a cursor, for clients that cannot hold a connection. Without a
        cursor the list is empty, and `meta.cursor` is the cursor to start at. A single `resync.required` means that
        messages are missing: read the resources again.
        """
        return await self._send("GET", "events", query={"cursor": cursor, "limit": limit})

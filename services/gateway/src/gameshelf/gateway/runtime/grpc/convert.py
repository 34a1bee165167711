"""Domain values as protobuf messages."""

from datetime import datetime
from uuid import UUID

from gameshelf.achievements import Achievement, AchievementRarity
from gameshelf.gateway.runtime.encoding import decode, encode
from gameshelf.library import Access, ItemView
from gameshelf.playtime import StoredSession
from gameshelf.protos.library.v1 import achievement_service_pb2 as achievements
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as cloud_saves
from gameshelf.protos.library.v1 import game_settings_sync_service_pb2 as game_settings
from gameshelf.protos.library.v1 import library_query_service_pb2 as messages
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as playtime
from gameshelf.protos.library.v1 import wishlist_service_pb2 as wishlist
from gameshelf.savegames import OpenConflict, OpenUpload, SaveVersion, SignedRequest
from gameshelf.settings import GameView, LayerKind, LayerView, Settings
from gameshelf.wishlist import Wish
from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A time; None stays absent."""
    if moment is None:
        return None
    converted = Timestamp()
    converted.FromDatetime(moment)
    return converted


def library_item(view: ItemView) -> messages.LibraryItemInternal:
    return messages.LibraryItemInternal(
        product_id=str(view.product_id),
        added_at=timestamp(view.added_at),
        installation_status=view.installation_status,
        total_playtime_seconds=view.total_playtime_seconds,
        library_item_id=str(view.id),
        acquisition_type=view.acquisition_type,
        shared_from_user_id=str(view.shared_from_user_id or ""),
        last_played_at=timestamp(view.last_played_at),
        is_hidden=view.is_hidden,
        installed_version_id=view.installed_version_id or "",
        installations=[
            messages.Installation(
                device_id=one.device_id or "",
                installation_status=one.installation_status,
                installed_version_id=one.installed_version_id or "",
                changed_at=timestamp(one.changed_at),
            )
            for one in view.installations
        ],
    )


def access(found: Access) -> messages.CheckGameAccessResponse:
    return messages.CheckGameAccessResponse(
        has_access=found.has_access,
        acquisition_date=timestamp(found.acquired_at),
        access_type=found.access_type or "",
        shared_from_user_id=str(found.shared_from_user_id or ""),
        reason=found.reason,
    )


def playtime_session(user_id: UUID, stored: StoredSession) -> playtime.PlaytimeSession:
    return playtime.PlaytimeSession(
        session_id=str(stored.id),
        user_id=str(user_id),
        product_id=str(stored.product_id),
        device_id=stored.device_id,
        platform=stored.platform or "",
        start_time=timestamp(stored.start_time),
        status="active" if stored.end_time is None else "completed",
        end_time=timestamp(stored.end_time),
        duration_seconds=stored.duration_seconds or 0,
        end_reason=stored.end_reason or "",
        seat_number=stored.seat_number or 0,
    )


def achievement(of: Achievement) -> achievements.AchievementStatus:
    return achievements.AchievementStatus(
        achievement_id=str(of.id),
        product_id=str(of.product_id),
        api_name=of.api_name or "",
        is_unlocked=of.is_unlocked,
        unlocked_at=timestamp(of.unlocked_at),
        current_progress=of.current_progress or 0,
        target_progress=of.target or 0,
        is_hidden=of.is_hidden,
        rarity_percentage=of.rarity,
        rarity_at_unlock=of.rarity_at_unlock,
    )


def achievement_rarity(of: AchievementRarity) -> achievements.AchievementRarity:
    return achievements.AchievementRarity(
        achievement_id=str(of.id),
        product_id=str(of.product_id),
        api_name=of.api_name or "",
        is_hidden=of.is_hidden,
        rarity_percentage=of.rarity,
    )


def settings(of: Settings) -> game_settings.GameSettings:
    return game_settings.GameSettings(
        product_id=str(of.product_id),
        settings_payload=encode(of.payload).decode(),
        settings_layers=encode(of.layers).decode(),
        revision=of.revision,
        last_updated_at=timestamp(of.last_updated_at),
        last_synced_with_cloud_at=timestamp(of.last_synced_with_cloud_at),
        account_revision=of.revisions.account or 0,
        platform_revision=of.revisions.platform or 0,
        device_revision=of.revisions.device or 0,
    )


def settings_of_game(of: GameView) -> game_settings.SettingsOfGame:
    return game_settings.SettingsOfGame(
        product_id=str(of.product_id),
        revision=of.revision,
        has_account_layer=of.has_account_layer,
        overlay_count=of.overlay_count,
        last_updated_at=timestamp(of.last_updated_at),
        last_synced_with_cloud_at=timestamp(of.last_synced_with_cloud_at),
    )


def settings_layer(of: LayerView) -> game_settings.SettingsLayer:
    return game_settings.SettingsLayer(
        layer=of.layer,
        platform=(of.name or "") if of.layer == LayerKind.PLATFORM else "",
        device_id=(of.name or "") if of.layer == LayerKind.DEVICE else "",
        revision=of.revision,
        last_updated_at=timestamp(of.last_updated_at),
        last_used_at=timestamp(of.last_used_at),
    )


def save(of: SaveVersion) -> cloud_saves.SaveVersion:
    return cloud_saves.SaveVersion(
        savegame_id=str(of.slot_id),
        product_id=str(of.product_id),
        slot_name=of.slot_name,
        version=of.version,
        parent_version=of.parent_version,
        merged_version=of.merged_version,
        status=of.status,
        file_size_bytes=of.size,
        file_hash_sha256=of.content.hex(),
        client_modified_at=timestamp(of.client_modified_at),
        server_uploaded_at=timestamp(of.server_uploaded_at),
        device_id=of.device_id or "",
        comment=of.comment or "",
        is_pinned=of.is_pinned,
        playtime_seconds=of.playtime_seconds,
        content_encoding=of.content_encoding or "",
        encryption=cloud_saves.SaveEncryption(**decode(of.encryption)) if of.encryption else None,
        content_identity=of.identity.hex(),
        deleted_at=timestamp(of.deleted_at),
    )


def save_upload(of: OpenUpload, has_arrived: bool, signed: SignedRequest | None) -> cloud_saves.SaveUpload:
    waits = of.is_required and not has_arrived
    missing = cloud_saves.SaveContentUpload(
        sha256=of.content.hex(),
        size_bytes=of.size,
        method=signed.method if signed else "",
        upload_url=signed.url if signed else "",
        headers=signed.headers if signed else {},
    )
    return cloud_saves.SaveUpload(
        upload_id=str(of.id),
        savegame_id=str(of.slot_id),
        product_id=str(of.product_id),
        slot_name=of.slot_name,
        status=of.status,
        conflict_expected=of.conflict_expected,
        created_at=timestamp(of.created_at),
        expires_at=timestamp(of.expires_at),
        missing_bytes=of.size if waits else 0,
        missing_count=int(waits),
        uploads=[missing] if waits else [],
    )


def save_conflict(of: OpenConflict) -> cloud_saves.SaveConflict:
    return cloud_saves.SaveConflict(
        conflict_id=str(of.id), opened_at=timestamp(of.opened_at), head=save(of.head), branch=save(of.branch)
    )


def wish(of: Wish) -> wishlist.WishlistItem:
    return wishlist.WishlistItem(
        wishlist_item_id=str(of.id),
        product_id=str(of.product_id),
        added_at=timestamp(of.added_at),
        priority=of.priority,
        notes=of.notes or "",
        target_price_minor=of.target_price_minor,
        target_currency=of.target_currency or "",
        min_discount_percent=of.min_discount_percent,
    )

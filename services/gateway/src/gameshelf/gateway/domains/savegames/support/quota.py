"""``quota show|set|reset|top|recalculate``: a user's quota for cloud saves."""

from gameshelf.gateway.domains.savegames.changes.quota import ResetQuota, SetQuota, undo
from gameshelf.gateway.domains.savegames.use_cases import Saves
from gameshelf.gateway.runtime.grpc.calls import parse_id, parse_optional_id
from gameshelf.gateway.runtime.grpc.convert import text
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ANY, change_command, read_command
from gameshelf.gateway.runtime.support.rpc.context import (
    SupportContext,
    page_limit,
    parse_options,
)
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.savegames import (
    Limits,
    SavegameAccounts,
    SavegameQueries,
    UsageDifference,
    compare_usage,
    confirmed_differences,
    user_prefix,
)

COMMANDS = (
    read_command("quota show", "ShowQuota"),
    change_command("quota set", "SetQuota", ANY, undo),
    change_command("quota reset", "ResetQuota", ANY, undo),
    read_command("quota top", "ListTopQuotas"),
    read_command("quota recalculate", "RecalculateQuota"),
)
MAX_LIMIT_BYTES = 2**50
_CONTENTS_A_PART = 5000
"""Number of contents that one call of ``quota top`` reads."""
_OBJECTS_A_PART = 1000
_LONGEST_KEY = 1024


class Quotas:
    """Serves quotas."""

    def __init__(self, context: SupportContext, saves: Saves, limits: Limits) -> None:
        self._context = context
        self._saves = saves
        self._limits = limits

    async def ShowQuota(self, request: messages.ShowQuotaRequest, by: Identity) -> messages.ShowQuotaResponse:
        user_id = parse_id(request.user_id, "user_id")
        async with self._context.reading(user_id) as connection:
            queries = SavegameQueries(connection)
            usage, products = await queries.usage(user_id), await queries.usage_of_products(user_id)
            titles = await self._context.titles(connection, [one.product_id for one in products])
        limits = self._limits
        return messages.ShowQuotaResponse(
            used_bytes=usage.used_bytes,
            reserved_bytes=usage.reserved_bytes,
            limit_bytes=limits.quota_bytes if usage.limit_bytes is None else usage.limit_bytes,
            is_override=usage.limit_bytes is not None,
            default_limit_bytes=limits.quota_bytes,
            product_limit_bytes=limits.product_quota_bytes,
            products=[
                messages.ProductQuota(
                    product_id=str(one.product_id),
                    title=titles.get(one.product_id, ""),
                    used_bytes=one.used_bytes,
                    reserved_bytes=one.reserved_bytes,
                )
                for one in products
            ],
        )

    async def SetQuota(self, request: messages.SetQuotaRequest, by: Identity) -> messages.SetQuotaResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        if not 0 <= request.limit_bytes <= MAX_LIMIT_BYTES:
            raise InvalidInput(Problem("out_of_range", pointer="limit_bytes", params={"ge": 0, "le": MAX_LIMIT_BYTES}))
        done = await self._context.make_change(SetQuota(user_id, request.limit_bytes), options, by)
        return messages.SetQuotaResponse(result=done)

    async def ResetQuota(self, request: messages.ResetQuotaRequest, by: Identity) -> messages.ResetQuotaResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        done = await self._context.make_change(ResetQuota(user_id), options, by)
        return messages.ResetQuotaResponse(result=done)

    async def ListTopQuotas(
        self, request: messages.ListTopQuotasRequest, by: Identity
    ) -> messages.ListTopQuotasResponse:
        after = parse_optional_id(request.cursor, "cursor")
        limit = page_limit(request.limit)
        async with self._context.acquire() as connection:
            part = await SavegameAccounts(connection).top(after, _CONTENTS_A_PART, limit)
            erased = await self._context.streams.being_erased(connection, {one.user_id for one in part.users})
        usual = self._limits.quota_bytes
        return messages.ListTopQuotasResponse(
            users=[
                messages.UserQuota(
                    user_id=str(one.user_id),
                    used_bytes=one.used_bytes,
                    limit_bytes=usual if one.limit_bytes is None else one.limit_bytes,
                    is_override=one.limit_bytes is not None,
                )
                for one in part.users
                if one.user_id not in erased
            ],
            next_cursor=text(part.last_user_id),
            looked_at=part.looked_at,
        )

    async def RecalculateQuota(
        self, request: messages.RecalculateQuotaRequest, by: Identity
    ) -> messages.RecalculateQuotaResponse:
        user_id = parse_id(request.user_id, "user_id")
        prefix, after = user_prefix(user_id), request.cursor
        if after and not (after.startswith(prefix) and len(after) <= _LONGEST_KEY and "\0" not in after):
            raise InvalidInput(Problem("not_a_cursor", pointer="cursor"))
        async with self._context.reading(user_id):
            pass  # the connection is returned before the request to the store
        objects = self._saves.objects
        stored = await objects.list(prefix, after, _OBJECTS_A_PART)
        async with self._context.reading(user_id) as connection:
            contents = await SavegameAccounts(connection).contents(user_id, after, _OBJECTS_A_PART)
        found = compare_usage(stored, contents, _OBJECTS_A_PART)
        left = found.differences
        if left:
            left = confirmed_differences(found, await objects.list(prefix, after, 2 * _OBJECTS_A_PART))
        return messages.RecalculateQuotaResponse(
            next_cursor=text(found.through),
            stored_objects=found.stored_objects,
            stored_bytes=found.stored_bytes,
            counted_objects=found.counted_objects,
            counted_bytes=found.counted_bytes,
            differences=[_difference(one) for one in left],
        )


def _difference(of: UsageDifference) -> messages.QuotaDifference:
    return messages.QuotaDifference(
        key=of.key, stored_bytes=of.stored_bytes, counted_bytes=of.counted_bytes, kind=of.kind
    )

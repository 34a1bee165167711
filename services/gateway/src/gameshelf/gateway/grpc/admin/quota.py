"""``quota show|set|reset|top|recalculate``: room for saves."""

from gameshelf.gateway.admin.quota import ResetQuota, SetQuota
from gameshelf.gateway.grpc.admin.desk import Desk, change_result, parse_options, titles_of
from gameshelf.gateway.grpc.calls import parse_id
from gameshelf.gateway.identity import Identity
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.protos.library.v1 import admin_saves_pb2 as messages
from gameshelf.savegames import SavegameQueries

MAX_LIMIT_BYTES = 2**50


class Quotas:
    """Serves quotas."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def ShowQuota(self, request: messages.ShowQuotaRequest, by: Identity) -> messages.ShowQuotaResponse:
        user_id = parse_id(request.user_id, "user_id")
        async with self._desk.reading(user_id) as connection:
            queries = SavegameQueries(connection)
            usage, products = await queries.usage(user_id), await queries.usage_of_products(user_id)
            titles = await titles_of(connection, [one.product_id for one in products])
        limits = self._desk.limits
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
        done = await self._desk.changes.make(SetQuota(user_id, request.limit_bytes), options, by)
        return messages.SetQuotaResponse(result=change_result(done))

    async def ResetQuota(self, request: messages.ResetQuotaRequest, by: Identity) -> messages.ResetQuotaResponse:
        user_id, options = parse_id(request.user_id, "user_id"), parse_options(request.change)
        done = await self._desk.changes.make(ResetQuota(user_id), options, by)
        return messages.ResetQuotaResponse(result=change_result(done))

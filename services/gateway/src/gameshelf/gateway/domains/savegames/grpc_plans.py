"""Plans and policies of saves over gRPC."""

from collections.abc import Callable

from gameshelf.gateway.domains.savegames.messages import other_device_message, planned_message
from gameshelf.gateway.domains.savegames.plans import PlanNotes
from gameshelf.gateway.runtime.database import Acquire
from gameshelf.gateway.runtime.grpc.calls import (
    GrpcContext,
    erased_among,
    parse_id,
    parse_message,
    require_read,
    require_write,
)
from gameshelf.gateway.runtime.streams import UserStreams
from gameshelf.kernel.database import Connection
from gameshelf.kernel.errors import PermissionDenied
from gameshelf.protos.library.v1 import cloud_save_service_pb2 as messages
from gameshelf.savegames import PlanSaves, PolicyStore, SavegamePlans

_USER = frozenset({"user_id"})


class PlanCalls:
    """The calls of ``CloudSaveService`` that plan."""

    def __init__(
        self,
        acquire: Acquire,
        streams: UserStreams,
        make_plans: Callable[[Connection], SavegamePlans],
        notes: PlanNotes,
    ) -> None:
        self._acquire = acquire
        self._streams = streams
        self._make_plans = make_plans
        self._notes = notes

    async def PlanSaves(self, request: messages.PlanSavesRequest, context: GrpcContext) -> messages.PlanSavesResponse:
        user_id = parse_id(request.user_id, "user_id")
        require_write(user_id)  # the intent of the device is stored
        asked = parse_message(PlanSaves, request, _USER)
        async with self._acquire() as connection:
            if await erased_among(self._streams, connection, {user_id}):
                raise PermissionDenied
            plan = await self._make_plans(connection).plan(user_id, asked)
        await self._notes.note(user_id, plan)
        return messages.PlanSavesResponse(
            slots=[planned_message(one) for one in plan.slots],
            others=[other_device_message(one) for one in plan.others],
            proceed=plan.proceed,
            policy_revision=plan.policy.revision,
            auto_sync=plan.auto_sync,
        )

    async def GetSavePolicy(
        self, request: messages.GetSavePolicyRequest, context: GrpcContext
    ) -> messages.GetSavePolicyResponse:
        user_id, product_id = parse_id(request.user_id, "user_id"), parse_id(request.product_id, "product_id")
        require_read(user_id)
        async with self._acquire() as connection:
            found = await PolicyStore(connection).policy(product_id)
        return messages.GetSavePolicyResponse(
            revision=found.revision, source=found.source, policy=found.policy.model_dump_json()
        )

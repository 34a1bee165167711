"""``policy show|lint|import``: which files of a product belong to its saves."""

from collections.abc import Sequence

from gameshelf.gateway.domains.savegames.changes.policies import ImportPolicy, plain_policy, undo_import
from gameshelf.gateway.runtime.encoding import decode, encode
from gameshelf.gateway.runtime.grpc.calls import parse_id
from gameshelf.gateway.runtime.identity import Identity
from gameshelf.gateway.runtime.support.commands import ADMIN, product_change_command, read_command
from gameshelf.gateway.runtime.support.rpc.context import SupportContext, parse_options
from gameshelf.kernel.errors import InvalidInput, Problem
from gameshelf.protos.library.v1 import admin_policies_pb2 as messages
from gameshelf.savegames import (
    MAX_POLICY_BYTES,
    FindingLevel,
    PolicyDocument,
    PolicyFinding,
    PolicyStore,
    lint_document,
    lint_policy,
)

COMMANDS = (
    read_command("policy show", "GetSavePolicyOfProduct"),
    read_command("policy lint", "LintSavePolicy"),
    product_change_command("policy import", "SetSavePolicy", ADMIN, undo_import),
)


class Policies:
    """Serves policies."""

    def __init__(self, context: SupportContext) -> None:
        self._context = context

    async def GetSavePolicyOfProduct(
        self, request: messages.GetSavePolicyOfProductRequest, by: Identity
    ) -> messages.GetSavePolicyOfProductResponse:
        product_id = parse_id(request.product_id, "product_id")
        async with self._context.acquire() as connection:
            found = await PolicyStore(connection).policy(product_id)
            titles = await self._context.titles(connection, [product_id])
        return messages.GetSavePolicyOfProductResponse(
            revision=found.revision,
            source=found.source,
            policy=encode(plain_policy(found.policy)).decode(),
            title=titles.get(product_id, ""),
            findings=_findings(lint_policy(found.policy)),
        )

    async def LintSavePolicy(
        self, request: messages.LintSavePolicyRequest, by: Identity
    ) -> messages.LintSavePolicyResponse:
        document, findings = _linted(request.policy)
        return messages.LintSavePolicyResponse(
            findings=_findings(findings), policy=encode(plain_policy(document)).decode() if document else ""
        )

    async def SetSavePolicy(
        self, request: messages.SetSavePolicyRequest, by: Identity
    ) -> messages.SetSavePolicyResponse:
        product_id, options = parse_id(request.product_id, "product_id"), parse_options(request.change)
        document, findings = _linted(request.policy)
        if document is None:
            wrong = [one for one in findings if one.level is FindingLevel.ERROR]
            raise InvalidInput(*(Problem(one.rule, pointer=f"policy/{one.pointer}".rstrip("/")) for one in wrong))
        if document.mode != "off":
            document = document.model_copy(update={"mode": "sync" if request.is_approved else "backup"})
        done = await self._context.make_product_change(ImportPolicy(product_id, document), options, by)
        return messages.SetSavePolicyResponse(result=done, findings=_findings(findings))


def _linted(text: str) -> tuple[PolicyDocument | None, Sequence[PolicyFinding]]:
    """Parses and checks a policy. Raises InvalidInput for what is no JSON object of the size of a policy."""
    if len(text.encode()) > MAX_POLICY_BYTES:
        raise InvalidInput(Problem("policy_too_large", pointer="policy", params={"max_bytes": MAX_POLICY_BYTES}))
    try:
        sent = decode(text)
    except ValueError:
        raise InvalidInput(Problem("json_invalid", pointer="policy")) from None
    if not isinstance(sent, dict):
        raise InvalidInput(Problem("dict_type", pointer="policy"))
    return lint_document(sent)


def _findings(of: Sequence[PolicyFinding]) -> list[messages.SavePolicyFinding]:
    return [
        messages.SavePolicyFinding(
            level=one.level,
            pointer=one.pointer,
            rule=one.rule,
            params=encode(one.params).decode() if one.params else "",
        )
        for one in of
    ]

"""Ids on the command line: whole, or their beginning where that is the beginning of one thing only."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import click
from click.shell_completion import CompletionItem
from gameshelf.libctl import shown
from gameshelf.libctl.errors import NothingFound, Usage

_BEGINNING = re.compile("[0-9a-f]{8,31}", re.IGNORECASE)


class IdParameter(click.ParamType[UUID]):
    """The id of a kind of things, as ``libctl find`` names kinds. The service is asked for one that is shortened.

    A shell completes it from what was shown last.
    """

    name = "uuid"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        if isinstance(value, UUID):
            return value
        text = str(value).strip()
        if is_whole(text):
            return UUID(text)
        if not _BEGINNING.fullmatch(text.replace("-", "")) or (ctx is not None and ctx.resilient_parsing):
            self.fail(f"{value!r} is not a valid UUID, nor the first 8 or more characters of one", param, ctx)
        return self._of_beginning(text)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return shown_ids(self.kind)(ctx, param, incomplete)

    def _of_beginning(self, text: str) -> UUID:
        """Asks the service for the id that begins so. Raises NothingFound; Usage if several do."""
        # Imported here, so that a command whose ids are whole, and completion, don't wait for it.
        from gameshelf.libctl.client import connect
        from gameshelf.protos.library.v1.admin_finding_pb2 import FindRequest

        found = connect().call("Find", FindRequest(sought=text))
        ids = [one.id for one in found.objects if one.kind == self.kind and _begins(one.id, text)]
        called = self.kind.replace("_", " ")
        if not ids:
            raise NothingFound(f"there is no {called} whose id begins with {text}", f"libctl find {text}")
        if len(ids) > 1:
            raise Usage(f"several ids of a {called} begin with {text}: {', '.join(ids)}", "type more of the id")
        return UUID(ids[0])


def shown_ids(*kinds: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completes an id of these kinds from what was shown last: of what is no UUID, such as an order, too."""

    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [
            CompletionItem(one.id, help=one.label or None)
            for one in shown.load()
            if one.kind in kinds and one.id.casefold().startswith(incomplete.casefold())
        ]

    return complete


def is_whole(text: str) -> bool:
    """Returns whether this is an id, and not the beginning of one."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _begins(whole: str, beginning: str) -> bool:
    return whole.replace("-", "").startswith(beginning.replace("-", "").lower())


USER_ID, PRODUCT_ID, SAVE_ID = IdParameter("user"), IdParameter("product"), IdParameter("save")
UPLOAD_ID, CONFLICT_ID = IdParameter("upload"), IdParameter("conflict")
SESSION_ID, LINK_ID, LETTER_ID = IdParameter("session"), IdParameter("link"), IdParameter("dead_letter")

"""Which client asked for a change, by its own word: the device messages of the change carry it as ``origin``.

REST takes it from the header ``X-Client-Id``, gRPC from the metadata of the same name. It is kept beside the request,
as the trace is, so that whatever transaction the request opens knows it.
"""

import re
from contextvars import ContextVar

from gameshelf.kernel.errors import InvalidInput, Problem

CLIENT_ID_PATTERN = r"[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?"
"""1 to 64 printable ASCII characters, without blanks at the ends."""
_FORM = re.compile(CLIENT_ID_PATTERN)
_current: ContextVar[str | None] = ContextVar("client_id", default=None)


def set_client_id(given: str | None, field: str | None = None) -> None:
    """The request that is served now comes from this client; None: it does not say.

    ``field`` is how a refusal names it. Raises InvalidInput.
    """
    if given is not None and not _FORM.fullmatch(given):
        raise InvalidInput(Problem("bad_client_id", pointer=field))
    _current.set(given)


def current_client_id() -> str | None:
    """The client of the request that is served now; None outside of one, and where the client does not say."""
    return _current.get()

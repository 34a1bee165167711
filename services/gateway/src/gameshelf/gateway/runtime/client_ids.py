"""The id by which a client names itself: device messages about its changes carry it as ``origin``.

REST reads it from the header ``X-Client-Id``, gRPC from the metadata of the same name. It is stored in the context of
the request, like the trace, so that all transactions of the request have it.
"""

import re
from contextvars import ContextVar

from gameshelf.kernel.errors import InvalidInput, Problem

CLIENT_ID_PATTERN = r"[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?"
"""1 to 64 printable ASCII characters, without blanks at the ends."""
_FORM = re.compile(CLIENT_ID_PATTERN)
_current: ContextVar[str | None] = ContextVar("client_id", default=None)


def set_client_id(given: str | None, field: str | None = None) -> None:
    """Sets the client of the current request; None if it does not name itself.

    Raises InvalidInput, which names the value ``field``.
    """
    if given is not None and not _FORM.fullmatch(given):
        raise InvalidInput(Problem("bad_client_id", pointer=field))
    _current.set(given)


def current_client_id() -> str | None:
    """Returns the client of the current request; None outside of a request, or if the client does not name itself."""
    return _current.get()

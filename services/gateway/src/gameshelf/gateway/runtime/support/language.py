"""The language of titles in support's responses: the metadata ``accept-language``, as the header of REST.

It is stored in the context of the call, like the client's id, so that no handler has to pass it on.
"""

from contextvars import ContextVar
from typing import Any

from gameshelf.gateway.runtime.errors import Language
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

ACCEPT_LANGUAGE = "accept-language"
_MAX_CHARACTERS = 256
"""How much of the metadata is read."""
_current: ContextVar[Language] = ContextVar("support_language", default="en")


def set_language(context: Any) -> None:
    """Sets the language of the current call. English is the default: callers of earlier releases send none."""
    given = (value for name, value in context.invocation_metadata() or () if name == ACCEPT_LANGUAGE)
    preferred = parse_accept_header(str(next(given, ""))[:_MAX_CHARACTERS], LanguageAccept)
    _current.set("ru" if preferred.best_match(("en", "ru"), default="en") == "ru" else "en")


def current_language() -> Language:
    """Returns the language of the current call."""
    return _current.get()

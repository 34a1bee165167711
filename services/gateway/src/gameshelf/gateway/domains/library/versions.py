"""The versions of a user's data, as a part of ETags."""

from functools import lru_cache
from hashlib import blake2b

from gameshelf.gateway.runtime.errors import Language
from gameshelf.gateway.runtime.http.routing import Read
from pydantic import BaseModel


def versions_of(read: Read, query: BaseModel) -> str:
    """Returns a text that differs when the query, the language, the user's data, the catalog, or the links by which
    others share with the user differ.
    """
    state = read.state
    shares = f"-{short_hash(state.shares)}" if state.shares else ""
    return f"{_name(query, read.language)}-{state.version}-{state.shared_version}{shares}"


def page_key(read: Read, query: BaseModel) -> str:
    """Returns what names a user's page in the cache, whatever its versions are."""
    return f"{read.user_id} {_name(query, read.language)}"


@lru_cache(maxsize=512)
def _name(query: BaseModel, language: Language) -> str:
    return short_hash(f"{language}{query.model_dump_json()}")


def short_hash(text: str) -> str:
    """Returns a hash that is short enough for an ETag."""
    return blake2b(text.encode(), digest_size=9).hexdigest()

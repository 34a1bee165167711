"""Uploads that are open, as the service describes them: what it lacks, and the signed requests that send it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gameshelf.client.errors import ForeignAnswer


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """A signed request to the store: a content, or a part of one."""

    method: str
    url: str
    headers: Mapping[str, str]
    sha256: str
    """Of the whole content."""
    size: int
    """Of what this request sends."""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """An upload, with the requests that it still needs: the next ones, if there are many."""

    id: str
    status: str
    """``open``, or how it has ended."""
    missing_bytes: int
    """Of contents that have not arrived."""
    missing_count: int
    requests: tuple[StoreRequest, ...]
    savegame_id: str | None = None
    skipped: tuple[Mapping[str, Any], ...] = ()
    """Files that the service leaves out, since they are larger than the product's policy allows."""

    @property
    def has_all_requests(self) -> bool:
        """Whether nothing is missing once these requests have been sent."""
        return sum(one.size for one in self.requests) == self.missing_bytes

    @property
    def state(self) -> object:
        """What changes when a content or a part has arrived."""
        offered = frozenset((one.sha256, one.offset) for one in self.requests)
        return self.missing_count, self.missing_bytes, offered


def ticket_of(data: Any) -> Ticket:
    """The ticket of a ``savegameUpload``. Raises ForeignAnswer if it makes no sense."""
    try:
        said = data["attributes"]
        return Ticket(
            _text(data["id"]),
            _text(said["status"]),
            _count(said["missing_bytes"]),
            _count(said["missing_count"]),
            tuple(request for content in said["uploads"] for request in _requests(content)),
            said.get("savegame_id"),
            tuple(said.get("skipped") or ()),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ForeignAnswer("upload", 200, f"{type(error).__name__}: {error}") from error


def ticket_of_file(data: Any, sha256: str, size: int) -> Ticket:
    """The ticket of a ``presignedUploadUrl``: a save that is a single file."""
    try:
        said = data["attributes"]
        upload_id = _text(said["internal_save_id"])
        if not said["upload_required"]:  # the cloud has these bytes already
            return Ticket(upload_id, "open", 0, 0, ())
        return Ticket(upload_id, "open", size, 1, (_request({**said, "size_bytes": size}, sha256, 0),))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ForeignAnswer("upload", 200, f"{type(error).__name__}: {error}") from error


def _requests(content: Any) -> Iterator[StoreRequest]:
    digest, parts = content["sha256"], content.get("parts")
    if not parts:
        if content["upload_url"] is not None:  # else the account may not upload now
            yield _request(content, digest, 0)
        return
    size = _count(content["part_size_bytes"])
    for part in parts:
        yield _request(part, digest, _count(part["number"] - 1) * size)


def _request(said: Any, digest: str, offset: int) -> StoreRequest:
    url, headers = _text(said["upload_url"]), {_text(name): _text(value) for name, value in said["headers"].items()}
    return StoreRequest(_text(said["method"]), url, headers, _text(digest), _count(said["size_bytes"]), offset)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value

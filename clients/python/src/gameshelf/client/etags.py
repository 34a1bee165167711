"""Answers that are kept with their ETag, so that what has not changed is not sent again."""

import base64
import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A body and the ETag that it came with."""

    etag: str
    body: bytes


class EtagStore(Protocol):
    """Where answers are kept. A key names method, address, language and user."""

    def get(self, key: str) -> KeptAnswer | None:
        """What was kept last."""

    def put(self, key: str, answer: KeptAnswer) -> None:
        """Keeps an answer in place of the earlier one."""


class MemoryEtagStore:
    """Keeps the answers that were used last, up to a number and a size."""

    def __init__(self, most: int = 256, most_bytes: int = 4 * 1024**2) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[str, KeptAnswer] = OrderedDict()
        self.size = 0
        """Bytes of all bodies."""

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> KeptAnswer | None:
        """What was kept last."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, answer: KeptAnswer) -> None:
        """Keeps an answer; those that were not used for longest make room. One that is larger than all is not kept."""
        earlier = self._kept.pop(key, None)
        self.size -= len(earlier.body) if earlier else 0
        if len(answer.body) > self._most_bytes:
            return
        self._kept[key] = answer
        self.size += len(answer.body)
        while len(self._kept) > self._most or self.size > self._most_bytes:
            _, removed = self._kept.popitem(last=False)
            self.size -= len(removed.body)


def user_of(token: str) -> str:
    """Whose token it is: another user's answers are never shown. A token that cannot be read stands for itself."""
    return subject_of(token) or hashlib.sha256(token.encode()).hexdigest()


def subject_of(token: str) -> str | None:
    """The user that a token names; None if it cannot be read."""
    try:
        payload = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"])
    except (IndexError, ValueError, KeyError, TypeError):
        return None

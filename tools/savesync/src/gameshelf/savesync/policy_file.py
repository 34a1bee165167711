"""The policy that the service sent last, so that a game can be synchronised and queued without the network."""

import json
from pathlib import Path
from typing import Any

from gameshelf.savesync.errors import PolicyRefused
from gameshelf.savesync.policy import FolderPolicy


class PolicyFile:
    """The policy of a product in its state folder. A damaged file is the same as none."""

    def __init__(self, state_folder: Path) -> None:
        self._file = state_folder / "policy.json"

    def read(self) -> FolderPolicy | None:
        """The policy, or None if the service has to be asked."""
        try:
            return FolderPolicy.parse(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, PolicyRefused):
            return None

    def write(self, document: Any) -> FolderPolicy:
        """Checks a policy and keeps it. Raises PolicyRefused and keeps the earlier one."""
        policy = FolderPolicy.parse(document)
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(document), encoding="utf-8")
        new.replace(self._file)
        return policy

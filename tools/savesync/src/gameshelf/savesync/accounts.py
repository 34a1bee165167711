"""Other accounts of this machine that synchronise the same folders: what they saved is not this account's."""

from collections.abc import Collection
from glob import escape
from pathlib import Path

from gameshelf.savesync.errors import StateUnusable
from gameshelf.savesync.state import SaveState


def folder_of_another(state_folder: Path, folders: Collection[Path], own_at: float) -> Path | None:
    """A folder that another account has synchronised since this one did, or None.

    The states of accounts lie beside each other: ``<account>/<product>``.
    """
    others = state_folder.parent.parent.glob(f"*/{escape(state_folder.name)}/state.db")
    for file in sorted(others):
        if file.parent == state_folder:
            continue
        try:
            state = SaveState(file.parent)
            if max((state.applied_at(slot.slot_name) or 0 for slot in state.slots()), default=0) <= own_at:
                continue
            known = {folder for _, folder in state.folders()}
        except StateUnusable:  # of another version of this client, or damaged
            continue
        if found := next((folder for folder in folders if folder in known), None):
            return found
    return None

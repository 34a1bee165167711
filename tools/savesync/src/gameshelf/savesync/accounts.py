"""Other accounts of this machine that synchronise the same folders: what they saved is not this account's.

The states of accounts lie beside each other: ``<account>/<product>``.
"""

from collections.abc import Collection, Iterator
from glob import escape
from pathlib import Path

from gameshelf.savesync.errors import StateUnusable
from gameshelf.savesync.state import SaveState


def folder_of_another(state_folder: Path, folders: Collection[Path], own_turn: int) -> Path | None:
    """A folder that another account has synchronised since this one did, or None."""
    for state in _others(state_folder):
        try:
            if state.turn() <= own_turn:
                continue
            known = {folder.resolve() for _, folder in state.folders()}
        except StateUnusable:  # of another version of this client, or damaged
            continue
        if found := next((folder for folder in folders if folder.resolve() in known), None):
            return found
    return None


def next_turn(state: SaveState) -> int:
    """The number of a synchronisation: higher than all that the accounts of this machine have noted."""
    turns = [state.turn()]
    for other in _others(state.folder):
        try:
            turns.append(other.turn())
        except StateUnusable:
            continue
    return max(turns) + 1


def _others(state_folder: Path) -> Iterator[SaveState]:
    files = state_folder.parent.parent.glob(f"*/{escape(state_folder.name)}/state.db")
    return (SaveState(file.parent) for file in sorted(files) if file.parent != state_folder)

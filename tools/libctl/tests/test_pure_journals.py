"""The journal of a batch is one process's, until that ends."""

import pytest
from gameshelf.libctl.batches.journal import Journal
from gameshelf.libctl.errors import Precondition

UNDO = "3f0c8f0e-6f0b-4a57-9d55-1f6f1f4f2a90.undo"


def test_a_journal_that_is_in_use_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("LIBCTL_BATCHES", str(tmp_path))
    with Journal.create(UNDO, {}) as journal:
        journal.add(1, ("17",))
        for _ in range(2):  # a second one must not make room for a third one
            with pytest.raises(Precondition, match="another libctl"), Journal.create(UNDO, {}):
                pass
    with Journal.open(UNDO) as journal:
        assert sum(journal.counts().values()) == 1


def test_a_journal_without_changes_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("LIBCTL_BATCHES", str(tmp_path))
    with Journal.create(UNDO, {}):
        pass
    assert not list(tmp_path.iterdir())

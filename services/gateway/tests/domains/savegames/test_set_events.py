"""What is published and counted of sets of files that were saved."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from gameshelf.gateway.domains.savegames.after_commit import after_commit
from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.published import FORMS
from gameshelf.savegames import (
    SavegameConflicted,
    SavegameConflictResolved,
    SavegameDeleted,
    SavegameHeadMoved,
    SavegameUploaded,
)
from prometheus_client import CollectorRegistry

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def of_slot(kind, **fields):
    slot = {"product_id": uuid4(), "slot_id": uuid4(), "slot_name": "worlds"}
    return kind(user_id=uuid4(), occurred_at=NOW, **slot, **fields)


def uploaded(**fields):
    made = {"version": 3, "s3_path": "s3://saves/list", "file_size_bytes": 1000, "client_modified_at": None}
    return of_slot(SavegameUploaded, **made, is_branch=False, sent_bytes=30, **fields)


@pytest.mark.parametrize("counts", [(None, None), (1, 0), (200, 30)])
def test_an_upload_is_published_with_its_counts(counts):
    event = uploaded(file_count=counts[0], new_bytes=counts[1])
    published = FORMS[SavegameUploaded].publish(event)
    assert (published.cloud_data["fileCount"], published.cloud_data["newBytes"]) == counts
    assert (published.device_payload["file_count"], published.device_payload["new_bytes"]) == counts


@pytest.mark.parametrize("count", [None, 0, 7])
def test_a_conflict_is_published_with_the_count_of_differences(count):
    event = of_slot(SavegameConflicted, conflict_id=uuid4(), head_version=2, branch_version=3, differences_count=count)
    published = FORMS[SavegameConflicted].publish(event)
    assert published.cloud_data["differencesCount"] == count
    assert published.device_payload["file_count"] is None


def test_what_was_stored_already_is_counted():
    registry = CollectorRegistry()
    woken = asyncio.Event()
    handle = after_commit(SavegameMetrics(registry), woken)[SavegameUploaded]
    handle(uploaded())
    assert not woken.is_set()  # a single file leaves no list to write
    for event in (uploaded(file_count=200, new_bytes=30), uploaded(file_count=3, new_bytes=1000)):
        handle(event)
    assert registry.get_sample_value("savegame_dedup_bytes_total") == 970
    assert registry.get_sample_value("savegame_set_files_sum") == 203
    assert registry.get_sample_value("savegame_set_files_count") == 2
    assert woken.is_set()


def test_restores_and_merges_have_their_lists_written_at_once():
    woken = asyncio.Event()
    handlers = after_commit(SavegameMetrics(CollectorRegistry()), woken)
    resolved = {"conflict_id": uuid4(), "resolution": "merge", "copy_slot_id": None, "head_version": 4}
    for event in (of_slot(SavegameHeadMoved, version=4), of_slot(SavegameConflictResolved, **resolved)):
        handlers[type(event)](event)
        assert woken.is_set(), event
        woken.clear()
    assert SavegameDeleted not in handlers

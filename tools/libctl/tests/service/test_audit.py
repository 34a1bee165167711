"""Entries in the audit about calls that no command line makes, and about callers who are gone."""

from uuid import uuid4

import grpc
import pytest
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.gateway.runtime.support.changes import difference
from gameshelf.gateway.runtime.support.rpc.cursors import pack
from gameshelf.protos.library.v1 import (
    admin_audit_pb2,
    admin_events_pb2,
    admin_family_pb2,
    admin_playtime_pb2,
    admin_saves_pb2,
)
from gameshelf.protos.library.v1.admin_change_pb2 import ChangeOptions
from gameshelf.protos.library.v1.library_admin_service_pb2_grpc import LibraryAdminServiceStub
from google.protobuf.timestamp_pb2 import Timestamp

NEVER = Timestamp(seconds=10**15)
"""A timestamp beyond the valid range: it has no form in JSON."""


@pytest.fixture
def call(service):
    """Calls as somebody of the command line, and answers the status code."""

    def make(somebody, rpc, request):
        token = (("authorization", f"Bearer {somebody.environment['LIBCTL_TOKEN']}"),)
        with grpc.insecure_channel(service.grpc) as channel:
            try:
                getattr(LibraryAdminServiceStub(channel), rpc)(request, metadata=token, timeout=PATIENCE_SECONDS)
            except grpc.RpcError as error:
                return error.code().name
        return "OK"

    return make


def test_an_invalid_time_keeps_no_refusal_out_of_the_audit(call, staff, support):
    somebody, user = staff("user"), uuid4()
    letters = admin_events_pb2.ListDeadLettersRequest(
        filter=admin_events_pb2.DeadLetterFilter(user_id=str(user), topic="t", since=NEVER)
    )
    played = admin_playtime_pb2.ShowPlaytimeRequest(user_id=str(user), until=NEVER)
    assert call(somebody, "ListDeadLetters", letters) == "PERMISSION_DENIED"
    assert call(somebody, "ShowPlaytime", played) == "PERMISSION_DENIED"
    assert call(support, "ListDeadLetters", letters) == "INVALID_ARGUMENT"
    about = support.data("audit", "list", "--user", user)["entries"]
    assert [(one["command"], one["code"]) for one in about] == [("events dlq list", "VALIDATION_ERROR")]
    assert about[0]["target"]["topic"] == "t"
    by = support.data("audit", "list", "--actor", somebody.id)["entries"]
    assert [(one["command"], one["code"]) for one in by] == [
        ("playtime show", "PERMISSION_DENIED"),
        ("events dlq list", "PERMISSION_DENIED"),
    ]
    assert str(user) not in str([one["target"] for one in (*about, *by)])


def test_a_page_of_less_than_nothing_is_the_usual_one(call, support):
    assert call(support, "ListAudit", admin_audit_pb2.ListAuditRequest(limit=-5)) == "OK"


def test_a_place_without_a_time_zone_is_no_cursor(call, support):
    asked = admin_saves_pb2.ListSaveConflictsRequest(cursor=pack("2026-01-01T00:00:00", uuid4()))
    assert call(support, "ListSaveConflicts", asked) == "INVALID_ARGUMENT"


def test_a_moment_that_no_dry_run_has_seen_is_no_revision(call, admin):
    change = ChangeOptions(apply=True, reason="why it is done", revision="0001-01-01T00:00:00+14:00")
    asked = admin_events_pb2.ReplayDeadLettersRequest(change=change)
    assert call(admin, "ReplayDeadLetters", asked) == "FAILED_PRECONDITION"


@pytest.mark.parametrize("reason", ["", "   ", "too short"])
def test_the_service_itself_refuses_a_reason_that_says_nothing(call, support, reason):
    user = uuid4()
    revision = support.data("quota", "set", user, "2GiB")["revision"]
    change = ChangeOptions(apply=True, reason=reason, revision=revision)
    asked = admin_saves_pb2.SetQuotaRequest(user_id=str(user), limit_bytes=2 * 1024**3, change=change)
    assert call(support, "SetQuota", asked) == "INVALID_ARGUMENT"
    assert not support.data("quota", "show", user)["is_override"]


def test_who_was_erased_does_nothing_more_and_is_not_remembered(call, staff, admin, support):
    for leaver in (staff("support", "admin"), staff("user")):
        before = support.data("quota", "show", leaver.id)
        admin.applies("user", "erase", leaver.id, "--confirm", leaver.id)
        asked = admin_saves_pb2.ShowQuotaRequest(user_id=str(uuid4()))
        assert call(leaver, "ShowQuota", asked) == "UNAUTHENTICATED"
        assert before["used_bytes"] == 0
        assert support.data("audit", "list", "--actor", leaver.id)["entries"] == []


def test_ids_in_cursors_or_of_staff_are_kept_where_erasure_finds_them(call, staff, support):
    somebody, whose = staff("user"), str(uuid4())
    assert call(somebody, "ListTopQuotas", admin_saves_pb2.ListTopQuotasRequest(cursor=whose)) == "PERMISSION_DENIED"
    assert call(somebody, "ListAudit", admin_audit_pb2.ListAuditRequest(actor_id=whose)) == "PERMISSION_DENIED"
    entries = support.data("audit", "list", "--actor", somebody.id)["entries"]
    assert len(entries) == 2
    assert whose not in str(entries)


def test_a_refusal_of_a_stranger_keeps_nothing_of_the_request(call, staff, support):
    somebody, whose = staff("user"), str(uuid4())
    change = ChangeOptions(apply=True, reason=whose, ticket=whose, batch_id=whose, revision=whose)
    release = admin_family_pb2.ReleaseFamilySeatRequest(owner_user_id=whose, product_id=whose, change=change)
    assert call(somebody, "ReleaseFamilySeat", release) == "PERMISSION_DENIED"
    [entry] = support.data("audit", "list", "--actor", somebody.id)["entries"]
    assert (entry["command"], entry["code"], entry["target"]) == ("family release-seat", "PERMISSION_DENIED", {})
    assert whose not in str(entry)
    # Of staff it is evidence, and under the user, where the erasure finds it.
    assert call(support, "ReleaseFamilySeat", release) == "NOT_FOUND"
    [entry] = support.data("audit", "list", "--actor", support.id)["entries"]
    assert (entry["user_id"], entry["reason"], entry["target"]) == (whose, whose, {"product_id": whose})


def test_what_a_refusal_shows_of_a_state_fits_into_headers():
    shown = difference({"slot_name": "🎮" * 3000}, {"slot_name": "ё" * 3000})
    assert len(shown.encode()) <= 2003
    assert shown.endswith("…")

"""``libctl quota show|set|reset``, and by them the way that every change is made, audited and undone."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from gameshelf.devstack.pytest_plugin import wait_for

GIB = 1024**3


@pytest.fixture
def user():
    return uuid4()


def test_a_quota_is_shown_with_its_bar(support, user):
    assert "0 B of 1.0 GiB" in support.shows("quota", "show", user)
    quota = support.data("quota", "show", user)
    assert (quota["limit_bytes"], quota["is_override"], quota["products"]) == (GIB, False, [])


def test_a_dry_run_changes_nothing_and_says_how_to_continue(support, user):
    ran = support.run("quota", "set", user, "2GiB")
    assert ran.code == 0
    assert "limit_bytes" in ran.out
    assert str(2 * GIB) in ran.out
    assert f'libctl quota set {user} 2GiB --apply --reason "…" --revision ' in ran.err
    assert support.data("quota", "show", user)["limit_bytes"] == GIB
    assert support.data("audit", "list", "--user", user)["entries"] == []


def test_a_change_is_audited_and_taken_back_once(support, user):
    done = support.applies("quota", "set", user, "2GiB", reason="more room for a modder")
    assert (done["before"], done["after"]) == ({"limit_bytes": None}, {"limit_bytes": 2 * GIB})
    assert support.data("quota", "show", user)["limit_bytes"] == 2 * GIB
    [entry] = support.data("audit", "list", "--user", user)["entries"]
    assert entry["audit_id"] == done["audit_id"]
    assert (entry["kind"], entry["command"], entry["reason"]) == ("change", "quota set", "more room for a modder")
    assert (entry["actor_id"], entry["actor_roles"], entry["user_id"]) == (str(support.id), ["support"], str(user))
    assert (entry["target"], entry["before"], entry["after"]) == (
        {"limit_bytes": 2 * GIB},
        {"limit_bytes": None},
        {"limit_bytes": 2 * GIB},
    )

    undone = support.applies("audit", "undo", done["audit_id"], reason="it was the wrong account")
    assert undone["after"] == {"limit_bytes": None}
    assert not undone["can_undo"]
    assert not support.data("quota", "show", user)["is_override"]
    first = support.data("audit", "show", done["audit_id"])
    assert (first["undone_by"], first["can_undo"]) == (undone["audit_id"], False)
    again = support.refused("audit", "undo", done["audit_id"], "--apply", "--reason", "once more, please")
    assert again == (4, "PRECONDITION_FAILED")


def test_a_change_that_was_overtaken_is_not_taken_back(support, user):
    done = support.applies("quota", "set", user, "2GiB")
    support.applies("quota", "set", user, "3GiB")
    ran = support.run("audit", "undo", done["audit_id"], "--apply", "--reason", "it was too much")
    assert ran.code == 4
    assert '"expected":2147483648' in ran.err
    assert '"current":3221225472' in ran.err
    assert support.data("quota", "show", user)["limit_bytes"] == 3 * GIB


def test_an_overtaken_dry_run_is_not_applied(support, user):
    seen = support.data("quota", "set", user, "2GiB")["revision"]
    support.applies("quota", "set", user, "5GiB")
    words = ("quota", "set", user, "2GiB", "--apply", "--reason", "as seen in the dry run", "--revision", seen)
    assert support.refused(*words) == (4, "PRECONDITION_FAILED")
    assert support.data("quota", "show", user)["limit_bytes"] == 5 * GIB


def test_two_who_take_back_the_same_change_do_it_once(staff, user):
    done = staff("support").applies("quota", "set", user, "2GiB")
    many = [staff("support") for _ in range(4)]

    def undo(somebody):  # each a process of its own: the command line is one a process
        return somebody.process("--json", "audit", "undo", done["audit_id"], "--apply", "--reason", "twice at once")

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(undo, many))
    assert codes == [0, 4, 4, 4]
    entries = many[0].data("audit", "list", "--user", user, "--command", "audit undo", "--kind", "change")["entries"]
    assert [entry["undo_of"] for entry in entries] == [done["audit_id"]]


def test_reset_brings_the_usual_limit_back(support, user):
    support.applies("quota", "set", user, "10MB")
    done = support.applies("quota", "reset", user)
    assert done["after"] == {"limit_bytes": None}
    support.applies("audit", "undo", done["audit_id"])
    assert support.data("quota", "show", user)["limit_bytes"] == 10_000_000


@pytest.mark.parametrize("roles", [("user",), ("service",), ("user", "service")])
def test_nobody_else_may_anything_and_it_is_remembered(staff, support, user, roles):
    somebody = staff(*roles)
    assert somebody.refused("quota", "show", user) == (1, "PERMISSION_DENIED")
    assert somebody.refused("quota", "set", user, "1GB", "--apply", "--reason", "it is mine now") == (
        1,
        "PERMISSION_DENIED",
    )
    entries = support.data("audit", "list", "--actor", somebody.id)["entries"]
    assert [(one["command"], one["kind"], one["code"]) for one in entries] == [
        ("quota set", "refusal", "PERMISSION_DENIED"),
        ("quota show", "refusal", "PERMISSION_DENIED"),
    ]
    # Anyone who has a token may name any user: what they were refused is in nobody's timeline.
    assert {one["user_id"] for one in entries} == {""}
    assert support.data("audit", "list", "--user", user)["entries"] == []
    assert support.data("user", "timeline", user)["entries"] == []


def test_without_a_good_token_there_is_no_caller(support, user):
    ran = support.run("quota", "show", user, LIBCTL_TOKEN="nonsense")
    assert ran.code == 1
    assert "the token of LIBCTL_TOKEN was not accepted: it is not a JWT" in ran.err


def test_an_expired_token_says_so_and_where_it_is_from(platform, support, user, tmp_path):
    expired = platform.issuer.issue(str(support.id), ("support",), ttl=-3600)
    ran = support.run("quota", "show", user, LIBCTL_TOKEN=expired)
    assert ran.code == 1
    assert "the token of LIBCTL_TOKEN was not accepted: it expired 20" in ran.err
    assert "unset it to use the token of a profile" in ran.err
    (tmp_path / "token").write_text(expired)
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "profiles.toml").write_text(f'[default]\ntoken_file = "{tmp_path}/token"\n')
    ran = support.run("quota", "show", user, LIBCTL_TOKEN="", LIBCTL_PROFILES=str(tmp_path / "profiles.toml"))
    assert f"the token of {tmp_path}/token was not accepted: it expired" in ran.err


def test_the_http_port_of_the_service_is_named(support, service, user):
    ran = support.run("quota", "show", user, LIBCTL_ENDPOINT=service.api.split("/")[2])
    assert ran.code == 5
    assert "is an HTTP port, not the gRPC port" in ran.err


def test_all_that_was_done_for_a_ticket_is_found_by_it(admin, support, user):
    ticket = f"ZD-{user}"
    why = ("--apply", "--reason", "more room for a modder")
    ran = support.run("quota", "set", user, "2GiB", "--ticket", ticket)
    assert f"--ticket {ticket} --apply" in ran.err
    done = support.data("quota", "set", user, "2GiB", "--ticket", ticket, *why)
    undone = support.data("audit", "undo", done["audit_id"], f"--ticket={ticket}", *why)
    support.refused("library", "grant", user, user, "--ticket", ticket, *why)
    support.applies("quota", "set", user, "3GiB")
    found = support.data("audit", "list", "--ticket", ticket)["entries"]
    commands = [(one["kind"], one["command"]) for one in found]
    assert commands == [("refusal", "library grant"), ("change", "audit undo"), ("change", "quota set")]
    assert {one["ticket"] for one in found} == {ticket}
    assert found[1]["audit_id"] == undone["audit_id"]
    assert f"[{ticket}]" in support.shows("audit", "list", "--user", user)
    assert ticket in support.shows("audit", "show", done["audit_id"])
    assert support.data("audit", "list", "--ticket", "another")["entries"] == []
    admin.applies("user", "erase", user, "--confirm", user)
    wait_for(lambda: support.data("audit", "list", "--ticket", ticket)["entries"] == [])


@pytest.mark.parametrize("ticket", ["9" * 101, "two\nlines"])
def test_a_ticket_is_a_short_line(support, user, ticket):
    words = ("quota", "set", user, "2GiB", "--ticket", ticket, "--apply", "--reason", "more room for a modder")
    assert support.refused(*words)[0] == 2
    assert support.refused("audit", "list", "--ticket", "9" * 101)[0] == 2


def test_what_is_so_already_is_no_change_and_no_entry(support, user):
    support.applies("quota", "set", user, "2GiB")
    ran = support.run("quota", "set", user, "2GiB", "--apply", "--reason", "set it once more")
    assert (ran.code, ran.out.strip()) == (0, "No difference.")
    assert "Nothing to change" in ran.err
    assert "no entry" in ran.err
    done = support.data("quota", "set", user, "2GiB", "--apply", "--reason", "set it once more")
    assert (done["applied"], done["audit_id"], done["can_undo"]) == (False, "", False)
    assert len(support.data("audit", "list", "--user", user)["entries"]) == 1


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("…", "placeholder"),
        ("...", "placeholder"),
        (" “…” ", "placeholder"),
        ("no reason", "at least 10"),
        (" ", "reason"),
    ],
)
def test_a_reason_that_says_nothing_is_refused(support, user, reason, said):
    ran = support.run("quota", "set", user, "1GB", "--apply", "--reason", reason)
    assert ran.code == 2
    assert said in ran.err
    assert support.data("audit", "list", "--user", user)["entries"] == []


def test_a_reason_is_needed(support, user):
    ran = support.run("quota", "set", user, "1GB", "--apply")
    assert ran.code == 2
    assert "--reason" in ran.err


@pytest.mark.parametrize("size", ["much", "-1", "1XB"])
def test_a_bad_size_is_named(support, user, size):
    ran = support.run("quota", "set", user, "--", size)
    assert ran.code == 2
    assert "2GiB" in ran.err


def test_reasons_cannot_rewrite_the_terminal(support, user):
    ran = support.run("quota", "set", user, "1GB", "--apply", "--reason", "painted red \x1b[31m")
    assert ran.code == 2
    assert "\x1b" not in ran.err


def test_the_service_may_be_away(support, user):
    ran = support.run("quota", "show", user, LIBCTL_ENDPOINT="127.0.0.1:1")
    assert ran.code == 5
    assert "127.0.0.1:1" in ran.err

"""The error for a wrong id: it uses support's words, and names the next command."""

from uuid import uuid4

import pytest


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        ("saves versions {user} {id}", 3, "this user has no such save", "libctl saves list"),
        ("saves pin {user} {id} 1", 3, "no such version", "libctl saves versions"),
        ("conflicts show {user} {id}", 3, "no such open conflict", "libctl conflicts list"),
        ("family show {user} {id}", 3, "no such family link", "libctl family list"),
        ("family release-seat {user} {id}", 3, "no seat of this copy is in use", "libctl family seats"),
        ("achievements grant {user} {id}", 3, "no such achievement", "libctl achievements show"),
        ("settings restore {user} {id} 7", 3, "no longer kept", "libctl settings history"),
        ("settings show {user} {id} --revision 7", 3, "no longer kept", "libctl settings history"),
        ("settings history {user} {id} --cursor x", 2, "belong to this listing", "--cursor"),
        ("library grant {user} {id}", 3, "the Catalog has not announced", "check the product id"),
        ("audit show 999999999", 3, "there is no such entry", "libctl audit list"),
        ("audit list --cursor x", 2, "belong to this listing", "--cursor"),
        ("playtime show {user} --cursor x", 2, "belong to this listing", "--cursor"),
        ("audit list --command nothing", 2, "no such command", "--command"),
    ],
)
def test_a_wrong_id_is_answered_in_the_words_of_support(admin, words, code, said, hint):
    ran = admin.run("--json", *words.format(user=uuid4(), id=uuid4()).split())
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.error["message"]
    assert hint in ran.error["try"]
    assert "You" not in ran.error["message"]


def test_what_was_taken_back_is_not_taken_back_again(support):
    user = uuid4()
    done = support.applies("quota", "set", user, "1GiB")
    support.applies("audit", "undo", done["audit_id"])
    ran = support.run("audit", "undo", done["audit_id"])
    assert ran.code == 4
    assert "already undone" in ran.err


def test_a_user_of_whom_nothing_is_known_may_be_a_wrong_id(support):
    ran = support.run("user", "show", uuid4())
    assert ran.code == 0
    assert "Is the id correct?" in ran.err


def test_the_audit_fits_a_narrow_terminal_with_ids_in_one_piece(staff):
    somebody = staff("support")
    somebody.columns = 80
    user = uuid4()
    somebody.run("quota", "set", user, "1GiB", "--apply", "--reason", "a " * 40)
    shown = somebody.run("audit", "list", "--user", user).out
    assert str(user) in shown
    assert max(map(len, shown.splitlines())) <= 80

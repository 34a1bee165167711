"""Completion: scripts for the shells, and words that need no service and load no more than they must."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from gameshelf.libctl.main import cli
from gameshelf.libctl.output import Output

from .checked_shapes import check_shape


def complete(*words, **more):
    """Returns what bash gets for a word that is begun; no setting names a service."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIBCTL_")}
    environment |= {
        "_LIBCTL_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("libctl", *words)),
        "COMP_CWORD": str(len(words)),
        "LIBCTL_PROFILES": os.devnull,
        "LIBCTL_SHOWN": os.devnull,
        **more,
    }
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gameshelf.libctl"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return {line.partition(",")[2] for line in ran.stdout.splitlines()}, ran.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell):
    ran = subprocess.run(
        [sys.executable, "-m", "gameshelf.libctl", "completion", shell], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "_LIBCTL_COMPLETE" in ran.stdout
    assert f"{shell}_complete" in ran.stdout
    as_json = json.loads(CliRunner().invoke(cli, ["completion", shell, "--json"], obj=Output()).stdout)
    check_shape(("completion", shell), as_json)
    assert as_json == {"shell": shell, "script": ran.stdout.removesuffix("\n")}


def test_bash_takes_the_script():
    script = f'eval "$({sys.executable} -m gameshelf.libctl completion bash)" && complete -p libctl'
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().endswith("libctl")


def test_nouns_are_completed_without_loading_them():
    found, loaded = complete("")
    assert {"audit", "events", "quota", "user"} <= found
    assert "gameshelf.libctl.commands" not in loaded
    assert "grpc" not in loaded
    assert complete("us")[0] == {"user"}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("user", ""), {"show", "export", "erase"}),
        (("events", "dlq", ""), {"list", "replay"}),
        (("user", "erase", "--"), {"--apply", "--reason", "--revision", "--confirm", "--json"}),
        (("completion", ""), {"bash", "zsh", "fish"}),
        (("--prof",), {"--profile"}),
    ],
)
def test_verbs_and_options_are_completed(words, offered):
    assert offered <= complete(*words)[0]


def test_what_has_no_uuid_is_completed_too(tmp_path):
    file = tmp_path / "shown.json"
    batch = "3f0c8f0e-6f0b-4a57-9d55-1f6f1f4f2a90"
    remember = (
        "from gameshelf.libctl.output import Output; Output().result({'order_id': 'ORD-1', 'entries': "
        f"[{{'audit_id': 17, 'command': 'quota set', 'batch_id': '{batch}'}}, {{'audit_id': 0, 'batch_id': None}}]}})"
    )
    subprocess.run([sys.executable, "-c", remember], env={**os.environ, "LIBCTL_SHOWN": str(file)}, check=True)
    shown = {"LIBCTL_SHOWN": str(file)}
    assert complete("orders", "show", "ord", **shown)[0] == {"ORD-1"}
    assert complete("audit", "show", "", **shown)[0] == {"17"}
    assert complete("audit", "undo", "", **shown)[0] == {"17", batch}
    assert complete("audit", "list", "--batch", "3f", **shown)[0] == {batch}
    assert complete("quota", "set", "2GiB", "--batch", "", **shown)[0] == {batch}


def test_ids_are_completed_from_what_was_shown_last(tmp_path):
    user, product = "3f2b8c1e-0000-4000-8000-000000000001", "3f2b8c1e-0000-4000-8000-000000000002"
    file = tmp_path / "state" / "shown.json"
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from gameshelf.libctl.output import Output; Output().result({{'user_id': '{user}', "
            f"'items': [{{'product_id': '{product}', 'title': 'Ёлки'}}]}})",
        ],
        env={**os.environ, "LIBCTL_SHOWN": str(file)},
        check=False,
    )
    assert ran.returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert complete("access", "explain", "3f2", LIBCTL_SHOWN=str(file))[0] == {user}
    assert complete("access", "explain", user, "3f", LIBCTL_SHOWN=str(file))[0] == {product}
    assert complete("access", "explain", user, "4", LIBCTL_SHOWN=str(file))[0] <= {""}
    # A shortened id before the word asks no service.
    assert complete("access", "explain", user[:8], "", LIBCTL_SHOWN=str(file))[0] == {product}
    file.write_text("damaged")
    assert complete("access", "explain", "", LIBCTL_SHOWN=str(file))[0] <= {""}

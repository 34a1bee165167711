"""Programs that refuse to run as root, or as a user without an account, see another user."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from gameshelf.devstack import launch

WITHOUT_ACCOUNT = 3_999_999
SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin:/bin")
"""One that any user may start, unlike that of a virtual environment in a home folder."""


@pytest.mark.skipif(SYSTEM_PYTHON is None, reason="the system has no Python")
@pytest.mark.parametrize("user_id", [os.geteuid(), WITHOUT_ACCOUNT])
def test_a_server_sees_an_ordinary_user_with_an_account(user_id):
    if user_id != os.geteuid() != 0:
        pytest.skip("only root can become a user without an account")
    source = Path(launch.__file__).read_text(encoding="utf-8")
    # launch.py compares its parent with the one that it is given, so the shell stays.
    shell = f'{SYSTEM_PYTHON} -I -S -c "$0" $$ 15 1 /usr/bin/id -un; exit $?'
    started = ["sh", "-c", shell, source]
    seen = subprocess.run(started, user=user_id, cwd="/", capture_output=True, text=True, check=False)
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.strip() not in ("root", "")

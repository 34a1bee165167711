"""What a shell takes over from `./dev env`."""

import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from gameshelf.devstack.clients import addresses, past_proxies, shell_lines, welcome

SETTINGS = {
    "LIBRARY_SERVICE_HTTP_PORT": "18084",
    "LIBRARY_SERVICE_GRPC_PORT": "19094",
    "LIBRARY_SERVICE_METRICS_PORT": "19090",
}


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(
    "value", ["a b", "it's", '$HOME "x" `id` \\', "first\nsecond", "", "tauri://localhost,*", "#&;"]
)
def test_every_shell_takes_over_every_value(shell, value):
    script = 'set -a; eval "$LINES"; set +a; exec env printenv VALUE'
    environ = {"PATH": "/usr/bin:/bin", "LINES": "\n".join(shell_lines({"FIRST": "1", "VALUE": value}))}
    taken = subprocess.run([shell, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert taken.stdout == f"{value}\n"
    assert not taken.stderr


def test_the_addresses_follow_the_ports():
    assert addresses(SETTINGS) == {
        "LIBRARY_API": "http://127.0.0.1:18084/api/v1/library",
        "LIBRARY_WS": "ws://127.0.0.1:18084/api/v1/ws/library-updates",
        "LIBRARY_GRPC": "127.0.0.1:19094",
        "LIBCTL_ENDPOINT": "127.0.0.1:19094",
    }


@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "https_proxy", "all_proxy"])
def test_calls_of_this_machine_pass_no_proxy(proxy):
    both = past_proxies({proxy: "http://proxy.example:3128", "NO_PROXY": "a.example, 127.0.0.1"})
    assert both == dict.fromkeys(("NO_PROXY", "no_proxy"), "a.example,127.0.0.1,localhost")
    assert past_proxies({proxy: "", "NO_PROXY": "a.example"}) == {}


def test_the_welcome_names_a_data_directory_of_its_own():
    root = Path("/a folder")
    usual = welcome(SETTINGS, root, root / ".local", uuid4(), uuid4(), "token")
    other = welcome(SETTINGS, root, Path("/other data"), uuid4(), uuid4(), "token")
    assert "  cd '/a folder'" in usual
    assert [line for line in other if line not in usual and "DATA" in line] == [
        "  export GAMESHELF_DEV_DATA='/other data'"
    ]

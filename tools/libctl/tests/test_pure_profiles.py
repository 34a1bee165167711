"""Where the service is, and who asks."""

import pytest
from gameshelf.libctl.errors import Usage
from gameshelf.libctl.profiles import load


@pytest.fixture
def profiles(tmp_path, monkeypatch):
    """Writes the file of profiles; nothing else is set."""
    for name in ("LIBCTL_ENDPOINT", "LIBCTL_TOKEN", "LIBCTL_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "profiles.toml"
    monkeypatch.setenv("LIBCTL_PROFILES", str(file))

    def write(text, mode=0o600):
        file.write_text(text)
        file.chmod(mode)

    return write


def test_the_default_profile_needs_no_name(profiles):
    profiles('[default]\nendpoint = "library.example:443"\ntoken = "abc"\n')
    assert load(None).address == "library.example:443"
    assert load(None).token == "abc"


def test_a_profile_is_chosen_by_name_or_by_the_environment(profiles, monkeypatch):
    profiles('[a]\nendpoint = "a:1"\ntoken = "x"\n[b]\nendpoint = "b:1"\ntoken = "x"\n')
    assert load("a").address == "a:1"
    monkeypatch.setenv("LIBCTL_PROFILE", "b")
    assert load(None).address == "b:1"
    assert load("a").address == "a:1"


def test_the_environment_wins_value_by_value(profiles, monkeypatch):
    profiles('[default]\nendpoint = "a:1"\ntoken = "x"\n')
    monkeypatch.setenv("LIBCTL_TOKEN", "fresh")
    assert (load(None).address, load(None).token) == ("a:1", "fresh")


def test_a_profile_says_where_its_token_was_found(profiles, tmp_path, monkeypatch):
    (tmp_path / "token").write_text("from.a.file\n")
    (tmp_path / "token").chmod(0o600)
    profiles(f'[a]\nendpoint = "a:1"\ntoken = "x"\n[b]\nendpoint = "b:1"\ntoken_file = "{tmp_path}/token"\n')
    assert load("a").token_place == f"the profile a in {tmp_path}/profiles.toml"
    assert load("b").token_place == f"{tmp_path}/token"
    monkeypatch.setenv("LIBCTL_TOKEN", "fresh")
    assert load("b").token_place == "LIBCTL_TOKEN"


def test_an_unknown_profile_is_answered_with_the_one_meant(profiles):
    profiles('[production]\nendpoint = "a:1"\n[staging]\nendpoint = "b:1"\n')
    with pytest.raises(Usage, match=r"did you mean production\?$") as refused:
        load("prodction")
    assert refused.value.hint == "one of: production, staging"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_of_http_is_named(profiles, scheme):
    profiles(f'[default]\nendpoint = "{scheme}://library.example:8094"\ntoken = "x"\n')
    with pytest.raises(Usage, match="an address of HTTP"):
        load(None)


def test_a_token_can_stand_in_a_file_of_its_own(profiles, tmp_path):
    (tmp_path / "token").write_text("from.a.file\n")
    (tmp_path / "token").chmod(0o600)
    profiles(f'[default]\nendpoint = "a:1"\ntoken_file = "{tmp_path}/token"\n', mode=0o644)
    assert load(None).token == "from.a.file"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_token_in_a_file_that_others_may_read_is_refused(profiles, tmp_path, mode):
    (tmp_path / "token").write_text("from.a.file\n")
    (tmp_path / "token").chmod(mode)
    profiles(f'[default]\nendpoint = "a:1"\ntoken_file = "{tmp_path}/token"\n')
    with pytest.raises(Usage, match="readable by others") as refused:
        load(None)
    assert "from.a.file" not in str(refused.value)


@pytest.mark.parametrize(
    ("endpoint", "is_encrypted"),
    [
        ("localhost:9094", False),
        ("127.0.0.1:9094", False),
        ("[::1]:9094", False),
        ("library.example:443", True),
        ("10.0.0.7:9094", True),
        ("grpc://10.0.0.7:9094", False),
        ("grpcs://localhost:9094", True),
    ],
)
def test_a_token_leaves_this_machine_encrypted_only(profiles, endpoint, is_encrypted):
    profiles(f'[default]\nendpoint = "{endpoint}"\ntoken = "x"\n')
    assert load(None).is_encrypted is is_encrypted


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "LIBCTL_ENDPOINT"),
        ('[default]\nendpoint = "a:1"\n', "token"),
        ('[default]\nendpoint = "a"\ntoken = "x"\n', "port"),
        ('[default]\nendpoint = "a:1"\ntoken = "zwölf"\n', "invalid characters"),
        ('[default]\nendpoint = "a:1"\ntoken = "Bearer x"\n', "without the word Bearer"),
        ('[default]\nendpoint = "http://a:1"\ntoken = "x"\n', "endpoint"),
        ('[default]\nendpont = "a:1"\n', "endpont"),
        ("[default\n", "profiles.toml"),
        ('[default]\nendpoint = "a:1"\ntoken_file = "/nowhere/at/all"\n', "/nowhere/at/all"),
    ],
)
def test_what_is_wrong_is_named(profiles, text, named):
    profiles(text)
    with pytest.raises(Usage) as refused:
        load(None)
    assert named in f"{refused.value.message} {refused.value.hint}"
    assert refused.value.hint


def test_a_token_that_others_may_read_is_refused(profiles):
    profiles('[default]\nendpoint = "a:1"\ntoken = "x"\n', mode=0o644)
    with pytest.raises(Usage, match="readable by others"):
        load(None)


def test_a_profile_that_is_not_there_is_named_with_those_that_are(profiles):
    profiles('[staging]\nendpoint = "a:1"\ntoken = "x"\n')
    with pytest.raises(Usage) as refused:
        load("production")
    assert "production" in refused.value.message
    assert "staging" in refused.value.hint


def test_a_user_without_a_home_folder_needs_no_profile(monkeypatch):
    def unknown(uid):
        raise KeyError(uid)

    for name in ("HOME", "LIBCTL_PROFILES", "LIBCTL_PROFILE", "XDG_CONFIG_HOME", "LIBCTL_TOKEN", "LIBCTL_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(Usage, match="address"):
        load(None)
    with pytest.raises(Usage, match="no home folder"):
        load("a")
    monkeypatch.setenv("LIBCTL_ENDPOINT", "a:1")
    monkeypatch.setenv("LIBCTL_TOKEN", "x")
    assert load(None).address == "a:1"

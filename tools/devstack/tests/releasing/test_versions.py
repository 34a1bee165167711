import pytest
from gameshelf.devstack.releasing.versions import Requirement, Version


@pytest.mark.parametrize("text", ["0.1.0", "1.20.3", "0.2.0.dev0"])
def test_a_version_is_written_as_it_was_read(text):
    assert str(Version.parse(text)) == text


@pytest.mark.parametrize("text", ["", "1", "0.1", "v0.1.0", "0.1.0rc1", "0.1.0.dev1", "01.0.0", "0.1.0\n"])
def test_another_form_of_version_is_refused(text):
    with pytest.raises(ValueError, match="MAJOR"):
        Version.parse(text)


def test_a_version_in_development_comes_between_two_releases():
    assert Version.parse("0.1.9") < Version.parse("0.2.0.dev0") < Version.parse("0.2.0")


@pytest.mark.parametrize(
    ("version", "below"), [("0.2.0", "0.3"), ("0.2.7", "0.3"), ("1.2.0", "2"), ("2.0.0.dev0", "3")]
)
def test_what_may_break_is_a_minor_version_before_1_0(version, below):
    assert Version.parse(version).below == below


@pytest.mark.parametrize(
    ("version", "is_next"),
    [("0.1.3", True), ("0.2.0", True), ("0.2.0.dev0", True), ("1.0.0", True), ("0.1.4", False), ("0.2.1", False)],
)
def test_only_the_next_patch_minor_or_major_follows(version, is_next):
    assert Version.parse(version).follows(Version.parse("0.1.2")) is is_next


@pytest.mark.parametrize(
    ("version", "is_accepted"),
    [
        ("0.1.0", False),
        ("0.2.0.dev0", False),
        ("0.2.0", True),
        ("0.2.5", True),
        ("0.3.0.dev0", False),
        ("1.0.0", False),
    ],
)
def test_a_range_accepts_what_installers_accept(version, is_accepted):
    assert Requirement.parse("gameshelf-kernel>=0.2.0,<0.3").accepts(Version.parse(version)) is is_accepted


def test_a_requirement_keeps_its_extras():
    text = "gameshelf-savegames[s3]>=0.2.0,<0.3"
    assert str(Requirement.parse(text)) == text
    assert Requirement.parse("asyncpg>=0.32,<0.33") is None


@pytest.mark.parametrize("text", ["gameshelf-kernel", "gameshelf-kernel>=0.2.0", "gameshelf-kernel==0.2.0"])
def test_a_package_of_ours_without_a_range_is_refused(text):
    with pytest.raises(ValueError, match=text):
        Requirement.parse(text)

from datetime import date

import pytest
from gameshelf.devstack.releasing.changelog import Changelog
from gameshelf.devstack.releasing.versions import Version

HEAD = "# Changelog\n\n"
OLD = "## [0.1.0] - 2026-11-23\n\n### Added\n\n- One.\n"


def test_a_release_moves_what_was_unreleased_under_its_version():
    log = Changelog(f"{HEAD}## [Unreleased]\n\n### Fixed\n\n- Two.\n\n{OLD}")
    written = Changelog(log.with_release(Version.parse("0.1.1"), date(2026, 12, 1)))
    assert written.unreleased.is_empty
    assert [(str(section.version), section.day) for section in written.released] == [
        ("0.1.1", date(2026, 12, 1)),
        ("0.1.0", date(2026, 11, 23)),
    ]
    assert written.released[0].text == log.unreleased.text
    assert written.released[1].text == log.released[0].text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (OLD, "Unreleased"),
        ("", "Unreleased"),
        ("## [Unreleased]\n\n## [0.1.0]\n", r"## \[0.1.0\] - "),
        ("## [Unreleased]\n\n## [0.1.0] - yesterday\n", r"## \[0.1.0\] - "),
        ("## [Unreleased]\n\n### Improved\n", "Improved"),
        ("## [Unreleased]\n\n### Fixed\n\n- One.\n\n### Fixed\n", "twice"),
        ("## [Unreleased]\n\n## [0.1.0] - 2026-11-23\n\n## [0.2.0] - 2026-11-24\n", "newest"),
    ],
)
def test_another_form_is_refused_with_what_is_wrong(text, reason):
    with pytest.raises(ValueError, match=reason):
        Changelog(HEAD + text)


@pytest.mark.parametrize(("kind", "fits"), [("Fixed", True), ("Security", True), ("Added", False), ("Removed", False)])
def test_only_corrections_fit_a_patch(kind, fits):
    assert Changelog(f"## [Unreleased]\n\n### {kind}\n\n- One.\n").unreleased.fits_a_patch() is fits

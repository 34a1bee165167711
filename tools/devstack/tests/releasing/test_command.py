from datetime import UTC, datetime

import pytest


def test_a_release_is_a_commit_with_an_annotated_tag(repository, run):
    assert run("kernel", "0.2.0").exit_code == 0
    today = datetime.now(UTC).date()
    assert f"## [Unreleased]\n\n## [0.2.0] - {today}\n\n### Added\n\n- A thing.\n" in repository.read(
        "packages/kernel/CHANGELOG.md"
    )
    assert 'version = "0.2.0"' in repository.read("packages/kernel/pyproject.toml")
    assert '"https://shelf.example/packages/kernel/"' in repository.read("packages/kernel/pyproject.toml")
    assert repository.read("packages/kernel/src/gameshelf/kernel/__init__.py") == '__version__ = "0.2.0"\n'
    assert '"gameshelf-kernel>=0.2.0,<0.3"' in repository.read("packages/library/pyproject.toml")
    assert repository.git("log", "-1", "--format=%s") == "chore(kernel): release 0.2.0"
    assert repository.git("cat-file", "-t", "gameshelf-kernel-v0.2.0") == "tag"
    assert "### Added\n\n- A thing." in repository.git("tag", "--list", "--format=%(contents)")
    assert repository.git("status", "--porcelain") == ""


def test_a_dry_run_shows_everything_and_changes_nothing(repository, run):
    before = repository.git("rev-parse", "HEAD")
    shown = run("gameshelf-kernel", "0.2.0", "--dry-run").output
    for part in (
        '+version = "0.2.0"',
        "+## [0.2.0] - ",
        '+    "gameshelf-kernel>=0.2.0,<0.3",',
        "release 0.2.0",
        "tag: ",
    ):
        assert part in shown
    assert repository.git("rev-parse", "HEAD") == before
    assert repository.git("status", "--porcelain") == repository.git("tag", "--list") == ""


def test_a_version_that_may_break_moves_the_ranges_on(repository, run):
    assert run("kernel", "0.2.0").exit_code == 0
    repository.write("packages/kernel/CHANGELOG.md", "## [Unreleased]\n\n### Removed\n\n- A thing.\n")
    repository.commit("feat!: remove a thing")
    assert run("kernel", "0.3.0.dev0").exit_code == 0
    assert '"gameshelf-kernel>=0.3.0.dev0,<0.4"' in repository.read("packages/library/pyproject.toml")
    assert repository.git("tag", "--list") == "gameshelf-kernel-v0.2.0"
    assert run("kernel", "0.3.0").exit_code == 0
    assert '"gameshelf-kernel>=0.3.0,<0.4"' in repository.read("packages/library/pyproject.toml")


def test_a_patch_leaves_ranges_that_accept_it(repository, run):
    assert run("kernel", "0.2.0").exit_code == 0
    log = repository.read("packages/kernel/CHANGELOG.md")
    fixed = log.replace("## [Unreleased]\n", "## [Unreleased]\n\n### Fixed\n\n- A mistake.\n")
    repository.write("packages/kernel/CHANGELOG.md", fixed)
    repository.commit("fix: a mistake")
    before = repository.read("packages/library/pyproject.toml")
    assert run("kernel", "0.2.1.dev0").exit_code == run("kernel", "0.2.1").exit_code == 0
    assert repository.read("packages/library/pyproject.toml") == before


@pytest.mark.parametrize(
    ("package", "version", "reason"),
    [
        ("nothing", "0.2.0", "there is no package nothing; there are kernel, library"),
        ("kernel", "0.2", "MAJOR.MINOR.PATCH"),
        ("kernel", "0.1.0", "is at 0.2.0.dev0"),
        ("kernel", "0.2.1", "the last release of gameshelf-kernel is 0.1.0"),
        ("library", "0.2.0", "release kernel first"),
    ],
)
def test_a_release_that_would_be_wrong_is_refused(repository, package, version, reason, run):
    done = run(package, version)
    assert done.exit_code
    assert reason in done.output
    assert repository.git("tag", "--list") == ""
    assert repository.git("status", "--porcelain") == ""


def test_a_release_without_changes_is_refused(repository, run):
    assert run("kernel", "0.2.0").exit_code == 0
    assert "has nothing under [Unreleased]" in run("kernel", "0.3.0").output


def test_a_patch_with_more_than_corrections_is_refused(repository, run):
    repository.add_package("kernel", version="0.1.1.dev0")
    repository.commit("chore: begin")
    assert "more than Fixed and Security" in run("kernel", "0.1.1").output


def test_a_work_tree_with_changes_is_refused(repository, run):
    repository.write("new.txt", "")
    assert "not committed" in run("kernel", "0.2.0").output


def test_a_tag_that_is_there_is_refused(repository, run):
    repository.git("tag", "gameshelf-kernel-v0.2.0")
    assert "is there already" in run("kernel", "0.2.0", "--dry-run").output

import pytest
from gameshelf.devstack.releasing.commits import ReleaseNotFound
from gameshelf.devstack.releasing.distributions import read_distributions
from gameshelf.devstack.releasing.ranges import accepted_releases, build_release, requirements_of

PROJECT = """[build-system]
requires = ["hatchling>=1.33,<2"]
build-backend = "hatchling.build"

"""


@pytest.fixture
def released(repository, run):
    """Kernel 0.2.0, and a library in development that accepts it."""
    path = "packages/kernel/pyproject.toml"
    repository.write(path, PROJECT + repository.read(path))
    repository.commit("build: hatchling")
    assert run("kernel", "0.2.0").exit_code == 0
    return repository


def test_only_releases_that_are_accepted_are_tried(released):
    found = accepted_releases(read_distributions(released.root))
    assert [(each.name, str(version)) for each, version in found] == [("gameshelf-kernel", "0.2.0")]


@pytest.mark.long
@pytest.mark.parametrize("has_tags", [True, False])
def test_the_wheel_of_a_release_is_built_from_its_commit(released, tmp_path, has_tags):
    if not has_tags:
        released.git("tag", "--delete", "gameshelf-kernel-v0.2.0")
    released.write("packages/kernel/src/gameshelf/kernel/__init__.py", "raise ImportError\n")
    released.commit("feat!: break it")
    [(kernel, version)] = accepted_releases(read_distributions(released.root))
    build_release(released.root, kernel, version, tmp_path)
    assert [path.name for path in tmp_path.glob("*.whl")] == ["gameshelf_kernel-0.2.0-py3-none-any.whl"]


def test_a_release_that_the_history_lacks_is_an_error(released, tmp_path):
    released.git("tag", "--delete", "gameshelf-kernel-v0.2.0")
    released.git("commit", "--amend", "--quiet", "--message", "chore: something else")
    [(kernel, version)] = accepted_releases(read_distributions(released.root))
    with pytest.raises(ReleaseNotFound, match="is the history complete"):
        build_release(released.root, kernel, version, tmp_path)


def test_what_is_needed_by_what_is_needed_is_named(repository):
    repository.add_package("gateway", needs=["gameshelf-library>=0.2.0.dev0,<0.3"])
    distributions = read_distributions(repository.root)
    assert requirements_of(distributions["gameshelf-gateway"], distributions) == [
        "asyncpg>=0.32,<0.33",
        "gameshelf-library>=0.2.0.dev0,<0.3",
        "gameshelf-kernel>=0.2.0.dev0,<0.3",
    ]

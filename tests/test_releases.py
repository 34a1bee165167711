"""Version, ranges and license of every distribution of this repository."""

import re
from pathlib import Path

import pytest
from gameshelf.devstack.releasing.distributions import read_distributions, read_home, urls_of

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = read_distributions(ROOT)
ALL = pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=lambda each: each.short_name)


@ALL
def test_what_is_not_released_has_a_version_of_its_own(distribution):
    # Or else what is built from here passes for the last release, and satisfies packages that require that.
    last, unreleased = distribution.changelog.last, distribution.changelog.unreleased
    if unreleased.is_empty:
        assert distribution.version == last
    else:
        assert not distribution.version.is_final, f"./dev release {distribution.short_name} MAJOR.MINOR.PATCH.dev0"
        assert last is None or distribution.version.follows(last)
        assert distribution.version.patch == 0 or unreleased.fits_a_patch()


@ALL
def test_the_version_in_the_code_is_the_one_of_the_project(distribution):
    module = ROOT / distribution.module
    if distribution.short_name != "protos":  # generated code alone
        assert f'__version__ = "{distribution.version}"\n' in module.read_text(encoding="utf-8")


@ALL
def test_the_ranges_accept_what_is_here(distribution):
    for requirement in distribution.own_requirements:
        assert requirement.accepts(DISTRIBUTIONS[requirement.name].version)


@ALL
def test_a_release_requires_releases(distribution):
    # What has the version of a release is that release; its requirements change with a version of its own.
    if distribution.version.is_final:
        assert [str(one) for one in distribution.own_requirements if not one.lowest.is_final] == []


@ALL
def test_every_requirement_has_a_lowest_version_and_an_upper_bound(distribution):
    unbounded = [text for text in distribution.requirements if not re.fullmatch(r"[^<>=]+>=[^,]+,<[^,]+", text)]
    assert unbounded == []


@ALL
def test_a_distribution_carries_the_license_and_its_addresses(distribution):
    assert (ROOT / distribution.folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert distribution.urls == urls_of(distribution.short_name, read_home(ROOT))

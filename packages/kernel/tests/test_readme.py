"""The README's example runs as it stands, and prints what the README says."""

from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_example_prints_what_the_readme_says(run_readme):
    run_readme(README, None)

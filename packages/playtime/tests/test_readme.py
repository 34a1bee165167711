"""The README's example runs unchanged, and prints the output that the README shows."""

from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_example_prints_what_the_readme_shows(run_readme, database):
    run_readme(README, database)

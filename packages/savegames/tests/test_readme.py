"""The README's example runs unchanged, and prints the output that the README shows."""

from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_example_prints_the_output_of_the_readme(run_readme, database):
    run_readme(README, database)

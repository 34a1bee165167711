"""Figures of benchmarks."""

import pytest
from gameshelf.devstack.measurements import Figure, read_figures, write_figures
from pydantic import ValidationError

PAGES = Figure(what="page", unit="requests/s", rounds=(80, 120, 45), floor_name="bare route", floor=(100, 200, 50))


def test_a_figure_has_a_median_and_a_spread():
    assert (PAGES.median, PAGES.spread, PAGES.floor_median) == (80, (45, 120), 100)


def test_the_share_of_the_floor_is_that_of_each_round():
    assert PAGES.ratio == 0.8  # 0.8, 0.6 and 0.9; of the medians it would be 80 / 100 by chance
    assert Figure(what="p", unit="ms", rounds=(10, 40), floor_name="f", floor=(5, 10)).ratio == 3


def test_a_figure_may_have_no_floor():
    start = Figure(what="start", unit="s", rounds=(2.5,))
    assert (start.floor_median, start.ratio) == (None, None)


@pytest.mark.parametrize("rounds", [{"rounds": ()}, {"floor": (1,)}, {"floor_name": ""}], ids=str)
def test_a_figure_without_all_rounds_is_refused(rounds):
    with pytest.raises(ValidationError):
        Figure(**{**PAGES.model_dump(), **rounds})


def test_figures_are_read_as_they_were_written(tmp_path):
    write_figures(tmp_path / "figures.json", (PAGES,))
    assert read_figures(tmp_path / "figures.json") == (PAGES,)

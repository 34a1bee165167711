"""The page of performance is made of the committed results, and shows what they say."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from gameshelf.devstack.measurements import Figure, MeasuredOn, Results
from gameshelf.devstack.measurements.page import number, render_page
from gameshelf.devstack.measurements.plots import bars, plots_of

ROOT = Path(__file__).parents[4]
MACHINE = MeasuredOn(processor="P", cores=2, memory_gib=7.9, system="Linux", python="3.11", load=0.5)
SETTINGS = Figure(
    what="PUT /settings, Granian", unit="requests/s", rounds=(900, 1100), floor_name="bare route", floor=(2000, 2200)
)
RESULTS = Results(taken="2026-11-28", commit="abc", command="all", note="quiet", machine=MACHINE, figures=(SETTINGS,))


def test_the_page_compares_with_before_and_with_what_is_to_reach():
    before = SETTINGS.model_copy(update={"rounds": (300, 500)})
    both = RESULTS.model_copy(
        update={"before": (before,), "commit_before": "def", "options_before": {"writes": "--rounds=3"}}
    )
    page = render_page(both, "$targets\n$before", [])
    measured = "400 requests/s | 0.19 | 1,600/s, 0.6 of the floor | 1,000 requests/s | 0.47"
    assert f"| PUT /settings, Granian | 760/s | {measured} |" in page
    assert '"Before" is commit def, measured in the same run' in page
    assert "`writes --rounds=3`." in page


def test_the_page_says_what_was_not_measured():
    page = render_page(RESULTS, "$targets\n$before", [])
    assert "| start to ready | not measured | not in this run |  | below 3 s | not in this run |  |" in page
    assert "The version before was not measured in this run." in page


def test_the_page_has_medians_spread_and_floor():
    page = render_page(RESULTS, "$figures\n$note: $machine\n$plots", ["a.svg"])
    assert "| requests/s | 1,000 | 900 to 1,100 | 2 | bare route | 2,100 | 0.47 |" in page
    assert "quiet: Machine: P, 2 cores, 8 GiB; Linux; Python 3.11; load average at the beginning 0.5." in page
    assert "![a.svg](a.svg)" in page


def test_the_page_says_what_is_remarkable_about_a_figure():
    figure = SETTINGS.model_copy(update={"remark": "21 refused"})
    assert "| PUT /settings, Granian (21 refused) |" in render_page(
        RESULTS.model_copy(update={"figures": (figure,)}), "$figures", []
    )


@pytest.mark.parametrize(("value", "shown"), [(2422.6, "2,423"), (64.24, "64.2"), (0.7412, "0.741"), (0, "0")])
def test_a_number_has_three_digits_or_all_before_the_point(value, shown):
    assert number(value) == shown


def test_a_plot_has_a_bar_for_each_figure_and_each_floor():
    plot = ElementTree.fromstring(bars([SETTINGS, Figure(what="<b>", unit="ms", rounds=(3,))], "ms"))
    texts = [element.text for element in plot.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[1:] == ["PUT /settings, Granian", "1,000", "2,100", "<b>", "3"]
    [width] = {
        float(element.get("width"))
        for element in plot.iter("{http://www.w3.org/2000/svg}rect")
        if element.get("fill") == "#c3cfdb"
    }
    assert width == 820 - 260 - 90  # the floor is the longest


@pytest.mark.parametrize("which", ["figures", "before"])
def test_what_is_measured_twice_is_refused(which):
    with pytest.raises(ValueError, match="measured twice"):
        Results(**{**RESULTS.model_dump(), which: (SETTINGS, SETTINGS)})


def test_the_committed_page_is_made_of_the_committed_results():
    results = Results.model_validate_json((ROOT / "bench" / "results.json").read_bytes())
    template = (ROOT / "bench" / "performance.md.template").read_text(encoding="utf-8")
    plots = plots_of(results)
    names = [f"performance/{name}" for name in plots]
    assert (ROOT / "docs" / "performance.md").read_text(encoding="utf-8") == render_page(results, template, names)
    committed = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "performance").iterdir()}
    assert committed == plots

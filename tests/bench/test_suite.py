"""The scenarios of the suite measure what the page of performance shows."""

from pathlib import Path

import all as suite
import heartbeats
import many_players
import wishlist_sale
from _meanwhile import Meanwhile
from gameshelf.devstack.measurements.targets import TARGETS

BENCH = Path(__file__).parents[2] / "bench"
NAMES = {target.what for target in TARGETS}


def test_heartbeats_have_the_row_of_the_target():
    runs = [heartbeats.Run("floor", latencies=[0.002] * 100), heartbeats.Run("run", latencies=[0.02] * 99 + [1.0])]
    runs[1].refused, runs[1].lost = 3, 1
    runs[1].memory = [100.0, 150.0, 120.0, 130.0]
    p50, p99, memory = heartbeats.figures([runs], 1_000_000 / 60)
    assert p99.what in NAMES
    assert (p50.rounds, p50.floor, p99.rounds) == ((20.0,), (2.0,), (1000.0,))
    assert p99.remark == "3 refused, 1 lost"
    assert (memory.rounds, memory.floor) == ((130.0,), (150.0,))


def test_a_sale_has_the_row_of_the_target():
    meanwhile = [
        {name: Meanwhile(name, [seconds] * 10) for name in ("library page", "heartbeat")} for seconds in (0.004, 0.02)
    ]
    sales = [wishlist_sale.Sale(a_second, 0, *meanwhile) for a_second in (5000.0, 7000.0)]
    notified, page, _ = wishlist_sale.figures(sales)
    assert notified.what in NAMES
    assert (notified.rounds, notified.remark) == ((5000.0, 7000.0), "0 twice")
    assert (page.what, page.median, page.ratio) == ("library page during a sale, p95", 20.0, 5.0)


def test_other_requests_are_compared_with_those_before_a_batch():
    times = {"before": 0.004, "the dry run": 0.005, "the change": 0.008, "its undo": 0.01}
    found = {when: {"library page": Meanwhile("library page", [seconds] * 10)} for when, seconds in times.items()}
    figures = many_players.figures([found, found])
    assert [(figure.what, figure.rounds, figure.median, figure.floor_median) for figure in figures] == [
        ("library page during the dry run, p95", (5.0, 5.0), 5.0, 4.0),
        ("library page during the change, p95", (8.0, 8.0), 8.0, 4.0),
        ("library page during its undo, p95", (10.0, 10.0), 10.0, 4.0),
    ]


def test_each_scenario_of_the_suite_is_a_script():
    assert suite.QUICK.keys() | suite.BEFORE.keys() <= suite.SCENARIOS.keys()
    assert [name for name in suite.SCENARIOS if not (BENCH / f"{name}.py").is_file()] == []

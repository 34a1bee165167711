"""The demo looks like a platform: pictures, prices, a sale, and players who have played."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from gameshelf.devstack import demo

NOW = datetime(2026, 11, 26, 15, tzinfo=UTC)
PICTURES = "http://127.0.0.1:10000"


def test_every_picture_is_an_svg_of_its_own_that_needs_nothing_else():
    drawn = demo.pictures()
    covers = [picture for path, picture in drawn.items() if path.startswith("/covers/")]
    assert len(covers) == len(set(covers)) == len(demo.catalog()) >= 40
    for path, picture in drawn.items():
        assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg", path
        assert picture.count("http") == 1, path
        assert len(picture) < 16_000, path
    assert drawn == demo.pictures()


def test_the_events_are_always_the_same_but_for_the_week_of_the_sale():
    ids = [event.id for event in demo.events(PICTURES, NOW)]
    assert len(set(ids)) == len(ids)
    assert ids == [event.id for event in demo.events(PICTURES, NOW + timedelta(hours=1))]
    later = demo.events(PICTURES, NOW + timedelta(days=7))
    new = [event.data for event in later if event.id not in set(ids)]
    assert new
    assert all(data["saleId"] == "demo-2026-49" for data in new)


def test_what_has_a_picture_names_one_that_is_served():
    drawn = demo.pictures()
    named = []
    for event in demo.events(PICTURES, NOW):
        named += [event.data["newCoverImageUrl"]] if "newCoverImageUrl" in event.data else []
        for one in event.data.get("achievements", ()):
            named += [one["iconUrlLocked"], one["iconUrlUnlocked"]]
    assert {url.removeprefix(PICTURES) for url in named} == drawn.keys()

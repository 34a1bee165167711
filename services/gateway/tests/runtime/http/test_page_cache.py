"""The cache of rendered pages: one page of a key, bounded in bytes."""

import pytest
from gameshelf.gateway.runtime.http.page_cache import PageCache

ENTRY = len("key") + len("1") + 10
PAGE = bytes(10)


def test_a_page_is_found_by_its_versions_only():
    pages = PageCache(1000)
    pages.put("key", "1", b"first")
    assert pages.get("key", "1") == b"first"
    assert pages.get("key", "2") is None
    assert pages.get("other", "1") is None


def test_a_newer_page_takes_the_place_of_the_last_one():
    pages = PageCache(3 * ENTRY)
    pages.put("one", "1", PAGE)
    pages.put("two", "1", PAGE)
    for version in range(2, 10):
        pages.put("two", str(version), PAGE)
    assert pages.get("one", "1") == PAGE
    assert pages.get("two", "9") == PAGE
    assert pages.get("two", "8") is None


def test_the_page_that_was_not_used_for_longest_goes_first():
    pages = PageCache(2 * ENTRY)
    pages.put("one", "1", PAGE)
    pages.put("two", "1", PAGE)
    assert pages.get("one", "1")
    pages.put("new", "1", PAGE)
    assert (pages.get("one", "1"), pages.get("two", "1"), pages.get("new", "1")) == (PAGE, None, PAGE)


@pytest.mark.parametrize("max_bytes", [0, ENTRY - 1])
def test_what_is_larger_than_the_cache_is_not_kept(max_bytes):
    pages = PageCache(max_bytes)
    pages.put("key", "1", PAGE)
    pages.put("key", "1", PAGE)
    assert pages.get("key", "1") is None


def test_a_larger_page_of_a_key_pushes_others_out():
    pages = PageCache(2 * ENTRY)
    pages.put("one", "1", PAGE)
    pages.put("two", "1", PAGE)
    pages.put("two", "2", bytes(20))
    assert (pages.get("one", "1"), pages.get("two", "2")) == (None, bytes(20))

"""Patterns: the same as a search through all possibilities, in bounded time."""

from itertools import accumulate, product

import pytest
from gameshelf.savesync.paths import fold
from gameshelf.savesync.patterns import PathPattern, PatternRefused
from hypothesis import given
from hypothesis import strategies as st

TOKENS = st.lists(st.sampled_from(["a", "b", "*", "?", "{x}", "{y}", "Ж", "h\u0331"]), min_size=1, max_size=5)
PARTS = TOKENS.map("".join) | st.just("**")
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
TEXTS = st.text(st.sampled_from("abAжЖhH\u0331"), min_size=1, max_size=6)
PATHS = st.lists(TEXTS, min_size=1, max_size=5).map("/".join)


def every_way(pattern, key, begin=0):
    """Where the captures of all ways to match are, those of the leftmost and shortest first."""
    if not pattern:
        return [{}] if not key else []
    if pattern[0] is None:
        least = 1 if len(pattern) == 1 else 0
        skipped = [0, *accumulate(len(part) + 1 for part in key)]
        ways = [every_way(pattern[1:], key[skip:], begin + skipped[skip]) for skip in range(least, len(key) + 1)]
        return [found for way in ways for found in way]
    if not key:
        return []
    heads = every_way_of_part(pattern[0], key[0], begin)
    rests = every_way(pattern[1:], key[1:], begin + len(key[0]) + 1)
    return [{**head, **rest} for head, rest in product(heads, rests)]


def every_way_of_part(tokens, text, begin):
    if not tokens:
        return [{}] if not text else []
    token, rest = tokens[0], tokens[1:]
    found = []
    for size in range(len(text) + 1):
        fits = {"LITERAL": text[:size] == token.text, "STAR": True, "ANY": size == 1, "CAPTURE": size > 0}
        if fits[token.kind.name]:
            named = {token.text: (begin, begin + size)} if token.kind.name == "CAPTURE" else {}
            found += [{**named, **other} for other in every_way_of_part(rest, text[size:], begin + size)]
    return found


@given(PATTERNS, PATHS)
def test_a_match_is_the_first_of_all(text, path):
    try:
        pattern = PathPattern.parse(text)
    except PatternRefused:
        return
    key = fold(path)
    ways = every_way(pattern.parts, key.split("/"))
    spelt = path if len(path) == len(key) else key
    expected = {name: spelt[begin:end] for name, (begin, end) in ways[0].items()} if ways else None
    assert pattern.match(path) == expected


@given(PATTERNS, PATHS)
def test_a_folder_of_a_match_is_reached(text, path):
    try:
        pattern = PathPattern.parse(text)
    except PatternRefused:
        return
    if pattern.matches(path):
        assert all(pattern.reaches(path[:at]) for at, one in enumerate(path) if one == "/")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "pattern_empty"),
        ("/a", "pattern_absolute"),
        ("a//b", "pattern_part_empty"),
        ("a/../b", "pattern_part_dots"),
        ("a/./b", "pattern_part_dots"),
        ("a\\b", "pattern_character"),
        ("a\tb", "pattern_character"),
        ("a{b", "pattern_braces"),
        ("a{}b", "pattern_braces"),
        ("{B}", "pattern_braces"),
        ("a**", "pattern_stars"),
        ("***", "pattern_stars"),
        ("{a}{b}", "pattern_adjacent"),
        ("*{b}", "pattern_adjacent"),
        ("{a}/{a}", "pattern_repeated_name"),
        ("/".join(f"{{a{n}}}" for n in range(9)), "pattern_too_many_names"),
        ("a" * 257, "pattern_too_long"),
        ("/".join("a" * 33), "pattern_too_many_parts"),
        ("**/**", "pattern_adjacent"),
        ("<home>/a", "pattern_character"),
    ],
)
def test_what_is_no_pattern(text, rule):
    with pytest.raises(PatternRefused) as refused:
        PathPattern.parse(text)
    assert refused.value.rule == rule


def test_a_hostile_pattern_takes_bounded_steps():
    """With backtracking these would take longer than anybody waits, and a policy comes from a stranger."""
    inside = PathPattern.parse("*a" * 60 + "b")
    assert not inside.matches("a" * 255)
    across = PathPattern.parse("**/a/" * 15 + "b")
    assert not across.matches("a/" * 500 + "c")


def test_letters_whose_fold_composes_with_a_mark():
    # No capital H with a macron below is one code point, the small one is.
    assert PathPattern.parse("{a}ẖ.sav").match("XH\u0331.sav") == {"a": "x"}
    assert PathPattern.parse("ẖ*").matches("H\u0331")

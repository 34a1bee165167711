"""Patterns of a policy, on plain values, compared with an oracle that tries every way to match."""

import re
from itertools import product

import pytest
from gameshelf.devstack.pytest_plugin import sized
from gameshelf.savegames._paths import fold
from gameshelf.savegames._patterns import MAX_PATTERN, InvalidPattern, can_meet, parse_pattern
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = ["x", "y", "z"]
tokens = st.sampled_from(["a", "b", "B", ".", "é", "É", "?", "*", "{}"])


@st.composite
def patterns(draw, token=tokens):
    """Valid patterns of up to four parts."""
    parts = draw(st.lists(st.just(["**"]) | st.lists(token, min_size=1, max_size=5), min_size=1, max_size=4))
    names = iter(NAMES)
    text = "/".join("".join(f"{{{next(names, '')}}}" if one == "{}" else one for one in part) for part in parts)
    try:
        return parse_pattern(text)
    except InvalidPattern:
        return parse_pattern("**")


paths = st.lists(st.text("abBéÉ.", min_size=1, max_size=5), min_size=1, max_size=5).map("/".join)


def match_of_part(pattern, text):
    """All captures of a part, the leftmost and shortest first."""
    if not pattern:
        return [{}] if not text else []
    token = re.match(r"\{(\w+)\}|.", pattern)
    rest = pattern[token.end() :]
    if token[0] == "*":
        return [found for size in range(len(text) + 1) for found in match_of_part(rest, text[size:])]
    if token[1]:
        return [
            {token[1]: text[:size]} | found
            for size in range(1, len(text) + 1)
            for found in match_of_part(rest, text[size:])
        ]
    fits = text and (token[0] == "?" or fold(token[0]) == fold(text[0]))
    return match_of_part(rest, text[1:]) if fits else []


def oracle(pattern, parts):
    """All captures of a path, the leftmost and shortest first."""
    if not pattern:
        return [{}] if not parts else []
    if pattern[0] == "**":
        least = int(len(pattern) == 1)
        return [found for size in range(least, len(parts) + 1) for found in oracle(pattern[1:], parts[size:])]
    if not parts:
        return []
    return [one | rest for one in match_of_part(pattern[0], parts[0])[:1] for rest in oracle(pattern[1:], parts[1:])]


@settings(max_examples=sized(80, 400), derandomize=True)
@given(patterns(), paths)
def test_a_match_is_the_first_one_of_the_oracle(pattern, path):
    found = oracle(pattern.text.split("/"), path.split("/"))
    assert pattern.match(path) == (found[0] if found else None)


@st.composite
def patterns_and_paths(draw):
    """A path, and a pattern made of it, so that it matches."""
    path = draw(paths)
    parts = path.split("/")
    names = iter(NAMES)
    made = []
    for part in parts:
        kind = draw(st.sampled_from(["part", "part", "capture", "star", "stars"]))
        if kind == "stars":
            made += [] if made[-1:] == ["**"] else ["**"]
        elif kind == "part" or len(part) < 2:
            made.append(part)
        else:
            start = draw(st.integers(0, len(part) - 1))
            gap = "*" if kind == "star" else f"{{{next(names, 'z')}}}"
            made.append(part[:start] + gap + part[draw(st.integers(start + 1, len(part))) :])
    try:
        return parse_pattern("/".join(made)), path
    except InvalidPattern:
        return parse_pattern("**"), path


@settings(max_examples=sized(40, 200), derandomize=True)
@given(patterns_and_paths())
def test_a_pattern_made_of_a_path_matches_as_the_oracle_does(made):
    pattern, path = made
    assert pattern.match(path) == oracle(pattern.text.split("/"), path.split("/"))[0]


@settings(derandomize=True)
@given(patterns(), paths)
def test_all_spellings_of_a_path_match_alike(pattern, path):
    ones, others = pattern.match(path), pattern.match(fold(path))
    assert (ones is None) == (others is None)
    assert {name: fold(text) for name, text in (ones or {}).items()} == (others or {})


@pytest.mark.parametrize(
    ("text", "path", "captures"),
    [
        ("a/{x}", "A/J\u030c.sav", {"x": "ǰ.sav"}),  # the key has a code point less, so the capture is the key's
        ("a/?.sav", "a/J\u030c.sav", {}),
        ("a/ǰ.sav", "a/J\u030c.sav", {}),
        ("a/{x}.sav", "A/Ж\U0001f600.SAV", {"x": "Ж\U0001f600"}),
        ("a/(b)+[c]", "a/(b)+[c]", {}),
        ("a/(b)+[c]", "a/bc", None),
        ("a/{class}", "a/b", {"class": "b"}),
        ("**/{x}/**", "a/b/c", {"x": "a"}),
        ("**/{x}/c", "a/b/c", {"x": "b"}),
        ("a*b?c*d", "axxbyczzd", {}),
        ("{x}a{y}", "aaa", {"x": "a", "y": "a"}),
        ("{x}.a.{y}", "b.a.a.a.c", {"x": "b", "y": "a.a.c"}),
    ],
)
def test_what_a_pattern_captures(text, path, captures):
    assert parse_pattern(text).match(path) == captures


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "pattern_empty"),
        ("a" * (MAX_PATTERN + 1), "pattern_too_long"),
        ("/a", "pattern_absolute"),
        ("a\\b", "pattern_character"),
        ("<base>/a", "pattern_character"),
        ("C:/a", "pattern_character"),
        ("a\x00", "pattern_character"),
        ("a//b", "pattern_part_empty"),
        ("a/", "pattern_part_empty"),
        ("../a", "pattern_part_dots"),
        ("a/./b", "pattern_part_dots"),
        ("/".join("a" * 33), "pattern_too_many_parts"),
        ("{a", "pattern_braces"),
        ("a}", "pattern_braces"),
        ("{A}", "pattern_braces"),
        ("{1}", "pattern_braces"),
        ("{}", "pattern_braces"),
        ("a**", "pattern_stars"),
        ("***", "pattern_stars"),
        ("{a}*", "pattern_adjacent"),
        ("{a}{b}", "pattern_adjacent"),
        ("a/**/**", "pattern_adjacent"),
        ("{a}/{a}", "pattern_repeated_name"),
        ("/".join(f"{{n{index}}}" for index in range(9)), "pattern_too_many_names"),
    ],
)
def test_the_rule_that_a_text_breaks(text, rule):
    with pytest.raises(InvalidPattern) as caught:
        parse_pattern(text)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("*a" * 100 + "b", "a" * 255),
        ("{x}" + "a*" * 100 + "b", "a" * 255),
        ("**/" + "*a*a/**/" * 14 + "b", "/".join(["a" * 30] * 30)),
        ("**/" + "a/" * 29 + "b/**", "/".join("a" * 512)),
    ],
)
def test_a_hostile_pattern_is_not_tried_in_every_way(text, path):
    """With every way to match, each of these takes longer than the tests may."""
    assert parse_pattern(text).match(path) is None


SIZES = [sizes for count in range(1, 5) for sizes in product((1, 2, 3), repeat=count)]
ALL_PATHS = ["/".join("a" * size for size in one) for one in SIZES]
one_letter = st.sampled_from(["a", "?", "*"])


@st.composite
def short_patterns(draw):
    """Of up to two parts, besides ``**``, with up to two code points each."""
    parts = draw(
        st.lists(st.just("**") | st.lists(one_letter, min_size=1, max_size=2).map("".join), min_size=1, max_size=3)
    )
    try:
        return parse_pattern("/".join(parts))
    except InvalidPattern:
        return parse_pattern("a")


@settings(max_examples=sized(30, 150), derandomize=True)
@given(short_patterns(), short_patterns())
def test_patterns_can_meet_where_a_path_matches_both(one, other):
    both = [path for path in ALL_PATHS if one.match(path) is not None and other.match(path) is not None]
    assert can_meet(one, other) == can_meet(other, one)
    # Two patterns of three parts with three code points have a short common path, if they have one at all.
    assert can_meet(one, other) == bool(both)


def test_a_pattern_below_a_folder():
    pattern = parse_pattern("**/{x}.sav").below("Saves")
    assert pattern.match("SAVES/w/A.sav") == {"x": "A"}
    assert pattern.match("w/A.sav") is None


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("saves/{w}/**", "saves/**/*.sav", True),
        ("saves/{w}/**", "saves/*.sav", False),
        ("saves/{s}.ess", "saves/**/*.sav", False),
        ("saves/{s}.ess", "Saves/**", True),
        ("**/a/**", "b/**/c", True),
        ("a/**", "a", False),
        ("*a", "b*", True),
        ("a?", "?b", True),
        ("{x}ab", "ab", False),
    ],
)
def test_whether_two_patterns_can_meet(one, other, meets):
    assert can_meet(parse_pattern(one), parse_pattern(other)) is meets

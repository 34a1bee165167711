"""Every rule that an input may break has a text in both languages."""

import ast
from pathlib import Path

import gameshelf  # pants: no-infer-dep
import pytest
from gameshelf.devstack.source_tree import parse_source
from gameshelf.gateway.wiring import ERRORS

FOLDERS = [Path(found) for found in gameshelf.__path__]
NAMES_A_RULE = {"Problem", "PydanticCustomError", "InvalidPlace", "InvalidPattern", "_refuse"}
"""Calls whose first argument is a rule."""


def texts(argument):
    """The rules that an argument may be: a text, or one of two."""
    if isinstance(argument, ast.IfExp):
        return texts(argument.body) | texts(argument.orelse)
    return {argument.value} if isinstance(argument, ast.Constant) else set()


def rules_of(source):
    calls = [node for node in ast.walk(parse_source(source)) if isinstance(node, ast.Call) and node.args]
    named = [call for call in calls if getattr(call.func, "id", None) in NAMES_A_RULE]
    return {rule for call in named for rule in texts(call.args[0])}


@pytest.fixture(scope="module")
def rules():
    """Every rule that the source names."""
    sources = (path.read_text(encoding="utf-8") for folder in FOLDERS for path in folder.rglob("*.py"))
    # Most files have no such call, and need not be parsed.
    return {rule for source in sources if any(name in source for name in NAMES_A_RULE) for rule in rules_of(source)}


def test_the_rules_of_every_package_are_found(rules):
    assert {"stale_order", "place_start", "place_too_wide", "pattern_braces", "unit_name", "not_a_cursor"} <= rules


def test_a_rule_has_a_text_in_both_languages(rules):
    assert rules - ERRORS.rules.keys() == set()
    for rule in rules:
        russian, english = ERRORS.rules[rule]
        assert russian != english, rule
        assert all(text.endswith(".") for text in (russian, english)), rule

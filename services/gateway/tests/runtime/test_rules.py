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


RULES = {rule for folder in FOLDERS for path in folder.rglob("*.py") for rule in rules_of(path.read_text())}


def test_the_rules_of_every_package_are_found():
    assert {"stale_order", "place_start", "place_too_wide", "pattern_braces", "unit_name", "not_a_cursor"} <= RULES


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_has_a_text_in_both_languages(rule):
    russian, english = ERRORS.rules[rule]
    assert russian != english
    assert all(text.endswith(".") for text in (russian, english))

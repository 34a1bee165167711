"""Every error has a code, in the table of its own domain or of the runtime."""

import json
from base64 import b64encode
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules, walk_packages
from urllib.parse import quote

import gameshelf  # pants: no-infer-dep
import pytest
from gameshelf.gateway.domains import DOMAINS
from gameshelf.gateway.runtime.composed import errors_of
from gameshelf.gateway.runtime.errors import OWN_ERRORS
from gameshelf.gateway.runtime.grpc.refusals import answer_of
from gameshelf.gateway.runtime.http.reply import render_refusal
from gameshelf.gateway.runtime.problems import WHOLE_BODY
from gameshelf.gateway.wiring import ERRORS, ROUTES
from gameshelf.kernel.errors import DomainError, InvalidInput, Problem
from gameshelf.library import CategoryNotFound
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

PACKAGES = ("achievements", "kernel", "library", "playtime", "savegames", "settings", "wishlist")
FOLDERS = {"library": ("library", "family")}
"""Where a package has more than the one folder of its own name."""
BY_ANOTHER = {("gameshelf.wishlist", "PRODUCT_ALREADY_OWNED")}
"""Codes that a package takes from another domain: it reports the error as the library does."""


def every_error():
    for package in PACKAGES:
        module = import_module(f"gameshelf.{package}")
        for found in walk_packages(module.__path__, f"{module.__name__}."):
            if "migrations" not in found.name:
                import_module(found.name)
    waiting = [DomainError]
    for error in waiting:
        waiting += error.__subclasses__()
    return sorted({one for one in waiting[1:] if one.__module__.startswith("gameshelf.")}, key=str)


def owners(package):
    folders = FOLDERS.get(package, (package,))
    return [OWN_ERRORS.codes, *(domain.codes for domain in DOMAINS if domain.name in folders)]


def test_every_package_is_looked_at():
    assert {"gateway", *PACKAGES} <= {found.name for found in iter_modules(gameshelf.__path__)}


@pytest.mark.parametrize("error", every_error(), ids=lambda error: f"{error.__module__}.{error.__name__}")
def test_every_error_has_a_code_in_its_own_domain(error):
    package = ".".join(error.__module__.split(".")[:2])
    is_anothers = (package, error.code) in BY_ANOTHER
    assert is_anothers or any(error.code in codes for codes in owners(package.removeprefix("gameshelf.")))
    assert error.code in ERRORS.codes


def test_every_code_that_a_route_names_exists():
    assert {code for route in ROUTES for code in route.refuses} <= ERRORS.codes.keys()


def test_a_code_that_is_declared_twice_is_refused():
    [library] = [domain for domain in DOMAINS if domain.name == "library"]
    with pytest.raises(ValueError, match="declared by two domains: library and again"):
        errors_of([library, replace(library, name="again", rules={})])
    [code] = list(OWN_ERRORS.codes.values())[:1]
    with pytest.raises(ValueError, match="'NOT_FOUND' is declared by a domain and by the runtime"):
        errors_of([replace(library, codes={"NOT_FOUND": code})])


def test_a_rule_of_a_domain_speaks_in_both_languages():
    error = InvalidInput(Problem("stale_order", pointer="item_ids"))
    assert "прочитайте список заново" in render_refusal(error, "ru", "t", ERRORS).body.decode()
    assert "read the list again" in render_refusal(error, "en", "t", ERRORS).body.decode()


@pytest.mark.parametrize(
    ("path", "in_body", "in_message"),
    [
        ("item_ids", "/data/attributes/item_ids", "item_ids: stale_order"),
        ("items/3/id", "/data/attributes/items/3/id", "items.3.id: stale_order"),
        ("", "/data", "stale_order"),
        ("/data/id", "/data/id", None),  # found by REST itself
        (WHOLE_BODY, "", None),
    ],
)
def test_each_transport_names_a_field_in_its_own_way(path, in_body, in_message):
    error = InvalidInput(Problem("stale_order", pointer=path))
    assert json.loads(render_refusal(error, "en", "t", ERRORS).body)["errors"][0]["source"] == {"pointer": in_body}
    if in_message is not None:
        assert answer_of(error, ERRORS)[1].details == in_message


def test_a_refusal_names_a_field_in_its_own_way_too():
    found = json.loads(render_refusal(CategoryNotFound(pointer="category_ids/0"), "en", "t", ERRORS).body)
    assert found["errors"][0]["source"] == {"pointer": "/data/attributes/category_ids/0"}


def test_grpc_explains_each_field_in_a_sentence():
    named = Problem("merge_unnamed", pointer="units", params={"unnamed": tuple("abcdef"), "count": 6})
    [first, second] = violations(InvalidInput(named, Problem("stale_order", pointer="items/3/id")))
    assert (first.field, first.reason) == ("units", "merge_unnamed")
    assert first.description == "Choose a side for each of these units: a, b, c, d, e …."
    assert (second.field, second.description) == (
        "items.3.id",
        "Name every item of the list once; read the list again.",
    )


@pytest.mark.parametrize("name", ["ж" * 255, "w" * 255, "ж", "w"])
def test_many_problems_fit_into_the_metadata_of_grpc(name):
    error = InvalidInput(*(Problem("no_unit", pointer=f"units/{name}{number}") for number in range(40)))
    status = answer_of(error, ERRORS)[1]
    assert 0 < len(violations(error)) <= 20
    assert status.details.startswith(f"units.{name}0: no_unit")
    [(_, packed)] = status.trailing_metadata
    assert len(quote(status.details)) + len(b64encode(packed)) < 8000


def violations(error):
    """What ``google.rpc.BadRequest`` says of each field."""
    status = Status()
    status.ParseFromString(dict(answer_of(error, ERRORS)[1].trailing_metadata)["grpc-status-details-bin"])
    found = BadRequest()
    assert [detail.Unpack(found) for detail in status.details] == [False, True]
    return found.field_violations

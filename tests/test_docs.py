"""The files that the documents name exist, and the commands in the README work."""

import json
import re
import subprocess
from pathlib import Path

import click
import pytest
from gameshelf.gateway.configuration import FIELDS
from gameshelf.gateway.runtime.observability.metrics import Metrics
from gameshelf.gateway.runtime.settings import CONFIG_VARIABLE
from gameshelf.gateway.wiring import COMPOSITION, ERRORS
from gameshelf.libctl.main import NOUNS, cli
from gameshelf.library import LinkVerdict
from gameshelf.savegames.s3 import cors_rule

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
]
# Pages about the present: a changelog may name what is gone, and deviations what was never made.
NOW = [page for page in PAGES if page.name not in ("CHANGELOG.md", "deviations.md")]
SETTING = re.compile(
    r"\b(?:LIBRARY_SERVICE|REDIS|KAFKA|S3|POSTGRES|AUTH|GRPC|RATE_LIMIT|OTEL|ERASURE|CATALOG_SERVICE)_[A-Z0-9_]+\b"
)
COMMAND = re.compile(r"`libctl ((?:--[a-z]+ )?[a-z]+)(?: ([a-z-]+(?:\\?\|[a-z-]+)*))?")
SUFFIX = "total|seconds|pending|lag|open|replaced|refused|deferred|size|connections"
METRIC = re.compile(rf"`([a-z_]+_(?:{SUFFIX}))(?:\{{[a-z,]+\}})?`")
CODE = re.compile(r"(`+)(?:(?!\1).)+?\1")
WRAPPED = [page for page in PAGES if ROOT / "docs" in page.parents or page.name.startswith("README")]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
STATUS = re.compile(r"accepted|superseded by [0-9]+")
GATEWAY = ROOT / "services" / "gateway" / "src" / "gameshelf" / "gateway"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    gone = [link for link in LINK.findall(text) if "://" not in link and not (page.parent / link).exists()]
    assert not gone


def test_every_page_of_the_docs_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = {link.partition("/")[0] for link in LINK.findall(index)}
    there = {path.name for path in (ROOT / "docs").iterdir() if path.suffix == ".md" or path.is_dir()} - {"README.md"}
    assert there <= listed


def labelled(text, label):
    """Returns the text behind a label at the head of a decision."""
    return re.findall(rf"^\* \*\*{label}\*\*: (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_a_date_a_status_and_all_parts(page):
    text = page.read_text(encoding="utf-8")
    title, *parts = re.findall(r"^#+ .+$", text, re.MULTILINE)
    assert title.startswith(f"# {int(page.name[:4])}. ")
    assert parts == ["## Context", "## Decision", "## Consequences", "## Rejected"]
    [date], [status] = labelled(text, "Date"), labelled(text, "Status")
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date)
    assert STATUS.fullmatch(status)


def test_the_index_of_decisions_says_what_they_say():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(.+)\]\((.+)\) \| (.+) \| (.+) \|$", index, re.MULTILINE)
    there = []
    for page in DECISIONS:
        text = page.read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        there.append((title, page.name, *labelled(text, "Date"), *labelled(text, "Status")))
    assert listed == there


def test_the_picture_shows_every_package_and_no_file_that_is_gone():
    drawing = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    shown = " ".join(re.findall(r">([^<>]+)<", drawing))
    packages = {path.parent.name for path in ROOT.glob("packages/*/pyproject.toml")}
    assert {name for name in packages if name not in shown} == set()
    files = re.findall(r"\b[a-z]+/(?:[a-z]+)?|\b[a-z_]+\.py\b", shown)
    assert files
    roots = (ROOT, GATEWAY, GATEWAY / "runtime")
    assert not [name for name in files if not any((root / name).exists() for root in roots)]


def test_the_architecture_names_every_folder_of_the_gateway():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = [path for part in ("domains", "runtime") for path in (GATEWAY / part).iterdir() if path.is_dir()]
    names = [f"{path.parent.name}/{path.name}" for path in folders if not path.name.startswith("_")]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_gateways_readme_names_every_folder():
    """Those below ``runtime`` too, such as ``runtime/http/openapi``."""
    text = (ROOT / "services" / "gateway" / "README.md").read_text(encoding="utf-8")
    folders = [
        str(path.relative_to(GATEWAY))
        for pattern in ("domains/*/", "runtime/**/")
        for path in GATEWAY.glob(pattern)
        if path.is_dir() and path.name not in ("__pycache__", "runtime", "versions")
    ]
    assert len(folders) > 20
    assert [name for name in folders if f"`{name}/`" not in text] == []


def test_every_package_is_named_where_newcomers_look():
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/architecture.md"))
    packages = [str(path.parent.relative_to(ROOT)) for path in ROOT.glob("*/*/pyproject.toml")]
    assert len(packages) > 8
    assert [name for name in packages if name not in text] == []


@pytest.mark.parametrize("page", NOW, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_and_command_that_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    settings = {*FIELDS, CONFIG_VARIABLE}
    assert set(SETTING.findall(text)) <= settings | ERRORS.codes.keys()
    for noun, verbs in COMMAND.findall(text):
        name = noun.rpartition(" ")[2]
        if name in ("completion", "quota"):  # whose second word may be an argument
            verbs = ""
        assert name in NOUNS or cli.get_command(click.Context(cli), name), f"libctl {noun}"
        group = cli.get_command(click.Context(cli), name)
        for verb in filter(None, re.split(r"\\?\|", verbs)):
            assert isinstance(group, click.Group), f"libctl {noun} {verb}"
            assert verb in group.commands, f"libctl {noun} {verb}"


def test_every_metric_in_the_operating_guide_is_there():
    named = set(METRIC.findall((ROOT / "docs" / "operating.md").read_text(encoding="utf-8")))
    there = {metric.name for metric in Metrics(COMPOSITION.metrics).registry.collect()}
    assert named
    assert not {name for name in named if name not in there and name.removesuffix("_total") not in there}


def test_every_reason_of_an_access_stands_where_callers_look():
    reasons = {*LinkVerdict, "owned", "claimable", "refunded", "not_owned"}
    proto = (ROOT / "protos" / "library" / "v1" / "library_query_service.proto").read_text(encoding="utf-8")
    message = proto[proto.index("message CheckGameAccessResponse") :].partition("}")[0]
    for text in (message, (ROOT / "docs" / "grpc.md").read_text(encoding="utf-8")):
        assert {str(reason) for reason in reasons if f"`{reason}`" not in text} == set()


def prose(page):
    """The lines of a page that are neither code, nor of a table, nor a heading."""
    is_code = False
    for line in page.read_text(encoding="utf-8").splitlines():
        text = line.lstrip()
        if text.startswith("```"):
            is_code = not is_code
        elif not is_code and not text.startswith(("|", "#")):
            yield line


@pytest.mark.parametrize("page", WRAPPED, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_prose_of_a_page_is_wrapped(page):
    # One piece of code, or a link, that is longer by itself stays whole.
    assert not [line for line in prose(page) if len(line) > 120 and " " in CODE.sub("", line.lstrip("*+- "))]


def test_the_documented_cors_rule_is_what_prepare_bucket_sets():
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    [shown] = re.findall(r'^\{"CORSRules".*?(?=^```)', text, re.MULTILINE | re.DOTALL)
    assert json.loads(shown) == {"CORSRules": [cors_rule(["https://shop.example"])]}

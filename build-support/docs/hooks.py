"""Hooks of mkdocs: pages that do not stand in docs/, and links to files of the repository.

READMEs and changelogs stay beside their packages, where those who read the code look for them, and the API reference is
made from docstrings. Links in all of them are relative to the repository, as its other readers need them.
"""

import os
import posixpath
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
# `[text](link)`, and `[name]: link` on a line of its own.
_LINK = re.compile(r"(\]\(|^\[[^\]]+\]: )([^)\s]+)(\)|$)", re.MULTILINE)
_FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_DIAGRAM = re.compile(r"^```mermaid$.*?^```$", re.MULTILINE | re.DOTALL)
_PAGES = {"README.md": "readme.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}


def _distributions() -> Iterator[tuple[str, str]]:
    """Short name and folder of each."""
    for pattern in ("packages/*", "protos", "services/*", "tools/*", "clients/*"):
        for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml")):
            name = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]
            yield name.removeprefix("gameshelf-"), path.parent.relative_to(ROOT).as_posix()


def _with_api() -> list[str]:
    return [name for name, folder in _distributions() if folder.startswith("packages/")]


def _decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def _mapped() -> dict[str, str]:
    """Path in the repository → page of the site, for what does not stand in docs/."""
    mapped = dict(_PAGES)
    for name, folder in _distributions():
        mapped[f"{folder}/README.md"] = f"packages/{name}/index.md"
        mapped[f"{folder}/CHANGELOG.md"] = f"changelogs/{name}.md"
    mapped["clients/typescript/README.md"] = "packages/client-typescript/index.md"  # no distribution of Python
    mapped["clients/typescript/CHANGELOG.md"] = "changelogs/client-typescript.md"
    return mapped


MAPPED = _mapped()
REPOSITORY_PATH = {page: path for path, page in MAPPED.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds READMEs, changelogs, the API reference, and the files that any page links to."""
    drawing = Path(os.environ["MERMAID_FILE"]).read_bytes()
    files.append(File.generated(config, "javascripts/mermaid.min.js", content=drawing))
    style = Path(__file__).with_name("site.css").read_bytes()
    files.append(File.generated(config, "stylesheets/site.css", content=style))
    for path, page in MAPPED.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text(encoding="utf-8")))
    for name, folder in _distributions():
        if name in _with_api():
            files.append(File.generated(config, f"packages/{name}/api.md", content=_reference(name, folder)))
    linked = {
        _target(_repository_path(file.src_uri), link)
        for file in files.documentation_pages()
        for _, link, _ in _LINK.findall(file.content_string)
        if _is_local(link)
    }
    for path in sorted(linked):
        source = _source_page(path)
        if source is None or files.get_file_from_path(source) is not None:
            continue
        if (ROOT / path).is_file():
            files.append(File.generated(config, source, content=(ROOT / path).read_bytes()))
        elif (ROOT / path).is_dir():
            files.append(File.generated(config, source, content=_listing(path)))
            for child in sorted((ROOT / path).iterdir()):
                inner = child.relative_to(ROOT).as_posix()
                if child.is_file() and files.get_file_from_path(f"source/{inner}.txt") is None:
                    files.append(File.generated(config, f"source/{inner}.txt", content=child.read_bytes()))
    return files


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds to the navigation what follows from the folders: decisions, packages, changelogs."""
    decisions = ["decisions/README.md", *(f"decisions/{path.name}" for path in _decisions())]
    for section in config.nav:
        if "Explanation" in section:
            section["Explanation"].append({"Decisions": decisions})
    names = [name for name, _ in _distributions()]
    packages = [
        {name: [f"packages/{name}/index.md", *([{"API": f"packages/{name}/api.md"}] if name in _with_api() else [])]}
        for name in names
    ]
    names.append("client-typescript")
    packages.append({"client-typescript": ["packages/client-typescript/index.md"]})
    config.extra_javascript.append("javascripts/mermaid.min.js")
    config.extra_css.append("stylesheets/site.css")
    config.nav.append({"Packages": packages})
    config.nav.append({"Changelogs": [{name: f"changelogs/{name}.md"} for name in names]})
    return config


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links to files of the repository into links to pages of the site."""
    here = page.file.src_uri
    path = _repository_path(here)

    def replaced(link: re.Match[str]) -> str:
        if not _is_local(link[2]):
            return link[0]
        target, mark, anchor = link[2].partition("#")
        if not target:
            return link[0]
        found = _site_page(_target(path, target))
        if found is None or (found == _target(here, target)):
            return link[0]
        return f"{link[1]}{posixpath.relpath(found, posixpath.dirname(here) or '.')}{mark}{anchor}{link[3]}"

    if _DIAGRAM.search(markdown):
        page.meta["hide"] = ["toc"]  # diagrams need the width
    markdown = _DIAGRAM.sub(lambda found: f'<div class="diagram" markdown>\n\n{found[0]}\n\n</div>', markdown)
    kept: list[str] = []
    without = _FENCE.sub(lambda fence: kept.append(fence[0]) or f"\0{len(kept) - 1}\0", markdown)
    return re.sub("\0([0-9]+)\0", lambda number: kept[int(number[1])], _LINK.sub(replaced, without))


def _repository_path(page: str) -> str:
    return REPOSITORY_PATH.get(page, f"docs/{page}")


def _is_local(link: str) -> bool:
    return not re.match(r"[a-z][a-z+.-]*:", link)


def _target(path: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), link.partition("#")[0]))


def _site_page(path: str) -> str | None:
    """The page of a path in the repository; None where there is nothing."""
    if path.startswith("docs/"):
        inside = path.removeprefix("docs/")
        return f"{inside}/README.md" if (ROOT / path).is_dir() and (ROOT / path / "README.md").exists() else inside
    if path in MAPPED:
        return MAPPED[path]
    if f"{path}/README.md" in MAPPED:
        return MAPPED[f"{path}/README.md"]
    return _source_page(path)


def _source_page(path: str) -> str | None:
    """Where a file or folder that is no page stands in the site."""
    if path.startswith("docs/") or path == "docs" or path in MAPPED or f"{path}/README.md" in MAPPED:
        return None
    if (ROOT / path).is_dir():
        return f"source/{path}/index.md"
    return f"source/{path}.txt" if (ROOT / path).is_file() else None


def _listing(path: str) -> str:
    files = [child.name for child in sorted((ROOT / path).iterdir()) if child.is_file()]
    return f"# {path}\n\n" + "".join(f"* [{name}]({name}.txt)\n" for name in files)


def _reference(name: str, folder: str) -> str:
    """The package's API: what its `__init__` exports, or its public modules where it exports nothing."""
    package = ROOT / folder / "src" / "gameshelf" / name
    title = f"# gameshelf.{name}\n\n"
    if "__all__" in (package / "__init__.py").read_text(encoding="utf-8"):
        return f"{title}::: gameshelf.{name}\n"
    modules = [path.stem for path in sorted(package.glob("*.py")) if not path.stem.startswith("_")]
    options = "    options:\n      heading_level: 3\n"
    return title + "".join(f"## {module}\n\n::: gameshelf.{name}.{module}\n{options}\n" for module in modules)

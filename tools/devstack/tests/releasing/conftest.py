"""A repository like this one: kernel, and library that needs it."""

import subprocess
from dataclasses import dataclass

import pytest
from gameshelf.devstack.cli import main

PROJECT = """[project]
name = "gameshelf-{name}"
version = "{version}"
requires-python = ">=3.11"
dependencies = [
    "asyncpg>=0.32,<0.33",
{needs}]

[tool.hatch.build.targets.wheel]
packages = ["src/gameshelf"]
"""
CHANGELOG = """# Changelog of gameshelf-{name}

## [Unreleased]

### Added

- A thing.

## [0.1.0] - 2026-11-23

### Added

- The first thing.
"""


class Repository:
    def __init__(self, root):
        self.root = root

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def git(self, *arguments):
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def add_package(self, name, *, version="0.2.0.dev0", needs=()):
        folder = f"packages/{name}"
        listed = "".join(f'    "{need}",\n' for need in needs)
        self.write(f"{folder}/pyproject.toml", PROJECT.format(name=name, version=version, needs=listed))
        self.write(f"{folder}/CHANGELOG.md", CHANGELOG.format(name=name))
        self.write(f"{folder}/src/gameshelf/{name}/__init__.py", f'__version__ = "{version}"\n')


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@gameshelf.example")
    made = Repository(tmp_path / "repository")
    made.write("pyproject.toml", '[tool.gameshelf]\nhome = "https://shelf.example/"\n')
    made.add_package("kernel")
    made.add_package("library", needs=["gameshelf-kernel>=0.2.0.dev0,<0.3"])
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit("feat: begin")
    monkeypatch.setenv("GAMESHELF_ROOT", str(made.root))
    return made


@dataclass
class Outcome:
    exit_code: int
    output: str


@pytest.fixture
def run(capsys):
    """Runs `./dev release` with arguments."""

    def run(*arguments):
        code = 0
        try:
            main(["release", *arguments])
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return Outcome(code, said.out + said.err)

    return run

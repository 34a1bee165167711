"""People with complaints, and the pages that answer them."""

import shlex
from uuid import UUID

import pytest

from .players import Player, says
from .recorded_page import RecordedPage


@pytest.fixture(scope="module")
def say(platform):
    return lambda what, **data: says(platform, what, **data)


@pytest.fixture(scope="module")
def new_player(platform, service, upload):
    """Makes players by a number."""
    made = []

    def make(number):
        made.append(Player(platform, service, upload, UUID(f"a11a0000-0000-4000-8000-{number:012}")))
        return made[-1]

    yield make
    for one in made:
        one.http.close()


@pytest.fixture(scope="module")
def new_game(say):
    """Makes a game that the Catalog knows, by a number."""

    def make(number, title, **more):
        game = UUID(f"9a3e0000-0000-4000-8000-{number:012}")
        say("catalog.product.updated", productId=str(game), newTitle={"ru": title, "en": title}, **more)
        return game

    return make


@pytest.fixture
def page(staff, tmp_path, monkeypatch):
    """Opens a page by its name; it is checked by the story itself. What is downloaded has a folder of its own."""
    people = {role: staff(role) for role in ("support", "admin")}
    monkeypatch.chdir(tmp_path)

    def typed(line, by, columns):
        somebody = people[by]
        somebody.columns = columns
        command, shows_code, _ = line.partition("; echo exit code $?")
        ran = somebody.run(*shlex.split(command)[1:], merged=True, LIBCTL_LANGUAGE="en")
        printed = [*ran.out.splitlines(), *([f"exit code {ran.code}"] if shows_code else [])]
        return "".join(f"{one.rstrip()}\n" for one in printed)

    return lambda name: RecordedPage(name, typed)

"""People with complaints, and the pages that answer them."""

import asyncio
import shlex
from uuid import UUID

import httpx
import pytest
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for

from .recorded_page import RecordedPage


class Player:
    """Somebody with a device, who is known by a name and has an id of its own on each page."""

    def __init__(self, platform, service, user_id):
        self.id, self.platform = user_id, platform
        headers = {"Authorization": f"Bearer {platform.token(user_id)}", "Accept-Language": "en"}
        self.http = httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS)

    def post(self, path, **attributes):
        answer = self.http.post(path, json={"data": {"attributes": attributes}})
        assert answer.is_success, answer.text
        return answer.json()["data"] if answer.content else None

    def order(self, what, order, game, **more):
        items = [{"productId": str(game), "productType": "game", "quantity": 1}]
        data = {"userId": str(self.id), "orderId": order, "items": items, **more}
        says(self.platform, f"payment.purchase.{what}", **data)

    def owns(self, game):
        """Waits for the game, with its title."""
        wait_for(lambda: [one for one in self.http.get("/items").json()["data"] if self._is(one, game)])
        return self

    @staticmethod
    def _is(one, game):
        return one["attributes"]["product_id"] == str(game) and one["attributes"]["title"]


def says(platform, what, **data):
    """Publishes an event of another service."""
    asyncio.run(publish(platform.kafka.address, [CloudEvent(f"com.platform.{what}.v1", data)]))


@pytest.fixture(scope="module")
def say(platform):
    return lambda what, **data: says(platform, what, **data)


@pytest.fixture(scope="module")
def new_player(platform, service):
    """Makes players by a number."""
    made = []

    def make(number):
        made.append(Player(platform, service, UUID(f"a11a0000-0000-4000-8000-{number:012}")))
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
def page(staff):
    """Opens a page by its name; it is checked by the story itself."""
    people = {role: staff(role) for role in ("support", "admin")}

    def typed(line, by, columns):
        somebody = people[by]
        somebody.columns = columns
        ran = somebody.run(*shlex.split(line)[1:], merged=True, LIBCTL_LANGUAGE="en")
        return "".join(f"{one.rstrip()}\n" for one in ran.out.splitlines())

    return lambda name: RecordedPage(name, typed)

"""Products that somebody owns before the Catalog has published them are fetched over gRPC."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
import pytest
from gameshelf.devstack.events import CloudEvent
from gameshelf.devstack.servers.base import free_port
from gameshelf.protos.external.catalog.v1 import catalog_service_pb2 as messages
from gameshelf.protos.external.catalog.v1.catalog_service_pb2_grpc import (
    CatalogServiceServicer,
    add_CatalogServiceServicer_to_server,
)


class Catalog(CatalogServiceServicer):
    """A Catalog that knows the products which a test adds, and can be away."""

    def __init__(self):
        self.port = free_port()
        self.products, self.asked, self.also = {}, [], []
        self.server = None

    async def GetProductsBatch(self, request, context):
        self.asked.append(list(request.product_ids))
        known = [self.products[product_id] for product_id in request.product_ids if product_id in self.products]
        return messages.GetProductsBatchResponse(products=[*known, *self.also])

    def knows(self, product_id, title="Лёд", **more):
        product = messages.Product(product_id=str(product_id), title_ru=title, product_type="game", **more)
        product.updated_at.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
        self.products[str(product_id)] = product
        return product

    async def start(self):
        self.server = grpc.aio.server()
        add_CatalogServiceServicer_to_server(self, self.server)
        self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self.server.start()

    async def stop(self):
        await self.server.stop(None)


@pytest.fixture(scope="module")
async def catalog():
    made = Catalog()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="module")
async def service(platform, catalog):
    made = platform.service(CATALOG_SERVICE_GRPC_ADDR=f"127.0.0.1:{catalog.port}")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def titles(player, wait_until):
    """Waits until the player sees these titles, in any order."""

    async def seen(*expected):
        async def shown():
            items = (await player.get("/items"))["data"]
            return {item["attributes"]["title"] for item in items} == set(expected)

        await wait_until(shown)

    return seen


async def test_an_unknown_bought_product_gets_its_title_until_an_event_does(catalog, player, titles):
    game = uuid4()
    catalog.knows(game, title_en="Ice", cover_image_url="https://cdn.example/ice.png")
    await player.buys(game)
    await titles("Лёд")
    item = (await player.get("/items"))["data"][0]["attributes"]
    assert item["cover_image_url"] == "https://cdn.example/ice.png"
    await player.publish(
        CloudEvent("com.platform.catalog.product.updated.v1", {"productId": str(game), "newTitle": "Лёд 2"})
    )
    await titles("Лёд 2")


async def test_unknown_or_malformed_products_do_not_delay_the_others(platform, catalog, player, titles):
    good, unknown, too_long, bad_time, not_asked = (uuid4() for _ in range(5))
    catalog.knows(good, "Хорошая")
    catalog.knows(too_long, "т" * 501)
    catalog.knows(bad_time, "Когда?").updated_at.seconds = 2**60
    catalog.also = [messages.Product(product_id=wrong, title_ru="Чужая") for wrong in ("", "no id", str(not_asked))]
    await player.buys(good, unknown, too_long, bad_time)
    await titles("Хорошая", None)
    connection = await asyncpg.connect(platform.dsn)
    assert not await connection.fetchval("SELECT count(*) FROM library.products WHERE product_id = $1", not_asked)
    await connection.close()


async def test_after_an_outage_of_the_catalog_titles_come_by_themselves(catalog, player, titles):
    game = uuid4()
    catalog.knows(game, "Вернулась")
    await catalog.stop()
    await player.buys(game)
    await titles(None)
    await catalog.start()
    await titles("Вернулась")


async def test_products_are_asked_for_in_bounded_batches_of_good_ids(catalog, player, wait_until):
    games = {str(uuid4()) for _ in range(150)}
    await player.buys(*map(UUID, games))

    async def all_were_asked_for():
        return games <= {one for asked in catalog.asked for one in asked}

    await wait_until(all_were_asked_for)
    assert all(0 < len(asked) <= 100 for asked in catalog.asked)
    assert all(str(UUID(one)) == one for asked in catalog.asked for one in asked)

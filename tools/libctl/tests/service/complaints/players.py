"""The players who complain: each has a name, devices, and an id of its own on each page."""

import asyncio

import httpx
from gameshelf.devstack.events import CloudEvent, publish
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS, wait_for


class Player:
    """Somebody with a device."""

    def __init__(self, platform, service, upload, user_id):
        self.id, self.platform, self._upload = user_id, platform, upload
        headers = {"Authorization": f"Bearer {platform.token(user_id)}", "Accept-Language": "en"}
        self.http = httpx.Client(base_url=service.api, headers=headers, timeout=PATIENCE_SECONDS)

    def post(self, path, **attributes):
        return self._answer(self.http.post(path, json={"data": {"attributes": attributes}}))

    def patch(self, path, **attributes):
        return self._answer(self.http.patch(path, json={"data": {"attributes": attributes}}))

    @staticmethod
    def _answer(answer):
        assert answer.is_success, answer.text
        return answer.json()["data"] if answer.content else None

    def order(self, what, order, *games, **more):
        items = [{"productId": str(game), "productType": "game", "quantity": 1} for game in games]
        data = {"userId": str(self.id), "orderId": order, "items": items, **more}
        says(self.platform, f"payment.purchase.{what}", **data)

    def sees(self, game):
        """The game in the library, if it is there with its title."""
        for one in self.http.get("/items").json()["data"]:
            if one["attributes"]["product_id"] == str(game) and one["attributes"]["title"]:
                return one
        return None

    def owns(self, *games):
        """Waits for games."""
        for game in games:
            wait_for(lambda game=game: self.sees(game))
        return self

    def save(self, game, size, slot, device, **more):
        """Saves that many bytes, other ones for each slot and size; a conflict is kept as it arises."""
        saved = self._upload(self.http, game, f"{slot} {size} ".encode().ljust(size, b"."), slot, device, **more)
        assert "version" in saved or saved["code"] == "SAVEGAME_VERSION_CONFLICT", saved

    def slot(self, name):
        """The id of a save."""
        found = self.http.get("/savegames").json()["data"]
        [savegame_id] = [one["id"] for one in found if one["attributes"]["slot_name"] == name]
        return savegame_id

    def discard(self, name):
        """Moves a save to the trash."""
        assert self.http.delete(f"/savegames/{self.slot(name)}").is_success

    def plays(self, game, device):
        """Starts a session; its id."""
        return self.post("/playtime/sessions/start", product_id=str(game), device_id=device, platform="linux")["id"]

    def played(self, device, sessions):
        """Imports sessions that were played offline: each one's name, game, start and end."""
        imported = [
            {
                "client_session_id": name,
                "product_id": str(game),
                "start_time": start.isoformat(),
                "end_time": end.isoformat(),
                "device_id": device,
            }
            for name, game, start, end in sessions
        ]
        self.post("/playtime/sessions/import", sessions=imported)

    def shares_with(self, member):
        """Shares all games with somebody who accepts; the link's id."""
        link = self.post("/family/links", shared_with_user_id=str(member.id))["id"]
        member.post(f"/family/links/{link}/accept")
        return link


def says(platform, what, **data):
    """Publishes an event of another service."""
    asyncio.run(publish(platform.kafka.address, [CloudEvent(f"com.platform.{what}.v1", data)]))

"""Whatever is requested, sent, cancelled and forgotten, in any order: each content counts once while it is awaited."""

from random import Random

import pytest
from gameshelf.savegames import UserQuotaExceeded

CONTENTS = [b"x" * size for size in range(1, 9)]
STEPS = 40


class Counted:
    """What should be used and reserved, beside the player's tables."""

    def __init__(self, sets, random):
        self.sets, self.player, self.random = sets, sets.player, random
        self.open = {}  # the contents of open uploads
        self.live = set()

    async def request_set(self):
        chosen = self.random.sample(CONTENTS, self.random.randint(1, 4))
        files = {f"f{number}": data for number, data in enumerate(chosen)}
        slot, device = self.random.choice(["a", "b"]), self.random.choice(["pc", "deck"])
        reservation = await self.sets.request(files, slot=slot, device_id=device, base_version=0)
        assert {one.size for one in reservation.missing} <= {len(data) for data in chosen}
        self.open[reservation.upload_id] = set(chosen)

    async def request_single(self):
        data = self.random.choice(CONTENTS)
        reservation = await self.player.request(data, "single", base_version=0)
        self.open[reservation.upload_id] = {data}

    async def save_single(self):
        data = self.random.choice(CONTENTS)
        await self.player.save(data, f"saved {len(data)}")
        self.live.add(data)

    async def verify(self):
        for upload_id in [row["id"] for row in await self.player.rows("uploads") if row["manifest_id"]]:
            reservation = await self.sets.sets.renew(self.sets.id, upload_id)
            self.sets.send(reservation, *self.random.sample(CONTENTS, 4))
            await self.sets.verify(reservation, limit=2)
            return

    async def cancel(self):
        if self.open:
            upload_id = self.random.choice(sorted(self.open))
            await self.player.uploads.cancel(self.sets.id, upload_id)
            del self.open[upload_id]

    async def expire(self):
        self.player.later(hours=2)
        await self.player.sweep()
        self.open.clear()

    async def delete(self):
        rows = await self.player.rows("slots")
        saved = [row for row in rows if row["head_version"]]
        if saved:
            row = self.random.choice(saved)
            await self.player.service.delete(self.sets.id, row["id"], permanent=True)
            self.live = None

    async def check(self):
        contents = await self.player.rows("contents")
        live = {row["file_size_bytes"] for row in contents if row["state"] == "live"}
        if self.live is not None:
            assert live == {len(data) for data in self.live}
        self.live = {b"x" * size for size in live}
        awaited = set().union(*self.open.values()) - self.live
        assert await self.player.usage() == (sum(live), sum(map(len, awaited)))


@pytest.mark.parametrize("seed", range(3))
async def test_each_awaited_content_is_reserved_once(new_player, of_player, seed):
    random = Random(seed)
    counted = Counted(of_player(new_player()), random)
    steps = [counted.request_set] * 5 + [counted.request_single] * 2 + [counted.verify] * 3
    steps += [counted.save_single, counted.cancel, counted.cancel, counted.delete, counted.expire]
    for _ in range(STEPS):
        await random.choice(steps)()
        await counted.check()


async def test_a_limit_of_the_reserved_bytes_holds_for_both_kinds(new_player, of_player):
    sets = of_player(new_player(quota_bytes=20))
    random, refused = Random(1), 0
    for number in range(30):
        data = [bytes([number, size]) * size for size in random.sample(range(1, 5), 2)]
        try:
            if number % 2:
                await sets.request({"a": data[0], "b": data[1]}, slot=f"slot {number}")
            else:
                await sets.player.request(data[0], f"slot {number}")
        except UserQuotaExceeded:
            refused += 1
        used, reserved = await sets.player.usage()
        assert used + reserved <= 20
    assert refused

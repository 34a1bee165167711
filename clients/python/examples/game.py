"""A game: ``python game.py API TOKEN PRODUCT FOLDER``. It plays, unlocks and saves, with and without the network."""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

import gameshelf.client as library

network = suppress(library.LibraryUnreachable, library.ForeignAnswer, library.ContentDamaged)  # then it waits


async def play(api, token, product, folder):
    file, rules = Path(folder) / "save.json", library.RetryRules(tries=2, tries_to_connect=1)  # a player waits
    state = json.loads(file.read_text()) if file.exists() else {"score": 0, "version": 0, "is_saved": True}
    async with library.LibraryClient(api, token, device_id="deck-7", retries=rules) as client:
        with network:  # the save of this device, or the cloud's if that is newer
            for save in await client.saves.list_saves(product_id=product).all() if state["is_saved"] else ():
                if save["attributes"]["slot_name"] == "main" and save["attributes"]["version"] != state["version"]:
                    loaded = await client.saves.download(save["id"])
                    state = {**json.loads(loaded.single_file), "version": loaded.version, "is_saved": True}
                    file.write_text(json.dumps(state))  # it is reported when it is on the disk
                    await client.saves.report_synced(save["id"], {"version": loaded.version, "device_id": "deck-7"})
        queue = client.offline_queue(library.FileQueueStore(Path(folder) / "queue.db"))
        async with client.play(product, queue=queue, on_notice=lambda notice: print(notice.kind)):
            state["score"] += await asyncio.sleep(1.2, 10)  # here is the game
            await queue.add_unlock(product, "FIRST_STEP", device_id="deck-7")
        file.write_text(json.dumps({**state, "is_saved": False}))
        with network:
            print("sent:", len((await queue.send()).sent))
            about = {"product_id": product, "save_slot_name": "main", "base_version": state["version"]}
            saved = await client.saves.upload(about, json.dumps({"score": state["score"]}).encode())
            print("saved:", saved.result)  # "conflict": both are kept, and the player decides
            if saved.save:
                file.write_text(json.dumps({**state, "version": saved.save["attributes"]["version"], "is_saved": True}))
    print("score:", state["score"])


asyncio.run(play(*sys.argv[1:]))

# A game: `python game.py API TOKEN PRODUCT FOLDER`. It plays, unlocks and saves, with and without the network.
import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

import gameshelf.client as library


async def play(api, token, product, folder):
    def keep(state):  # a crash in the middle leaves the one before
        file.with_suffix(".new").write_text(json.dumps(state))
        file.with_suffix(".new").replace(file)

    file, rules = Path(folder) / "save.json", library.RetryRules(tries=2, tries_to_connect=1)  # a player waits
    state = json.loads(file.read_text() if file.exists() else '{"score": 0, "version": 0, "pending": null}')
    async with library.LibraryClient(api, token, device_id="deck-7", retries=rules) as client:
        with suppress(library.LibraryUnreachable, library.ForeignAnswer, library.ContentDamaged):  # then it waits
            here = ["upload", *[one["id"] async for one in client.saves.list_conflicts(product_id=product)]]
            for save in () if state["pending"] in here else await client.saves.list_saves(product_id=product).all():
                if save["attributes"]["slot_name"] == "main" and save["attributes"]["version"] != state["version"]:
                    loaded = await client.saves.download(save["id"])
                    keep(state := {**json.loads(loaded.single_file), "version": loaded.version, "pending": None})
                    await client.saves.report_synced(save["id"], {"version": loaded.version, "device_id": "deck-7"})
        queue = client.offline_queue(library.FileQueueStore(Path(folder) / "queue.db"))
        async with client.play(product, queue=queue, on_notice=lambda notice: print(notice.kind)):
            state["score"] += await asyncio.sleep(1.2, 10)  # here is the game
            await queue.add_unlock(product, "FIRST_STEP", device_id="deck-7")
        keep({**state, "pending": "upload"})
        with suppress(library.LibraryUnreachable, library.ForeignAnswer, library.ContentDamaged):
            print("sent:", len((await queue.send()).sent))
            about = {"product_id": product, "save_slot_name": "main", "base_version": state["version"]}
            saved = await client.saves.upload(about, json.dumps({"score": state["score"]}).encode())
            keep({**state, "version": saved.own_version or state["version"], "pending": saved.meta.get("conflict_id")})
            print("saved:", saved.result)  # "conflict": both are kept until the player decides, here or elsewhere
    print("score:", state["score"])


asyncio.run(play(*sys.argv[1:]))

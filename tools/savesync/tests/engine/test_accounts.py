"""Two accounts of a machine that play a game in the same folders."""

from dataclasses import replace

import pytest
from gameshelf.savesync.report import SyncAction, SyncExit, SyncIntent
from gameshelf.savesync.setup import SyncOptions

PRODUCT = "9e107d9d-372b-4cb6-8a5b-6d1f6f3f6c11"


@pytest.fixture
def accounts(deck):
    """The setups of two accounts; each has a cloud of its own, which is a slot here."""

    def of(name):
        setup = replace(deck.setup, state_folder=deck.home / "states" / name / PRODUCT, slot_name=name)
        return deck.sync_of(**{key: getattr(setup, key) for key in ("state_folder", "slot_name")})

    return of


async def test_the_save_of_another_account_is_not_uploaded(cloud, accounts, deck):
    anna, ben = accounts("anna"), accounts("ben")
    deck.write(a="of Anna")
    assert (await anna.run(SyncIntent.LAUNCH)).slots[0].version == 1
    report = await ben.run(SyncIntent.LAUNCH)
    assert (report.exit_code, report.slots[0].question.code) == (SyncExit.DECISION_NEEDED, "FOLDER_OF_ANOTHER_ACCOUNT")
    assert str(deck.saves) in report.slots[0].question.text
    assert (await ben.status()).slots[0].question.option == "--take-over"
    assert "ben" not in cloud.service.slots
    deck.write(a="of Anna, further")
    assert (await anna.run(SyncIntent.LAUNCH)).slots[0].version == 2


async def test_a_save_that_was_taken_over_is_asked_about_on_the_way_back(cloud, accounts, deck):
    anna, ben = accounts("anna"), accounts("ben")
    deck.write(a="of Anna")
    await anna.run(SyncIntent.LAUNCH)
    took = await ben.run(SyncIntent.LAUNCH, SyncOptions(takes_over=True))
    assert (took.slots[0].action, took.slots[0].version) == (SyncAction.UPLOAD, 1)
    deck.write(a="of Ben")
    assert (await ben.run(SyncIntent.LAUNCH)).slots[0].version == 2
    assert (await anna.run(SyncIntent.LAUNCH)).slots[0].question.code == "FOLDER_OF_ANOTHER_ACCOUNT"
    assert cloud.head_files("anna") == {"saves/a.sav": b"of Anna"}


async def test_an_empty_folder_is_filled_for_either(cloud, accounts, deck):
    anna, ben = accounts("anna"), accounts("ben")
    deck.write(a="of Anna")
    await anna.run(SyncIntent.LAUNCH)
    (deck.saves / "a.sav").unlink()
    cloud.history(cloud.service.add_version("ben", {"saves/a.sav": b"of Ben"})).head = 1
    assert (await ben.run(SyncIntent.LAUNCH)).slots[0].action is SyncAction.DOWNLOAD
    assert deck.files == {"a.sav": "of Ben"}
    (deck.home / "states" / "anna" / PRODUCT / "state.db").write_bytes(b"damaged")
    deck.write(a="of Ben, further")
    assert (await ben.run(SyncIntent.LAUNCH)).slots[0].version == 2


async def test_a_clock_that_was_set_back_does_not_decide_whose_save_it_is(cloud, accounts, deck, monkeypatch):
    anna, ben = accounts("anna"), accounts("ben")
    deck.write(a="of Anna")
    await anna.run(SyncIntent.LAUNCH)
    monkeypatch.setattr("gameshelf.savesync.state.time", lambda: 0.0)
    await ben.run(SyncIntent.LAUNCH, SyncOptions(takes_over=True))
    deck.write(a="of Ben")
    assert (await ben.run(SyncIntent.LAUNCH)).slots[0].version == 2
    assert (await anna.run(SyncIntent.LAUNCH)).slots[0].question.code == "FOLDER_OF_ANOTHER_ACCOUNT"
    assert cloud.head_files("anna") == {"saves/a.sav": b"of Anna"}

"""What a client is asked to send of a set, and what it may download: over the store in memory."""

from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from uuid import uuid4

import pytest
from gameshelf.gateway.domains.savegames.metrics import SavegameMetrics
from gameshelf.gateway.domains.savegames.sets import SetSigner
from gameshelf.gateway.domains.savegames.use_cases import DownloadObject, Saves
from gameshelf.savegames import MissingFile, StoreUnavailable, incoming_key, staging_key
from gameshelf.savegames.testing import MemoryStore
from prometheus_client import CollectorRegistry

USER, UPLOAD = uuid4(), uuid4()
PART = 8 * 1024**2


class Rows:
    """The rows of one upload, in memory."""

    def __init__(self):
        self.multiparts, self.through = {}, b""

    async def keep_multipart(self, user_id, upload_id, sha256, old, new):
        if self.multiparts.get(sha256) == old:
            self.multiparts[sha256] = new
        return self.multiparts[sha256]

    async def set_arrived(self, user_id, upload_id, through):
        self.through = max(self.through, through)


class Uploading:
    """An upload of these contents, and its client."""

    def __init__(self, *contents):
        self.store, self.rows = MemoryStore(), Rows()
        self.contents = {sha256(content).digest(): content for content in contents}
        self.registry = CollectorRegistry()
        metrics = SavegameMetrics(self.registry)
        saves = Saves(self.store, None, metrics, 60, 0)
        self.signer = SetSigner(saves, _no_connection, lambda connection: self.rows, metrics)

    def missing(self, **more):
        return [
            MissingFile(
                digest,
                len(content),
                incoming_key(UPLOAD, digest),
                [sha256(content[at : at + PART]).digest() for at in range(0, len(content), PART)]
                if len(content) > PART
                else (),
                self.rows.multiparts.get(digest),
                **more,
            )
            for digest, content in sorted(self.contents.items())
        ]

    async def sign(self, missing=None, *, may_play=True):
        files = self.missing() if missing is None else missing
        return await self.signer.sign_uploads(USER, UPLOAD, files, self.rows.through, may_play=may_play)

    def counted(self, name, **labels):
        return self.registry.get_sample_value(name, {"direction": "download", **labels})

    async def send(self, signed, most=1000):
        for file in signed.files:
            content = self.contents[file.file.sha256]
            if file.request:
                await self.store.send(file.request, content)
            for part in file.parts[:most]:
                at = (part.number - 1) * PART
                await self.store.send(part.request, content[at : at + part.size])


@asynccontextmanager
async def _no_connection():
    yield None


def left(signed):
    return signed.missing_count, signed.missing_bytes


async def test_a_large_set_is_sent_by_a_hundred_at_a_time():
    uploading = Uploading(*(b"%04d" % number for number in range(250)))
    counts = []
    while (signed := await uploading.sign()).files:
        counts.append((len(signed.files), *left(signed)))
        await uploading.send(signed)
    assert counts == [(100, 250, 1000), (100, 150, 600), (50, 50, 200)]
    assert left(signed) == (0, 0)
    assert uploading.rows.through == max(uploading.contents)


async def test_parts_that_have_arrived_count_as_arrived():
    """A client asks until nothing is missing, and only the commit joins the parts."""
    uploading = Uploading(b"small", bytes(PART) + b"1", bytes(2 * PART) + b"2")
    signed = await uploading.sign()
    assert left(signed) == (3, 5 + 3 * PART + 2)
    assert sum(len(file.parts) for file in signed.files) == 5
    await uploading.send(signed, most=1)
    signed = await uploading.sign()
    assert left(signed) == (2, PART + 2)
    await uploading.send(signed)
    signed = await uploading.sign()
    assert (left(signed), list(signed.files)) == ((0, 0), [])


async def test_a_single_file_in_parts_has_the_key_of_a_single_file():
    content = bytes(PART) + b"1"
    uploading = Uploading(content)

    def missing():
        return [replace(one, key=staging_key(UPLOAD)) for one in uploading.missing()]

    await uploading.send(await uploading.sign(missing()), most=1)
    assert left(await uploading.sign(missing())) == (1, 1)
    uploading.store.upload(staging_key(UPLOAD), content)
    assert left(await uploading.sign(missing())) == (0, 0)


async def test_bytes_that_were_rejected_are_asked_for_again():
    uploading = Uploading(b"1", b"2", b"3")
    await uploading.send(await uploading.sign())
    first, *others = uploading.missing()
    signed = await uploading.sign([replace(first, is_rejected=True), *others])
    assert ([file.file.sha256 for file in signed.files], left(signed)) == ([first.sha256], (1, 1))
    assert uploading.rows.through == b""


async def test_without_access_nothing_is_signed_and_all_is_named():
    uploading = Uploading(b"1", b"22", bytes(PART) + b"1")
    signed = await uploading.sign(may_play=False)
    assert (left(signed), [one.file.sha256 for one in signed.files]) == ((3, PART + 4), sorted(uploading.contents))
    assert [(one.request, one.parts) for one in signed.files] == [(None, ())] * 3
    assert await uploading.store.open_parts("") == []
    many = Uploading(*(b"%04d" % number for number in range(150)))
    signed = await many.sign(may_play=False)
    assert (left(signed), len(signed.files)) == ((150, 600), 100)


async def test_an_upload_that_lacks_nothing_needs_no_store():
    uploading = Uploading()
    uploading.store.away = True
    assert left(await uploading.sign()) == (0, 0)
    uploading.contents[sha256(b"1").digest()] = b"1"
    with pytest.raises(StoreUnavailable):
        await uploading.sign()


async def test_a_hundred_contents_are_downloaded_by_their_names():
    uploading = Uploading()
    contents = [b"%03d" % number for number in range(120)]
    wanted = [
        DownloadObject(sha256(content).digest(), f"key-{number}", len(content), f"мир {number}.dat")
        for number, content in enumerate(contents)
    ]
    for one, content in zip(wanted, contents, strict=True):
        uploading.store.upload(one.key, content)
    urls = await uploading.signer.sign_downloads(wanted)
    assert [*urls] == [one.sha256 for one in wanted[:100]]
    signed = await uploading.store.sign_download("key-7", 60, "мир 7.dat")
    answer = await uploading.store.send(replace(signed, url=urls[wanted[7].sha256]))
    said = answer.headers["content-disposition"]
    assert (answer.body, said) == (b"007", "attachment; filename*=UTF-8''%D0%BC%D0%B8%D1%80%207.dat")


async def test_downloads_are_counted_by_their_bytes():
    uploading = Uploading()
    uploading.store.upload("key", b"four")
    await uploading.signer.sign_downloads([])
    assert uploading.counted("savegame_syncs_total", result="signed") is None
    await uploading.signer.sign_downloads([DownloadObject(sha256(b"four").digest(), "key", 4, "file")])
    assert uploading.counted("savegame_syncs_total", result="signed") == 1
    assert uploading.counted("savegame_sync_bytes_total") == 4

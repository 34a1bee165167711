"""Backups in a bucket: encrypted, whole or not there, deleted when they have expired, and restored from there."""

import json
from base64 import b64encode
from uuid import uuid4

import pytest
from botocore.session import get_session
from gameshelf.libctl.errors import ExitCode

from ..shown_tables import WIDE, headings_of


class Bucket:
    """A bucket of the test's own, seen without libctl."""

    def __init__(self, server):
        self.name = f"backups-{uuid4().hex[:8]}"
        server.create_bucket(self.name)
        self.address = f"s3://{self.name}/library"
        self.settings = {
            "LIBCTL_S3_ENDPOINT": server.endpoint,
            "LIBCTL_S3_ACCESS_KEY_ID": server.access_key,
            "LIBCTL_S3_SECRET_ACCESS_KEY": server.secret_key,
            "LIBCTL_BACKUP_KEY": key("2026-11", b"k"),
        }
        self._client = get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=server.endpoint,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
        )

    def names(self):
        return [entry["Key"] for entry in self._client.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def read(self, key):
        return self._client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def write(self, key, content):
        self._client.put_object(Bucket=self.name, Key=key, Body=content)

    def delete(self, key):
        self._client.delete_object(Bucket=self.name, Key=key)

    def begin(self, key):
        upload = self._client.create_multipart_upload(Bucket=self.name, Key=key)["UploadId"]
        self._client.upload_part(Bucket=self.name, Key=key, UploadId=upload, PartNumber=1, Body=b"x")

    def uploads(self):
        return self._client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])


def key(name, byte):
    return f"{name}:{b64encode(byte * 32).decode()}"


@pytest.fixture
def bucket(s3, monkeypatch):
    made = Bucket(s3)
    for name, value in made.settings.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def stored(bucket, libctl, library):
    """The address of a backup in the bucket."""
    made = libctl("backup", "create", bucket.address, "--json", dsn=library)
    assert made.code == ExitCode.OK, made.err
    return made.data["backup"]


def copied_to(bucket, address, day):
    """The objects of a backup under the name of another day; they do not decrypt there, as their place is signed."""
    backup_id = address.rpartition("/")[2]
    other = f"{day}T020000Z-00000000"
    for name in bucket.names():
        bucket.write(name.replace(backup_id, other), bucket.read(name))
    return other


def test_a_backup_is_encrypted_listed_verified_and_restored(
    bucket, libctl, library, stored, absent, tmp_path, databases, fetch
):
    keys = bucket.names()
    assert all(name.startswith(stored.removeprefix(f"s3://{bucket.name}/")) for name in keys)
    assert all(bucket.read(name).startswith(b"GSBACKUP1") for name in keys)
    assert not any(b"library" in bucket.read(name) for name in keys)
    assert len(fetch(library, "SELECT 1 FROM gateway.backups")) == 1  # by which the service knows its age
    [one] = libctl("backup", "list", bucket.address, "--json").data["backups"]
    assert (one["state"], one["problem"]) == ("good", None)

    verified = libctl("backup", "verify", bucket.address, "--work", tmp_path, "--json")
    assert (verified.code, verified.data["well"]) == (ExitCode.OK, True)
    dry = libctl("backup", "restore", bucket.address, "--json", dsn=absent)
    assert (dry.code, dry.data["backup"], dry.data["applied"]) == (ExitCode.OK, stored, False)
    restored = libctl("backup", "restore", stored, "--json", "--apply", "--reason", "INC-1")
    assert (restored.code, restored.data["differences"]) == (ExitCode.OK, []), restored.err
    assert fetch(absent, "SELECT backup FROM gateway.restores")[0]["backup"] == stored
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    assert not databases()


@pytest.mark.long
def test_a_drill_restores_from_the_bucket_and_knows_its_database(bucket, libctl, library, stored, server, tmp_path):
    held = libctl("backup", "drill", bucket.address, "--scratch", server, "--work", tmp_path, "--json", dsn=library)
    assert (held.code, held.data["problems"]) == (ExitCode.OK, []), held.err
    assert (held.data["backup"], held.data["marker"]["found"]) == (stored, True)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    newer = copied_to(bucket, stored, stored.rpartition("/")[2][:4] + "1231")
    held = libctl("backup", "drill", bucket.address, "--scratch", server, "--json")
    assert (held.code, held.data["backup"]) == (ExitCode.FAILED, stored)
    assert held.data["problems"][0].startswith(f"{newer} is newer, and unreadable")


@pytest.mark.long
def test_without_a_key_or_a_bucket_nothing_is_dumped(bucket, libctl, library):
    for setting, code in (
        ({"LIBCTL_BACKUP_KEY": ""}, ExitCode.USAGE),
        ({"LIBCTL_S3_SECRET_ACCESS_KEY": "wrong"}, ExitCode.FAILED),
    ):
        refused = libctl("backup", "create", bucket.address, dsn=library, **{**bucket.settings, **setting})
        assert refused.code == code, refused.err
        assert "dumping" not in refused.err
        assert "wrong" not in refused.err
    missing = libctl("backup", "create", f"{bucket.address}x".replace("s3://", "s3://no-"), **bucket.settings)
    assert missing.code == ExitCode.NOT_FOUND
    away = libctl("backup", "list", bucket.address, LIBCTL_S3_ENDPOINT="http://127.0.0.1:9")
    assert away.code == ExitCode.UNAVAILABLE


@pytest.mark.long
def test_a_missing_cut_or_swapped_object_is_found_before_a_restore(bucket, libctl, stored, absent, databases):
    one, two = sorted(name for name in bucket.names() if name.endswith(".gz"))[:2]
    content = bucket.read(one)
    bucket.write(one, bucket.read(two))  # of about the same size, and decryptable in its own place
    for damage in (lambda: bucket.write(one, content[:-100]), lambda: bucket.delete(one)):
        refused = libctl("backup", "restore", stored, "--apply", "--reason", "x", dsn=absent)
        assert refused.code == ExitCode.FAILED
        assert one.rpartition("/")[2] in refused.err
        damage()
    [listed] = libctl("backup", "list", bucket.address, "--json").data["backups"]
    assert listed["state"] == "damaged"
    assert libctl("backup", "verify", bucket.address).code == ExitCode.NOT_FOUND
    assert not databases()


@pytest.mark.long
def test_a_backup_by_a_lost_key_is_not_deleted_and_hides_no_other(bucket, libctl, library, stored):
    new = key("2026-12", b"n")
    made = libctl("backup", "create", bucket.address, "--json", dsn=library, LIBCTL_BACKUP_KEY=new)
    assert made.code == ExitCode.OK, made.err
    listed = libctl("backup", "list", bucket.address, "--json").data
    assert listed["newest_good"] == made.data["backup"].rpartition("/")[2]
    assert sorted(one["state"] for one in listed["backups"]) == ["good", "unreadable"]
    drawn = libctl("backup", "list", bucket.address, COLUMNS=str(WIDE)).out
    assert headings_of(drawn) == [["backup", "restored point", "size", "state", "problem"]]
    both = f"{new}\n{bucket.settings['LIBCTL_BACKUP_KEY']}"
    listed = libctl("backup", "list", bucket.address, "--json", LIBCTL_BACKUP_KEY=both).data
    assert [one["state"] for one in listed["backups"]] == ["good", "good"]


@pytest.mark.long
def test_only_expired_backups_of_ours_are_deleted_and_the_rest_is_named(bucket, libctl, library, stored):
    strange = copied_to(bucket, stored, "20200101")
    old = stored.rpartition("/")[2].replace("2026", "2020", 1)
    bucket.write(f"library/{old}/dump/half.gz", b"half")
    for name in ("library/notes.txt", "library/other/manifest.json", "elsewhere/20200101T020000Z-00000000/x"):
        bucket.write(name, b"not ours")
    before = bucket.names()
    pruned = libctl("backup", "prune", bucket.address, "--json", "--apply", "--reason", "nightly")
    assert (pruned.code, pruned.data["deleted"]) == (ExitCode.OK, []), pruned.err
    assert {(one["id"], one["state"]) for one in pruned.data["not_usable"]} == {
        (strange, "unreadable"),
        (old, "incomplete"),
    }
    assert bucket.names() == before


@pytest.mark.long
def test_an_expired_backup_goes_also_where_its_deletion_was_interrupted(bucket, libctl, library, stored, monkeypatch):
    real, old = stored.rpartition("/")[2], "20200101T020000Z-00000000"
    monkeypatch.setattr("gameshelf.libctl.backup.remote.new_id", lambda point: old)
    made = libctl("backup", "create", bucket.address, "--json", dsn=library)
    assert made.data["backup"].endswith(old)
    dry = libctl("backup", "prune", bucket.address, "--json").data
    assert ([one["id"] for one in dry["expired"]], dry["applied"]) == ([old], False)
    gone = [name for name in bucket.names() if old in name and not name.endswith("manifest.json")]
    bucket.delete(gone[0])
    pruned = libctl("backup", "prune", bucket.address, "--json", "--apply", "--reason", "nightly")
    assert pruned.data["deleted"] == [old]
    assert {name.split("/")[1] for name in bucket.names()} == {real}
    assert libctl.logged()[-1]["what"] == "backup prune"


@pytest.mark.long
def test_an_upload_that_fails_leaves_nothing_and_is_not_noted(bucket, libctl, library, monkeypatch, fetch):
    from gameshelf.libctl.backup.bucket import BackupBucket as Store
    from gameshelf.libctl.errors import Unavailable

    put = Store.put

    async def failing(self, name, path):
        if name.endswith("toc.dat"):
            raise Unavailable("the store is away", "repeat")
        await put(self, name, path)

    monkeypatch.setattr(Store, "put", failing)
    noted = "SELECT kind, point, noted_at FROM gateway.backups"
    before = fetch(library, noted)
    failed = libctl("backup", "create", bucket.address, dsn=library)
    assert failed.code == ExitCode.UNAVAILABLE
    assert bucket.names() == []
    assert fetch(library, noted) == before


def test_a_large_object_goes_in_equal_parts_and_a_failure_ends_the_upload(bucket, tmp_path, monkeypatch):
    import asyncio

    from gameshelf.libctl.backup import bucket as buckets
    from gameshelf.libctl.backup.keys import of_environment
    from gameshelf.libctl.errors import Refused

    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * (21 * 4096))

    async def there_and_back():
        async with buckets.connected(buckets.parse(bucket.address), of_environment()) as store:
            await store.put("id/large", path)
            await store.fetch("id/large", tmp_path / "back")

            def broken(pieces, size):
                yield b"x" * size
                raise Refused("the disk is broken", "another one")

            monkeypatch.setattr(buckets, "_gathered", broken)
            with pytest.raises(Refused, match="disk"):
                await store.put("id/other", path)

    asyncio.run(there_and_back())
    assert (tmp_path / "back").read_bytes() == path.read_bytes()
    assert bucket.names() == ["library/id/large"]
    assert bucket.uploads() == []


def test_uploads_that_a_killed_run_left_are_aborted_and_no_others(bucket, libctl, stored, monkeypatch):
    import asyncio
    from datetime import UTC, datetime, timedelta

    from gameshelf.libctl.backup import places, remote
    from gameshelf.libctl.backup.progress import Steps
    from gameshelf.libctl.output import Output

    ours = "library/20201127T020000Z-00000000/dump/1.dat.gz"
    for name in (ours, "library/notes", "elsewhere/20201127T020000Z-00000000/dump/1.dat.gz"):
        bucket.begin(name)
    pruned = libctl("backup", "prune", bucket.address, "--json", "--apply", "--reason", "nightly")
    assert (pruned.code, pruned.data["unfinished_uploads"]) == (ExitCode.OK, [])  # they may be under way

    async def found():
        async with places.connected(places.parse(bucket.address).address) as store:
            steps, later = Steps(Output()), datetime.now(UTC) + timedelta(days=2, minutes=1)
            uploads = await remote.abandoned(steps, store, later)
            ended = await remote.abort(steps, store, uploads)
            return uploads, ended, await remote.abort(steps, store, uploads)  # gone already, as by a rule of the bucket

    uploads, ended, again = asyncio.run(found())
    assert ([f"library/{one.name}" for one in uploads], ended, again) == ([ours], 1, 1)
    assert {one["Key"] for one in bucket.uploads()} == {
        "library/notes",
        "elsewhere/20201127T020000Z-00000000/dump/1.dat.gz",
    }


@pytest.mark.long
def test_an_interrupted_upload_leaves_nothing_in_the_bucket(bucket, libctl, library, fetch):
    import signal

    process = libctl.start("backup", "create", bucket.address, "--jobs", "8", dsn=library, **bucket.settings)
    printed = ""
    for line in process.stderr:
        printed += line
        if "uploading" in line:
            process.send_signal(signal.SIGINT)
            break  # a second signal would end it at once
    printed += process.communicate()[1]
    assert process.returncode == ExitCode.INTERRUPTED, printed
    assert "Traceback" not in printed
    assert bucket.names() == []
    assert bucket.uploads() == []
    assert fetch(library, "SELECT 1 FROM gateway.backups") == []


def test_a_cancelled_request_is_awaited_before_anything_is_deleted():
    import asyncio

    from gameshelf.libctl.backup.bucket import to_its_end

    async def cancelled():
        arrives, events = asyncio.Event(), []

        async def request():
            await arrives.wait()
            events.append("stored")

        async def upload():
            try:
                await to_its_end(request())
            finally:
                events.append("deleted")

        task = asyncio.create_task(upload())
        await asyncio.sleep(0)
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert events == []
        arrives.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return events

    assert asyncio.run(cancelled()) == ["stored", "deleted"]


@pytest.mark.long
def test_what_is_printed_is_one_document_even_without_a_terminal(bucket, libctl, library):
    process = libctl.start("backup", "create", bucket.address, "--json", dsn=library, **bucket.settings)
    out, err = process.communicate()
    assert process.returncode == ExitCode.OK, err
    assert json.loads(out)["backup"].startswith(bucket.address)
    assert "Traceback" not in err

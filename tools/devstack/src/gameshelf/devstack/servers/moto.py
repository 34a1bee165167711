"""An S3 server in memory (moto), for tests of what the other one lacks. Its wheel is installed for tests only."""

import sys
from typing import ClassVar

from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import Process
from gameshelf.devstack.servers.objects import ObjectServer


class Moto(ObjectServer):
    """Has bucket versions, lifecycle rules and encryption; looks at no signature, and keeps nothing over a restart."""

    name: ClassVar[str] = "moto"

    def launch(self) -> Process:
        return Process([sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)], self.log)

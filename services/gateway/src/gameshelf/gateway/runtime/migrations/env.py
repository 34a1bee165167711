from gameshelf.gateway.runtime.tables import UserStream
from gameshelf.kernel.migrations import run

run(UserStream.metadata)

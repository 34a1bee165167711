from gameshelf.kernel.migrations import run
from gameshelf.savegames import METADATA

run(METADATA)

from gameshelf.kernel.migrations import run
from gameshelf.savegames._models import SavegameSlot

run(SavegameSlot.metadata)

from gameshelf.kernel.migrations import run
from gameshelf.savegames.models import SavegameSlot

run(SavegameSlot.metadata)

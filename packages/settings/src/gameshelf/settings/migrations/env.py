from gameshelf.kernel.migrations import run
from gameshelf.settings._models import GameSettings

run(GameSettings.metadata)

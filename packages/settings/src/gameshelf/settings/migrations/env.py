from gameshelf.kernel.migrations import run
from gameshelf.settings.models import GameSettings

run(GameSettings.metadata)

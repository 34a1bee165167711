from gameshelf.kernel.migrations import run
from gameshelf.playtime._models import PlaytimeSession

run(PlaytimeSession.metadata)

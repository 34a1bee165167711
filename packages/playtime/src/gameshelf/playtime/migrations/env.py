from gameshelf.kernel.migrations import run
from gameshelf.playtime.models import PlaytimeSession

run(PlaytimeSession.metadata)

from gameshelf.achievements._models import UserAchievement
from gameshelf.kernel.migrations import run

run(UserAchievement.metadata)

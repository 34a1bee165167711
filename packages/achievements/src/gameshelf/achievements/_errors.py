"""The errors of achievements, with the codes of the contract."""

from gameshelf.kernel.errors import DomainError, ResourceNotFound


class AchievementNotFound(ResourceNotFound):
    """There is no such achievement."""

    code = "ACHIEVEMENT_NOT_FOUND"


class AchievementAlreadyUnlocked(DomainError):
    """You have unlocked this achievement already."""

    code = "ACHIEVEMENT_ALREADY_UNLOCKED"

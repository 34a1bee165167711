"""The errors of settings, with the codes of the contract."""

from gameshelf.kernel.errors import DomainError, ResourceNotFound


class SettingsNotFound(ResourceNotFound):
    """There are no settings of this game."""

    code = "SETTINGS_NOT_FOUND"


class PreconditionFailed(DomainError):
    """The settings have changed since they were read; ``meta["current"]`` is what they are now."""

    code = "PRECONDITION_FAILED"


class SettingsTooLarge(DomainError):
    """The settings are larger than allowed."""

    code = "PAYLOAD_TOO_LARGE"

"""Errors of family sharing, with the codes of the contract."""

from gameshelf.kernel.errors import DomainError, PermissionDenied, ResourceNotFound


class FamilyLinkNotFound(ResourceNotFound):
    """There is no such family link of yours."""

    code = "FAMILY_LINK_NOT_FOUND"


class FamilyLinkInvalidState(DomainError):
    """The link's state does not allow this; ``meta`` contains the state."""

    code = "FAMILY_SHARING_LINK_INVALID_STATE"


class FamilyLimitExceeded(DomainError):
    """There are as many links or invitations as there may be."""

    code = "FAMILY_LIMIT_EXCEEDED"


class FamilyAccessRestricted(PermissionDenied):
    """The family link does not let you play this game; ``meta["reason"]`` is the reason."""

    code = "FAMILY_ACCESS_RESTRICTED"


class FamilySeatBusy(DomainError):
    """Somebody else plays this copy; ``meta`` contains who and since when."""

    code = "FAMILY_SEAT_BUSY"

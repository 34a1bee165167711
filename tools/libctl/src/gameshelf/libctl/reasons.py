"""The reason of a change, which somebody reads when the change is asked about: in a year, and without its author."""

from gameshelf.libctl.errors import Usage

MIN_CHARACTERS, MAX_CHARACTERS = 10, 500
_PLACEHOLDER = frozenset("….\"'“”«» ")
"""What the hint of a dry run has in the reason's place, also as terminals and keyboards change it."""


def require_reason(reason: str | None, keeper: str) -> str:
    """Returns a reason without spaces around it. Raises Usage for one that is absent or the placeholder."""
    said = (reason or "").strip()
    if not said:
        raise Usage("--apply needs a reason", f'add --reason "…", which the {keeper} keeps')
    if set(said) <= _PLACEHOLDER:
        raise Usage("the reason is still the placeholder", "say why: --reason 'ticket 4711: deleted by mistake'")
    if len(said) > MAX_CHARACTERS:
        raise Usage(f"a reason has at most {MAX_CHARACTERS} characters", "name the ticket and put the details there")
    return said


def require_full_reason(reason: str | None, keeper: str) -> str:
    """The same for a change of a player's data, whose reason has to say something. Raises Usage for a short one."""
    said = require_reason(reason, keeper)
    if len(said) < MIN_CHARACTERS:
        raise Usage(
            f"a reason has at least {MIN_CHARACTERS} characters", "say why: --reason 'ticket 4711: deleted by mistake'"
        )
    return said

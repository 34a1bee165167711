"""The language of titles and names in the service's responses. Help and messages of libctl are in English."""

from collections.abc import Mapping

LANGUAGES = ("ru", "en")
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order in which POSIX asks them for the language of messages; an empty one counts as absent."""


def of_locale(environment: Mapping[str, str]) -> str:
    """Returns the language of a user's locale: Russian for ``ru_RU.UTF-8`` and the like, otherwise English."""
    locale = next(filter(None, map(environment.get, _VARIABLES)), "") or ""
    return "ru" if locale.lower().partition(".")[0].partition("_")[0] == "ru" else "en"

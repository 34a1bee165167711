"""The settings of the service: those of the runtime and of every domain."""

from collections.abc import Mapping

from gameshelf.gateway.domains import DOMAINS
from gameshelf.gateway.runtime import settings as runtime
from gameshelf.gateway.runtime.composed import sections_of
from gameshelf.gateway.runtime.settings import Settings

SECTIONS = sections_of(DOMAINS)
FIELDS = runtime.fields_of(SECTIONS)
"""All settings by the names of their variables."""


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Loads the settings from the environment and the file that it names. Raises SettingsError."""
    return runtime.load_settings(environ, SECTIONS)

"""The support CLI of the Library Service. It is run, not imported."""

__version__ = "0.3.0.dev0"

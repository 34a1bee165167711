"""The embedded servers, tokens and demo data behind ``./dev``. Never installed in production."""

__version__ = "0.4.0.dev0"

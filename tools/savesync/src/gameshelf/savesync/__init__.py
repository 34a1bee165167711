"""The folder client of cloud saves. It knows the service by its protocol only."""

__version__ = "0.2.0.dev0"

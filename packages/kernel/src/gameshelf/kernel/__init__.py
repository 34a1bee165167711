"""The code that all domain packages share. It contains no client and reads no configuration.

Import the submodules: ``from gameshelf.kernel.errors import DomainError``.
"""

__version__ = "0.4.0.dev0"

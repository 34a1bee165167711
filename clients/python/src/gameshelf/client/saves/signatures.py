"""Keeps signatures out of logs: anyone who has a signed address may use it until it expires."""

import logging

import httpx

_LOG = logging.getLogger("httpx")
"""It reports each request with its whole address, at INFO."""
_SIGNATURES = ("signature", "sig")
"""How the parameters end that S3 and other stores have for it."""


class SignaturesHidden(logging.Filter):
    """Shortens signed addresses to what names the content."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through."""
        if isinstance(record.args, tuple):
            record.args = tuple(_shown(one) for one in record.args)
        return True


def hide_signatures() -> None:
    """Once per process is enough; a second time changes nothing."""
    if not any(isinstance(one, SignaturesHidden) for one in _LOG.filters):
        _LOG.addFilter(SignaturesHidden())


def _shown(value: object) -> object:
    if isinstance(value, httpx.URL) and any(name.lower().endswith(_SIGNATURES) for name in value.params):
        return value.copy_with(query=b"signed")
    return value

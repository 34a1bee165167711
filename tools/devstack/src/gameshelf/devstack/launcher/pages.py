"""The files of the launcher's page, and what a browser may do with them."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

FOLDER = Path(__file__).parents[6] / "examples" / "launcher"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}


def page_file(folder: Path, path: str) -> tuple[str, bytes] | None:
    """The type and the bytes of a file below the folder; None where there is no such file, or it is of another type."""
    name = unquote(path).lstrip("/") or "index.html"
    if "\0" in name:
        return None
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) or file.suffix not in TYPES or not file.is_file():
        return None
    return TYPES[file.suffix], file.read_bytes()


def headers_of(api: str, store: str, pictures: str) -> Mapping[str, str]:
    """The headers of each answer: the page runs its own scripts, and talks to the service and to its store alone."""
    updates = api.replace("http", "ws", 1)
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' {pictures}",
        f"connect-src 'self' {api} {updates} {store}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

"""Lists that come page by page."""

from gameshelf.libctl.output import Output


def say_pages(out: Output, page: int, limit: int, total: int) -> None:
    """Says where more is, if there is more than one page."""
    pages = -(-total // limit)
    if pages > 1:
        more = f". Next: --page {page + 1}" if page < pages else ""
        out.say(f"Page {page} of {pages}, {total} in total{more}")

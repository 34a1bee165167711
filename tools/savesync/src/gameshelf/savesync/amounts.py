"""Amounts as people read them."""


def size_text(number: int) -> str:
    """A number of bytes for people: ``1.5 MiB``."""
    amount, unit = float(number), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{int(amount)} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def files_text(number: int) -> str:
    """A number of files."""
    return "1 file" if number == 1 else f"{number} files"


def span_text(seconds: int) -> str:
    """A time that was played: ``2 h 10 min``."""
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"

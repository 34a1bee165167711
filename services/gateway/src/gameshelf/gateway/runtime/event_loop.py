"""The event loop of a process: uvloop where it is installed, asyncio's own otherwise."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Literal

from gameshelf.gateway.runtime.settings import SettingsError


def loop_factory(wanted: Literal["auto", "uvloop", "asyncio"]) -> Callable[[], asyncio.AbstractEventLoop]:
    """Returns the function that makes the event loop. Raises SettingsError if uvloop is wanted and not installed."""
    if wanted == "asyncio":
        return asyncio.new_event_loop
    try:
        from uvloop import new_event_loop
    except ImportError:
        if wanted == "uvloop":
            raise SettingsError(
                "LIBRARY_SERVICE_EVENT_LOOP: uvloop is not installed (the extra uvloop of gameshelf-gateway)"
            ) from None
        return asyncio.new_event_loop
    return new_event_loop


def name_of_loop(loop: asyncio.AbstractEventLoop) -> str:
    """Returns the name of the library that the loop is from: ``uvloop`` or ``asyncio``."""
    return type(loop).__module__.partition(".")[0]


def adapt_streams() -> None:
    """Makes a write to a lost connection do nothing on the running loop, as on asyncio's.

    asyncio ignores such a write, and the drain after it raises ConnectionResetError. On uvloop the write itself raises
    RuntimeError, which neither redis-py (its issue 4287) nor aiokafka (1038) takes for a lost connection: they report
    a defect instead of connecting again. Both write through asyncio's streams, and so do our servers.
    """
    if name_of_loop(asyncio.get_running_loop()) == "uvloop":
        asyncio.StreamWriter.write = _write  # type: ignore[method-assign, assignment]
        asyncio.StreamWriter.writelines = _write_lines  # type: ignore[method-assign, assignment]


def _write(writer: asyncio.StreamWriter, data: bytes | bytearray | memoryview) -> None:
    try:
        writer.transport.write(data)
    except RuntimeError:
        if not writer.transport.is_closing():
            raise


def _write_lines(writer: asyncio.StreamWriter, data: Iterable[bytes | bytearray | memoryview]) -> None:
    try:
        writer.transport.writelines(data)
    except RuntimeError:
        if not writer.transport.is_closing():
            raise

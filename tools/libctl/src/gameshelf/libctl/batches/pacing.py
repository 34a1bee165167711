"""Calls that begin at a bounded rate, a few of them under way at once, and are answered in their order."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def answered(
    items: Iterable[T], begin: Callable[[T], Callable[[], R]], rate: float, at_once: int
) -> Iterator[tuple[T, "Future[R]"]]:
    """Yields each item with the answer to its call, in the order of the items.

    At most ``rate`` calls begin per second, and at most ``at_once`` are under way: more than one only where an answer
    takes longer than the rate leaves for it. ``begin`` makes the call of an item, right before it is sent. When the
    iterator is closed, nobody waits for what is under way: it ends by itself, or with the process.
    """
    under_way: deque[tuple[T, Future[R]]] = deque()
    due = time.monotonic()
    for item in items:
        while under_way and _is_answered(under_way[0][1], None if len(under_way) == at_once else due):
            yield under_way.popleft()
        time.sleep(max(due - time.monotonic(), 0))
        due = max(due + 1 / rate, time.monotonic() - 1)  # what was late is caught up for a second only
        under_way.append((item, _begun(begin(item))))
    yield from under_way


def _is_answered(answer: "Future[R]", until: float | None) -> bool:
    """Waits for an answer until a time, or for as long as it takes."""
    return bool(wait([answer], None if until is None else max(until - time.monotonic(), 0)).done)


def _begun(call: Callable[[], R]) -> "Future[R]":
    answer: Future[R] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # as an executor does: it is raised where the answer is asked for
            answer.set_exception(error)

    # No executor: its threads would be waited for at the end of the process, which Ctrl-C would have to wait for.
    Thread(target=run, daemon=True).start()
    return answer

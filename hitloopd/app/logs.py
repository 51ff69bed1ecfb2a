"""Logging: one line format, written by a thread of its own so that nobody waits for a disk or a terminal.

The player and the audio callback never log; they count and send notices instead.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import queue
import sys
from collections.abc import Callable, Generator
from typing import Final

FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
TIME: Final = "%H:%M:%S"
MAX_WAITING: Final = 10_000


class _LossyHandler(logging.handlers.QueueHandler):
    """Drops what does not fit: a stuck terminal must not stop the program or eat its memory."""

    def enqueue(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(queue.Full):  # a full queue means nobody reads; the counters still tell
            self.queue.put_nowait(record)


class _LineHandler(logging.Handler):
    """Gives each line to a function, e.g. ``Screen.log``."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record))
        except (OSError, ValueError):
            self.handleError(record)


@contextlib.contextmanager
def logging_to(level: str = "info", write: Callable[[str], None] | None = None) -> Generator[None]:
    """Log at ``level`` (debug, info, warning, error) to standard error, or line by line to ``write``."""
    handler = logging.StreamHandler(sys.stderr) if write is None else _LineHandler(write)
    handler.setFormatter(logging.Formatter(FORMAT, TIME))
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(MAX_WAITING)
    door = _LossyHandler(waiting)
    root = logging.getLogger("hitloopd")
    before = root.level
    listener = logging.handlers.QueueListener(waiting, handler)
    set_level(level)
    root.addHandler(door)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(door)
        listener.stop()
        root.setLevel(before)


def set_level(level: str) -> None:
    """Take another level over while running."""
    logging.getLogger("hitloopd").setLevel(level.upper())

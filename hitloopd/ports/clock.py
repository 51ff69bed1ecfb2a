"""Time as an argument."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """A source of monotonic nanoseconds; ``time.monotonic_ns`` in life, a fake in tests."""

    def __call__(self) -> int:
        """Now. Thread: any. Real-time: yes."""
        ...

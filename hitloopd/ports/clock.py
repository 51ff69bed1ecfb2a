"""Time as an argument."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """A source of monotonic nanoseconds; ``time.monotonic_ns`` in life, a fake in tests."""

    def __call__(self) -> int:
        """Now. Thread: any. Real-time: yes."""
        ...


class Timescale(Protocol):
    """A clock that beats are counted on, against monotonic time: a sound card's crystal, say. Never jumps."""

    def scale_ns(self, ns: int) -> float:
        """What this clock shows at a monotonic instant. Thread: any. Real-time: yes."""
        ...

    def monotonic_ns(self, scale_ns: float) -> float:
        """When this clock shows ``scale_ns``. Thread: any. Real-time: yes."""
        ...

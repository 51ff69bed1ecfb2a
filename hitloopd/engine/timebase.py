"""What heads ask about time, whoever gives the clock."""

from __future__ import annotations

from typing import Protocol


class TimeBase(Protocol):
    """Ticks to nanoseconds and back. ``TempoMap`` and ``FollowedTime`` are the two."""

    @property
    def fixed(self) -> bool:
        """An instant, once told, stays: nothing but a command moves it."""
        ...

    @property
    def target_bpm(self) -> float:
        """The tempo to show."""
        ...

    def bpm_at(self, tick: int) -> float:
        """The tempo in force at ``tick``."""
        ...

    def ns_at(self, tick: int) -> int:
        """When ``tick`` was or will be."""
        ...

    def reach(self, now_ns: int, *, ahead: bool) -> int:
        """The last tick that is not after ``now_ns``; ``ahead`` allows one clock past the next."""
        ...

    def due_ns(self, tick: int, *, ahead: bool) -> int | None:
        """When to look at ``tick``; None where only the next received clock can tell."""
        ...

"""OSC time tags on our own timebase: wall clock to monotonic, and a bounded heap of what is to come.

Conventions: tags are 64-bit NTP (seconds since 1900 in the upper half); everything else is monotonic nanoseconds.
Sans-I/O: the server asks ``next_ns`` and calls ``pop_due`` then (rules 30, 31).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from hitloopd.core.time import NS_PER_MS, NS_PER_S

T = TypeVar("T")

NTP_TO_UNIX_S: Final = 2_208_988_800  # seconds from 1900 to 1970: seventy years with seventeen leap days
MAX_SLEW_PER_S_NS: Final = NS_PER_MS
MEASURE_EVERY_NS: Final = NS_PER_S
STEP_NS: Final = NS_PER_S  # further off than this the wall clock was set: follow at once
DEFAULT_CAPACITY: Final = 4096
DEFAULT_MAX_BYTES: Final = 4 * 2**20


@dataclass(slots=True)
class WallClock:
    """Where wall-clock time lies on the monotonic line.

    Measured once a second (the middle one of five tight pairs of readings) and slewed by at most 1 ms per second, so
    that a wall clock being disciplined never bunches or stretches scheduled messages.

    Args:
        mono_ns: the monotonic clock.
        wall_ns: nanoseconds since 1970.
    """

    mono_ns: Callable[[], int]
    wall_ns: Callable[[], int]
    _offset_ns: int = field(init=False)
    _measured_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self._offset_ns = self._measure()
        self._measured_ns = self.mono_ns()

    def mono_of(self, tag: int) -> int:
        """The monotonic moment of an NTP tag."""
        self._follow()
        unix_ns = ((tag >> 32) - NTP_TO_UNIX_S) * NS_PER_S + ((tag & 0xFFFFFFFF) * NS_PER_S >> 32)
        return unix_ns - self._offset_ns

    def tag_of(self, at_ns: int) -> int:
        """The NTP tag of a monotonic moment."""
        self._follow()
        seconds, rest = divmod(at_ns + self._offset_ns, NS_PER_S)
        return (seconds + NTP_TO_UNIX_S << 32) | (rest << 32) // NS_PER_S

    def _measure(self) -> int:
        pairs = sorted(self.wall_ns() - self.mono_ns() for _ in range(5))
        return pairs[2]

    def _follow(self) -> None:
        elapsed = self.mono_ns() - self._measured_ns
        if elapsed < MEASURE_EVERY_NS:
            return
        error = self._measure() - self._offset_ns
        most = MAX_SLEW_PER_S_NS * elapsed // NS_PER_S
        self._offset_ns += error if abs(error) > STEP_NS else max(-most, min(most, error))
        self._measured_ns += elapsed


@dataclass(slots=True)
class Schedule(Generic[T]):
    """A heap of items with their moments; equal moments keep the order they came in.

    Args:
        capacity: most items held.
        max_bytes: most bytes held, by the sizes they were added with.
    """

    capacity: int = DEFAULT_CAPACITY
    max_bytes: int = DEFAULT_MAX_BYTES
    _heap: list[tuple[int, int, int, T]] = field(default_factory=list[tuple[int, int, int, T]])
    _count: int = 0
    _bytes: int = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, at_ns: int, item: T, size: int) -> bool:
        """Keep ``item`` until ``at_ns``; False where there is no room."""
        if len(self._heap) >= self.capacity or self._bytes + size > self.max_bytes:
            return False
        self._count += 1
        self._bytes += size
        heapq.heappush(self._heap, (at_ns, self._count, size, item))
        return True

    @property
    def next_ns(self) -> int | None:
        """When the first item is due."""
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ns: int) -> list[T]:
        """All items whose moment has come, in order."""
        due: list[T] = []
        while self._heap and self._heap[0][0] <= now_ns:
            _, _, size, item = heapq.heappop(self._heap)
            self._bytes -= size
            due.append(item)
        return due

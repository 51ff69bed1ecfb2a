"""Lateness counted without allocation: a histogram with eight buckets to the octave, good to 9 %."""

from __future__ import annotations

from bisect import bisect_left

_EDGES_US = tuple(round(2.0 ** (i / 8), 3) for i in range(8 * 24))


class Lateness:
    """How late events were, in µs. Thread: player. Real-time: yes."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_EDGES_US) + 1)
        self._total = 0
        self.max_us = 0.0

    def add(self, late_ns: int) -> None:
        """Count one event; early counts as 0."""
        us = late_ns / 1000 if late_ns > 0 else 0.0
        self._counts[bisect_left(_EDGES_US, us)] += 1
        self._total += 1
        self.max_us = max(self.max_us, us)

    def percentile(self, share: float) -> float:
        """The upper edge of the bucket in which ``share`` 0..1 of the events is reached, never above the maximum."""
        if not self._total:
            return 0.0
        wanted = share * self._total
        seen = 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return min(_EDGES_US[min(index, len(_EDGES_US) - 1)], self.max_us)
        return self.max_us

    def table(self) -> tuple[tuple[float, int], ...]:
        """The filled buckets as (upper edge in µs, count)."""
        return tuple((_EDGES_US[min(i, len(_EDGES_US) - 1)], n) for i, n in enumerate(self._counts) if n)

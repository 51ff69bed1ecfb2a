"""Tap tempo: the tempo of the last taps."""

from __future__ import annotations

from collections import deque

from hitloopd.core.time import MAX_BPM, MIN_BPM, NS_PER_S

_FORGET_NS = 60 * NS_PER_S / MIN_BPM * 1.1


class Tap:
    """Two taps give a tempo, more make it steadier; a pause of three seconds starts anew."""

    def __init__(self) -> None:
        self._taps: deque[int] = deque(maxlen=8)

    def tap(self, at_ns: int) -> float | None:
        """The tempo so far, or None after a first tap or outside 20..300 BPM."""
        if self._taps and not 0 < at_ns - self._taps[-1] <= _FORGET_NS:
            self._taps.clear()
        self._taps.append(at_ns)
        if len(self._taps) < 2:
            return None
        bpm = 60 * NS_PER_S * (len(self._taps) - 1) / (self._taps[-1] - self._taps[0])
        return round(bpm, 2) if MIN_BPM <= bpm <= MAX_BPM else None

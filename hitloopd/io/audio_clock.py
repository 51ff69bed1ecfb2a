"""The tie between monotonic time and output frames, so that a note can be put at the exact frame.

Two parts: a delay-locked loop that filters the callbacks' jitter (second order, after Adriaensen's "Using a DLL to
filter time"), and a *sticky* straight line at the nominal rate that events are placed on. The line is not moved by what
is left of the jitter, so equal times come out as equal frames; real drift moves it by one frame at a
time, and only an interruption of the stream moves it at once.

Conventions: frames are counted from the stream's start by what was rendered. Knows no device and reads no clock.
"""

from __future__ import annotations

import math
from typing import Final

from hitloopd.core.time import NS_PER_S

FAST_HZ: Final = 1.0  # loop bandwidth after a start
SLOW_HZ: Final = 0.1  # and when settled
SETTLE_S: Final = 4.0
ACQUIRE_S: Final = 0.15  # the earliest of the callbacks in this time is the start: callbacks come late, never early
JUMP_NS: Final = 20_000_000  # an error this large is an interruption, not jitter
OUTLIER_NS: Final = 400_000  # a single late callback counts for no more than this
DRIFT_FRAMES: Final = 24  # 0.5 ms at 48 kHz: the line stays put while it is nearer to the loop than this
JUMP_S: Final = 0.001  # further off than this it is moved at once: no drift is that fast


class FrameDll:
    """Filters (callback time, frame) pairs into a line.

    Args:
        rate: nominal frames per second.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._period_ns = NS_PER_S / rate
        self.resets = -1
        self.reset()

    def reset(self) -> None:
        """Forget everything: the stream was interrupted. Thread: callback. Real-time: yes."""
        self.resets += 1
        self._frame = 0  # the line goes through (_frame, _time_ns) …
        self._time_ns = 0.0
        self._slope_ns = self._period_ns  # … with this much time per frame
        self._first_frame = -1

    @property
    def ready(self) -> bool:
        """Whether the start is over. Thread: any. Real-time: yes."""
        return self._first_frame >= 0 and self._frame - self._first_frame >= ACQUIRE_S * self._rate

    @property
    def ppm(self) -> float:
        """How much faster the device runs than it says. Thread: any. Real-time: yes."""
        return (self._period_ns / self._slope_ns - 1.0) * 1e6

    def update(self, now_ns: int, frame: int) -> None:
        """A block that begins with ``frame`` is wanted at ``now_ns``. Thread: callback. Real-time: yes."""
        if self._first_frame < 0:
            self._first_frame, self._frame, self._time_ns = frame, frame, float(now_ns)
            return
        frames = frame - self._frame
        expected = self._time_ns + frames * self._slope_ns
        error = now_ns - expected
        if abs(error) > JUMP_NS:
            self.reset()
            self.update(now_ns, frame)
            return
        self._frame = frame
        if not self.ready:
            self._time_ns = min(expected, float(now_ns))
            return
        error = min(max(error, -OUTLIER_NS), OUTLIER_NS)
        age_s = (frame - self._first_frame) / self._rate
        hz = SLOW_HZ if age_s > SETTLE_S else FAST_HZ * (SLOW_HZ / FAST_HZ) ** (age_s / SETTLE_S)
        omega = 2.0 * math.pi * hz * frames / self._rate
        self._time_ns = expected + math.sqrt(2.0) * omega * error
        if frames > 0:
            self._slope_ns += omega * omega * error / frames

    def frame_at(self, at_ns: int) -> float:
        """The frame that is due at ``at_ns``. Thread: callback. Real-time: yes."""
        return self._frame + (at_ns - self._time_ns) / self._slope_ns


class FrameMap:
    """Places events: the sticky line over a ``FrameDll``.

    Args:
        dll: follows the device.
        rate: nominal frames per second.
    """

    def __init__(self, dll: FrameDll, rate: int) -> None:
        self._dll = dll
        self._rate = rate
        self._anchor_ns = 0
        self._anchor_frame: int | None = None
        self._last_ns = 0
        self._resets = dll.resets
        self.slews = 0
        self.jumps = 0

    def frame_at(self, at_ns: int) -> int:
        """The frame of an event. Events of one moment get one frame. Thread: callback. Real-time: yes."""
        if self._anchor_frame is None:
            truth = self._dll.frame_at(at_ns)
            return self._anchor(at_ns, truth) if self._dll.ready else round(truth)
        frame = self._on_line(at_ns)
        if not self._dll.ready:  # just after an interruption: the old line is the better guess
            return frame
        truth = self._dll.frame_at(at_ns)
        drift = truth - frame
        moved = self._resets != self._dll.resets and abs(drift) > 1.0
        self._resets = self._dll.resets
        if moved or abs(drift) > JUMP_S * self._rate:
            self.jumps += 1
            return self._anchor(at_ns, truth)
        if abs(drift) > DRIFT_FRAMES and at_ns > self._last_ns:
            step = 1 if drift > 0 else -1
            self._anchor_frame += step
            self.slews += 1
            frame += step
        self._last_ns = max(self._last_ns, at_ns)
        return frame

    def _on_line(self, at_ns: int) -> int:
        """Whole numbers only, so that the line is the same after hours."""
        assert self._anchor_frame is not None
        return self._anchor_frame + ((at_ns - self._anchor_ns) * self._rate + NS_PER_S // 2) // NS_PER_S

    def _anchor(self, at_ns: int, truth: float) -> int:
        self._anchor_ns, self._anchor_frame, self._last_ns = at_ns, round(truth), at_ns
        return self._anchor_frame

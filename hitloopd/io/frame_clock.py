"""The tie between a sound card's frames and monotonic time: a straight line, bent so slowly that no interval feels it.

Conventions: frames are unwrapped integers; times monotonic ns. The server's own estimate of a cycle's start jitters by
some µs from cycle to cycle; placing events by it directly would make a 174 BPM clock (689.655 frames) come out with
intervals of 688 or 691 now and then. So the line is kept and only its slope follows, by at most ``MAX_BEND``: less than
the 500 ppm at which an interval could leave 689..690. After an xrun that moved frames against time it starts anew,
once a tenth of a second of measurements says so: less may be a thread that was held up between reading two clocks, or
a server that was late for some cycles and has caught up since (seen under load: one clock 166 frames late, and back).

The line is a ``ports.clock.Timescale`` too: frames as nominal ns, for a beat that is counted on this card. Where frames
jump against time the scale goes on without a jump, so a server that was held up never stops the beat.
"""

from __future__ import annotations

import math
from typing import Final

BANDWIDTH_HZ: Final = 0.05
MAX_DRIFT: Final = 300e-6  # how wrong a card's nominal rate may be: crystals are within 100 ppm
MAX_BEND: Final = 100e-6  # phase correction on top
RESYNC_NS: Final = 1_000_000
DOUBTS: Final = 3
DOUBT_FRAMES: Final = 4_800  # a server that was held up and catches up has its frames back in place within some cycles
SETTLE_FRAMES: Final = 24_000  # nothing plays yet, and the server's own estimate is still settling: follow it closely
SETTLE_GAIN: Final = 0.2


class FrameClock:
    """Frames to ns and back.

    Args:
        rate: nominal frames per second.

    Attributes:
        resyncs: how often the line had to start anew.
        doubts: how many measurements in a row did not fit; measure again soon.
    """

    __slots__ = (
        "_base_frame",
        "_base_ns",
        "_doubted_at",
        "_drift",
        "_frame0",
        "_line",
        "_nominal_ns",
        "_ns0",
        "_ns_per_frame",
        "_settled_at",
        "_started",
        "doubts",
        "resyncs",
    )

    def __init__(self, rate: int) -> None:
        self._nominal_ns = 1e9 / rate
        self._base_frame = 0
        self._base_ns = 0.0
        self._line = (0.0, 0.0, 1.0)  # monotonic ns, scale ns, slope; replaced whole: another thread reads it
        self._ns_per_frame = self._nominal_ns
        self._drift = 0.0
        self._frame0 = 0
        self._settled_at = 0
        self._ns0: float = 0.0
        self._started = False
        self.doubts = 0
        self._doubted_at = 0
        self.resyncs = 0

    def update(self, frame: int, ns: int) -> bool:
        """Take one measurement, now and then.

        Args:
            frame: the cycle's first frame.
            ns: when that was, as measured now.

        Returns:
            True when the line jumped.

        Thread: one. Real-time: yes.
        """
        elapsed = frame - self._frame0
        if not self._started or elapsed <= 0:
            return self._start(frame, ns)
        predicted = self._ns0 + elapsed * self._ns_per_frame
        error = ns - predicted
        span = elapsed * self._nominal_ns
        if abs(error) > RESYNC_NS:
            self._doubted_at = self._doubted_at if self.doubts else frame
            self.doubts += 1
            sure = self.doubts >= DOUBTS and frame - self._doubted_at >= DOUBT_FRAMES
            return sure and self._start(frame, ns)
        self.doubts = 0
        if frame < self._settled_at:
            self._frame0 = frame
            self._ns0 = predicted + SETTLE_GAIN * error
            self._draw()
            return False
        omega = 2 * math.pi * BANDWIDTH_HZ * span / 1e9
        self._drift = _clamp(self._drift + omega * omega * error / span, MAX_DRIFT)
        bend = _clamp(math.sqrt(2) * omega * error / span, MAX_BEND)
        self._frame0 = frame
        self._ns0 = predicted
        self._ns_per_frame = self._nominal_ns * (1 + self._drift + bend)
        self._draw()
        return False

    def frame_at(self, ns: int) -> int:
        """The nearest frame. Thread: one. Real-time: yes."""
        return self._frame0 + math.floor((ns - self._ns0) / self._ns_per_frame + 0.5)

    def ns_at(self, frame: int) -> int:
        """When a frame is. Thread: one. Real-time: yes."""
        return round(self._ns0 + (frame - self._frame0) * self._ns_per_frame)

    @property
    def settled(self) -> bool:
        """Good enough to count a beat on. Thread: any. Real-time: yes."""
        return self._started and self._frame0 >= self._settled_at

    def scale_ns(self, ns: int) -> float:
        """This card's own time: frames as nominal ns. Thread: any. Real-time: yes."""
        ns0, scale0, slope = self._line
        return scale0 + (ns - ns0) / slope

    def monotonic_ns(self, scale_ns: float) -> float:
        """When this card's own time is that. Thread: any. Real-time: yes."""
        ns0, scale0, slope = self._line
        return ns0 + (scale_ns - scale0) * slope

    def _draw(self) -> None:
        # from the frame count itself: adding cycle to cycle would gather rounding errors
        scale0 = self._base_ns + (self._frame0 - self._base_frame) * self._nominal_ns
        self._line = (self._ns0, scale0, self._ns_per_frame / self._nominal_ns)

    def _start(self, frame: int, ns: int) -> bool:
        jumped = self._started
        self._base_ns = self.scale_ns(ns) if jumped else float(ns)
        self._base_frame = frame
        self.resyncs += jumped
        self._started = True
        self.doubts = 0
        self._frame0 = frame
        self._settled_at = 0 if jumped else frame + SETTLE_FRAMES
        self._ns0 = float(ns)
        self._ns_per_frame = self._nominal_ns * (1 + self._drift)
        self._draw()
        return jumped


def _clamp(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)

"""Outputs that live in another process: events are handed over a link, one datagram per player step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from hitloopd.io.audio_messages import Event
from hitloopd.io.link import Link
from hitloopd.ports.clock import Timescale

STICKY_NS: Final = 500_000
"""Steady time stays put while it is nearer to monotonic time than this, as the sound's own line does."""
STEP_NS: Final = 20_000
"""... and comes nearer by so much with each event where it is not."""
JUMP_NS: Final = 5_000_000
"""This far off it is laid anew: the card was held up, or it is another one."""


class SteadyTime:
    """Monotonic time without the bends of a card's timescale, for a sampler that counts frames by itself.

    A beat that is counted on a card's frames has monotonic times that bend with every estimate of how fast the card
    runs. Straight sixteenths would be 5 760 frames apart by that card, but 5 761 by a line at the nominal rate now and
    then. So events keep the distances that they have on the card's own time.
    """

    def __init__(self) -> None:
        self._scale: Timescale | None = None
        self._ahead_ns = 0.0

    def at(self, at_ns: int, scale: Timescale | None) -> int:
        """An instant on the beat's timescale, straightened. Thread: player. Real-time: yes."""
        if scale is None:
            self._scale = None
            return at_ns
        shown_ns = scale.scale_ns(at_ns)
        off_ns = at_ns - shown_ns - self._ahead_ns
        if scale is not self._scale or abs(off_ns) > JUMP_NS:
            self._scale = scale
            self._ahead_ns += off_ns
        elif abs(off_ns) > STICKY_NS:
            self._ahead_ns += math.copysign(min(STEP_NS, abs(off_ns) - STICKY_NS), off_ns)
        return round(shown_ns + self._ahead_ns)


class RemoteOut:
    """A MidiOut whose notes are played, or written down, by the audio process.

    Args:
        name: the output's name.
        link: to the audio process.
        lead_ns: how early it wants its events.
        wrap: what the events are sent as (``PlayerEvents`` to sound, ``SentMidi`` to be captured).
        timescale: what the beat is counted on, where the other side counts frames by itself.
    """

    def __init__(
        self,
        name: str,
        link: Link,
        lead_ns: int,
        wrap: Callable[[tuple[Event, ...]], object],
        timescale: Callable[[], Timescale | None] = lambda: None,
    ) -> None:
        self.name = name
        self.lead_ns = lead_ns
        self._link = link
        self._wrap = wrap
        self._timescale = timescale
        self._steady = SteadyTime()
        self._events: list[Event] = []

    def send(self, at_ns: int, tick: int, data: bytes) -> None:
        """Keep it until the step ends. Thread: player. Real-time: yes."""
        self._events.append((self._steady.at(at_ns, self._timescale()), tick, data))

    def flush(self) -> None:
        """Hand over. Thread: player. Real-time: yes."""
        if self._events:
            self._link.send(self._wrap(tuple(self._events)))
            self._events.clear()

    def close(self) -> None:
        """Hand over the rest. Thread: player. Real-time: no."""
        self.flush()

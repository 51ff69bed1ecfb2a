"""Think first, then be on time: events for ports that send at once are made ready ahead and sent at their instant.

A player step costs 0.1 to 0.4 ms on a core whose caches others used meanwhile, a send alone some 10 µs. So such ports
ask for their events ``LEAD_NS`` ahead, and the gate sleeps, spins and sends. Measured with both cores loaded: the clock
left 62-82 µs late (p99 242-296) when the step came after the spin, 10 µs late (p99 102) with the step before it.

The sleep between step and instant is what makes an idle machine punctual: a core that slept for 10 ms wakes 63 µs late
(p99 143), one that was awake 0.3 ms before 43 µs (p99 50). So the headroom, which is spun away, can be small.

This module must not know ports: it is handed what sends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from hitloopd.core.time import NS_PER_S

LEAD_NS: Final = 1_000_000  # a step on cold caches takes 0.4 ms; while it waits for the instant nobody is heard
LEAST_NS: Final = 30_000
MOST_NS: Final = 300_000
FIRST_NS: Final = 110_000  # twice what a core needs that was awake just before
UP_NS: Final = 20_000
DOWN_NS: Final = 40  # one wake-up in 500 is later than the headroom
WORTH_NS: Final = 60_000  # a sleep costs as much time as half of this

Send = Callable[[int, int, bytes], None]


class Headroom:
    """How long before an instant to be woken, so as to be awake at it: learnt from how late the last wake-ups were.

    A busy core wakes within some 50 µs, one that was idle for long takes three times as long, and what is left of the
    headroom is spun away. So it follows the lateness that one in 500 exceeds, quickly upwards and slowly down.

    Args:
        ns: to begin with.
        least: it never gets less than this.
        most: nor more than this.

    Attributes:
        ns: the headroom.
    """

    def __init__(self, ns: int = FIRST_NS, *, least: int = LEAST_NS, most: int = MOST_NS) -> None:
        self.ns = ns
        self._least, self._most = least, most

    def woke(self, late_ns: int) -> None:
        """This long after the planned wake-up one was ready. Thread: player. Real-time: yes."""
        if late_ns > self.ns:
            self.ns = min(self.ns + UP_NS, self._most)
        else:
            self.ns = max(self.ns - DOWN_NS, self._least)


class Gate:
    """The events of one player step, sent in the order of their instants.

    Args:
        late: gets how late each was sent, in ns.
        clock: monotonic ns.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        late: Callable[[int], None],
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._late = late
        self._clock = clock
        self._sleep = sleep
        self._events: list[tuple[int, int, Send, int, bytes]] = []
        self._spin = Headroom()

    def put(self, at_ns: int, tick: int, data: bytes, send: Send) -> None:
        """Keep an event until ``fire``. Thread: player. Real-time: yes."""
        self._events.append((at_ns, len(self._events), send, tick, data))

    def fire(self) -> None:
        """Send everything, each at its instant; returns when all is sent.

        It waits here on purpose: what is done after it, a Stop say, can't overtake what was decided before.

        Thread: player. Real-time: yes.
        """
        if not self._events:
            return
        events, self._events = sorted(self._events), []
        lateness: list[int] = []
        for at_ns, _, send, tick, data in events:
            now_ns = self._wait_for(at_ns)
            send(at_ns, tick, data)
            lateness.append(now_ns - at_ns)
        for late_ns in lateness:
            self._late(late_ns)

    def _wait_for(self, at_ns: int) -> int:
        clock, spin_ns = self._clock, self._spin.ns
        now_ns = clock()
        if at_ns - now_ns > spin_ns + WORTH_NS:
            self._sleep((at_ns - now_ns - spin_ns) / NS_PER_S)
            now_ns = clock()
            self._spin.woke(now_ns - at_ns + spin_ns)
        while now_ns < at_ns:
            now_ns = clock()
        return now_ns

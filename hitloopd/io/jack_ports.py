"""The ports of the native JACK client and what happens in one cycle; ``midi_jack`` opens and watches them.

Conventions: ``at_ns`` is monotonic; frames are unwrapped. Everything between ``JackOut.send`` and the port's buffer
belongs to the process callback's thread; the two threads meet in one deque.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from hitloopd.io.frame_clock import FrameClock
from hitloopd.io.wake import Inbox

if TYPE_CHECKING:
    from hitloopd.io.jack_calls import JackCalls

MAX_QUEUED: Final = 8192
LEAD_MARGIN_NS: Final = 500_000

Event = tuple[int, int, bytes]  # at_ns, order of sending, message


class JackOut:
    """One MIDI output port; see ``ports.midi.MidiOut``.

    Attributes:
        lead_ns: two periods and a margin: an event must be here before the cycle it lies in begins.
        sent: events written to the port.
        late: events that came after their cycle had begun. They are played exactly one period after their time where
            that is still ahead (so what always comes late comes evenly late), else at once.
        dropped: events that found the port lost or full.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lead_ns = 0
        self.lost = True
        self.sent = self.late = self.dropped = 0
        self._fresh: deque[Event] = deque()
        self._queue: list[Event] = []
        self._order = 0
        self._last_frame = 0

    @property
    def waiting(self) -> int:
        """Events that have not been written yet. Thread: any. Real-time: yes."""
        return len(self._fresh) + len(self._queue)

    def send(self, at_ns: int, tick: int, data: bytes) -> None:  # noqa: ARG002 - the port's interface
        """Take one whole message for ``at_ns``. Thread: player. Real-time: yes."""
        if self.lost or len(self._fresh) >= MAX_QUEUED:
            self.dropped += 1
            return
        self._order += 1
        self._fresh.append((at_ns, self._order, data))

    def flush(self) -> None:
        """Nothing to do: the next cycle takes what is there. Thread: player. Real-time: yes."""

    def close(self) -> None:
        """Take no more; the client closes the port. Thread: player. Real-time: no."""
        self.lost = True

    def forget(self) -> None:
        """Drop what waits: its time has passed while the server was gone. Thread: helper, no callback running."""
        self.dropped += self.waiting
        self._fresh.clear()
        self._queue.clear()
        self._last_frame = 0

    def write(self, calls: JackCalls, buffer: int, clock: FrameClock, start: int, frames: int) -> None:
        """Put what lies in this cycle into the port's buffer. Thread: process callback. Real-time: yes."""
        calls.clear(buffer)
        queue, fresh = self._queue, self._fresh
        while fresh:
            heapq.heappush(queue, fresh.popleft())
        end = start + frames
        while queue:
            frame = clock.frame_at(queue[0][0])
            if frame >= end:
                return
            if frame < start:
                self.late += 1
                frame += frames
            # Never before what was written last: a late note-on must not fall behind its own note-off.
            frame = max(frame, start, self._last_frame)
            data = queue[0][2]
            if calls.write(buffer, frame - start, data, len(data)):
                self.dropped += 1
            else:
                self.sent += 1
                self._last_frame = frame
            heapq.heappop(queue)


class JackIn:
    """One MIDI input port; see ``ports.midi.MidiIn``. Arrival times come from the events' frames, so they are exact.

    An arrival can lie up to one period ahead of now: that is where in the running cycle the sender placed it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lost = True
        self._inbox = Inbox()

    @property
    def overflowed(self) -> int:
        """Messages that were pushed out by newer ones."""
        return self._inbox.overflowed

    def receive(self) -> Sequence[tuple[int, bytes]]:
        """All messages since the last call. Thread: player. Real-time: yes."""
        return self._inbox.take()

    def fileno(self) -> int:
        """For ``select``. Thread: any. Real-time: yes."""
        return self._inbox.fileno()

    def close(self) -> None:
        """Let it go. Thread: player. Real-time: no."""
        self.lost = True
        self._inbox.close()

    def read(self, calls: JackCalls, buffer: int, clock: FrameClock, start: int) -> None:
        """Take what this cycle brought. Thread: process callback. Real-time: yes."""
        for index in range(calls.count(buffer)):
            event = calls.event(buffer, index)
            if event is not None:
                self._inbox.put(clock.ns_at(start + event[0]), event[1])


class Cycle:
    """What one client does in each cycle.

    Args:
        calls: the bound functions.
        clock: frames and time; its own.
        outs: output ports with their addresses.
        ins: input ports with their addresses.
        now: monotonic ns.

    Attributes:
        cycles: how many there were.
        skipped: cycles that the server left out, by the jump of its frame count.
    """

    def __init__(
        self,
        calls: JackCalls,
        clock: FrameClock,
        outs: Sequence[tuple[JackOut, int]],
        ins: Sequence[tuple[JackIn, int]],
        *,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._calls = calls
        self._outs = tuple(outs)
        self._ins = tuple(ins)
        self._now = now
        self._expected = -1
        self._wrapped = 0
        self.clock = clock
        self.cycles = 0
        self.skipped = 0

    def __call__(self, frames: int) -> None:
        """One cycle. Thread: process callback. Real-time: yes."""
        calls, clock = self._calls, self.clock
        start = self._unwrap(calls.last_frame_time(), frames)
        clock.update(start, self._now() - calls.since_cycle_start_us() * 1000)
        for port, address in self._outs:
            port.write(calls, calls.get_buffer(address, frames), clock, start, frames)
        for port, address in self._ins:
            port.read(calls, calls.get_buffer(address, frames), clock, start)
        self.cycles += 1

    def _unwrap(self, frame32: int, frames: int) -> int:
        start = frame32 + self._wrapped
        if self._expected >= 0 and start < self._expected - 2**31:
            self._wrapped += 2**32
            start += 2**32
        if self._expected >= 0 and start > self._expected:
            self.skipped += (start - self._expected + frames - 1) // frames
        self._expected = start + frames
        return start

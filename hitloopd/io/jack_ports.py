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

NOTE_OFF: Final = 0x80
NOTE_ON: Final = 0x90
MAX_QUEUED: Final = 8192
LEAD_MARGIN_NS: Final = 500_000
AGAIN_PERIODS: Final = 4  # the server tells of an xrun from a thread of its own, some cycles later at the worst
MEASURE_FRAMES: Final = 512  # ~10 ms between looks at the server's clock: its drift is slow, and xruns are seen at once

Event = tuple[int, int, bytes]  # at_ns, order of sending, message


class JackOut:
    """One MIDI output port; see ``ports.midi.MidiOut``.

    Attributes:
        lead_ns: two periods and a margin: an event must be here before the cycle it lies in begins.
        sent: events written to the port.
        late: events that came after their cycle had begun. They are played exactly one period after their time where
            that is still ahead (so what always comes late comes evenly late), else at once.
        dropped: events that found the port lost or full.
        repeated: note-offs that were written once more, because an xrun may have taken the first one along (rule 16).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lead_ns = 0
        self.repeated = 0
        self.lost = True
        self.sent = self.late = self.dropped = 0
        self._fresh: deque[Event] = deque()
        self._queue: list[Event] = []
        self._order = 0
        self._last_frame = 0
        self._dirty = True
        self._released: dict[int, tuple[int, bytes]] = {}  # channel and note -> frame and message of its last note-off
        self._again: list[bytes] = []

    @property
    def waiting(self) -> int:
        """Events that have not been written yet. Thread: any. Real-time: yes."""
        return len(self._fresh) + len(self._queue)

    @property
    def busy(self) -> bool:
        """True while there is something to write, or to clear from the cycle before. Thread: process callback."""
        return bool(self._fresh or self._queue or self._dirty or self._again)

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
        self._dirty = True

    def repeat(self, since: int) -> None:
        """Release once more what was released from frame ``since`` on and has not begun anew. Thread: callback."""
        self._again += [data for frame, data in self._released.values() if frame >= since]

    def write(self, calls: JackCalls, address: int, clock: FrameClock, start: int, frames: int) -> None:
        """Put what lies in this cycle into the port's buffer; call it while ``busy``. Thread: process callback."""
        buffer = calls.get_buffer(address, frames)
        calls.clear(buffer)
        queue, fresh = self._queue, self._fresh
        while fresh:
            heapq.heappush(queue, fresh.popleft())
        end = start + frames
        self._dirty = bool(self._again)
        for data in self._again:
            self.repeated += not calls.write(buffer, 0, data, len(data))
        self._again.clear()
        while queue:
            frame = clock.frame_at(queue[0][0])
            if frame >= end:
                return
            if frame < start:
                self.late += 1
                frame += frames
            # Never before what was written last: a late note-on must not fall behind its own note-off.
            frame = max(frame, start, self._last_frame)
            data = heapq.heappop(queue)[2]
            if calls.write(buffer, frame - start, data, len(data)):
                self.dropped += 1
            else:
                self.sent += 1
                self._last_frame = frame
                self._dirty = True
                self._note(frame, data)

    def _note(self, frame: int, data: bytes) -> None:
        """Remember note-offs until their notes begin again."""
        kind = data[0] & 0xF0
        if kind == NOTE_OFF:
            self._released[(data[0] & 0x0F) << 7 | data[1]] = frame, data
        elif kind == NOTE_ON:
            self._released.pop((data[0] & 0x0F) << 7 | data[1], None)


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

    def read(self, calls: JackCalls, buffer: int, count: int, clock: FrameClock, start: int) -> None:
        """Take what this cycle brought. Thread: process callback. Real-time: yes."""
        for index in range(count):
            event = calls.event(buffer, index)
            if event is not None:
                self._inbox.put(clock.ns_at(start + event[0]), event[1])


class Cycle:
    """What one client does in each cycle. Idle cycles do almost nothing: at 64 frames there are 750 a second.

    Args:
        calls: the bound functions.
        clock: frames and time; its own.
        outs: output ports with their addresses.
        ins: input ports with their addresses.
        now: monotonic ns.

    Attributes:
        cycles: how many there were.
        skipped: cycles that the server left out, by the jump of its frame count.
        shaken: set from outside when the server tells of an xrun: what was written last may have reached nobody.
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
        self._measure_at = 0
        self.clock = clock
        self.cycles = 0
        self.skipped = 0
        self.shaken = False

    def __call__(self, frames: int) -> None:
        """One cycle. Thread: process callback. Real-time: yes."""
        calls, clock = self._calls, self.clock
        start = calls.last_frame_time() + self._wrapped
        last = start
        if start != self._expected:
            last = self._expected
            self.shaken |= last >= 0
            start = self._jump(start, frames)
        if self.shaken:
            self.shaken = False
            for port, _ in self._outs:
                port.repeat(min(last, start) - AGAIN_PERIODS * frames)
        self._expected = start + frames
        if start >= self._measure_at:
            clock.update(start, self._now() - calls.since_cycle_start_us() * 1000)
            self._measure_at = start + (0 if clock.doubts else MEASURE_FRAMES)
        for port, address in self._outs:
            if port.busy:
                port.write(calls, address, clock, start, frames)
        for port, address in self._ins:
            buffer = calls.get_buffer(address, frames)
            count = calls.count(buffer)
            if count:
                port.read(calls, buffer, count, clock, start)
        self.cycles += 1

    def _jump(self, start: int, frames: int) -> int:
        """The frame count did not go on by one period: first cycle, xrun, or 32 bits are full (25 hours)."""
        self._measure_at = 0
        if self._expected < 0:
            return start
        if start < self._expected - 2**31:
            self._wrapped += 2**32
            start += 2**32
        if start > self._expected:
            self.skipped += (start - self._expected + frames - 1) // frames
        return start

"""What is sent, streamed into a Standard MIDI File that can be opened whenever the program ends, however it ends.

Format 0, 480 ticks to the beat, tempo map included; ticks are those of the timeline, from the song's start. Appending
goes in three single writes, after each of which the file is whole: the new events with their own end-of-track behind
the old one, where no reader looks yet; the track's length; one byte that turns the old end-of-track into an empty
text.
"""

from __future__ import annotations

import contextlib
import heapq
import struct
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Final

from hitloopd.core.notices import Warned
from hitloopd.core.time import NS_PER_MS, TICKS_PER_BEAT
from hitloopd.io.audio_messages import Event

WINDOW_NS: Final = 300 * NS_PER_MS  # events may come this much out of order
QUEUE_MAX: Final = 16_384
START: Final = 22  # bytes before the first event: two chunk headers and MThd's six
END: Final = b"\x00\xff\x2f\x00"
TEXT_BYTE: Final = b"\x01"  # FF 01 00 is an empty text, FF 2F 00 the end of the track
NAME: Final = b"\x00\xff\x03\x08hitloopd"
FOUR_FOUR: Final = b"\x00\xff\x58\x04\x04\x02\x18\x08"

# (tick, order at that tick, counter, at ns, bytes)
_Waiting = tuple[int, int, int, int, bytes]


class MidiCapture:
    """One file. ``start``, ``tempo`` and ``take`` are for the pump of messages, ``pump`` and ``close`` for the writer.

    Args:
        path: the file; its folder is made.
        tell: gets one ``Warned`` when the file can't be written.
    """

    def __init__(self, path: Path, *, tell: Callable[[Warned], None]) -> None:
        self.path = path
        self.dropped = 0
        self._tell = tell
        self._queue: deque[_Waiting] = deque()
        self._waiting: list[_Waiting] = []
        self._counter = 0
        self._origin: int | None = None
        self._tempo: tuple[int, float] = (0, 120.0)
        self._tick = 0  # of the last event in the file
        self._events = bytearray()  # all, for the clean copy at the end
        self._sent = 0  # how many bytes of them are in the file
        self._length = 0  # of the track in the file
        self._file: BinaryIO | None = None
        self._failed = False

    def start(self, tick: int, bpm: float, at_ns: int = 0) -> None:
        """The song begins at ``tick``; later starts go on in the same file. Thread: messages. Real-time: yes."""
        if self._origin is None:
            self._origin = tick
        self.tempo(tick, bpm, at_ns)

    def tempo(self, tick: int, bpm: float, at_ns: int = 0) -> None:
        """Another tempo from ``tick`` on. Thread: messages. Real-time: yes."""
        if (self._tempo[1] != bpm or not self._counter) and self._origin is not None:
            self._tempo = (tick, bpm)
            self._put(tick, 0, at_ns, tempo_event(bpm))

    def take(self, events: Iterable[Event]) -> None:
        """Take channel messages; others are left out. Thread: messages. Real-time: yes."""
        for at_ns, tick, data in events:
            if data and 0x80 <= data[0] < 0xF0:
                if self._origin is None:
                    self.start(tick, self._tempo[1], at_ns)
                sounds = data[0] & 0xF0 == 0x90 and data[2] > 0
                self._put(tick, 2 if sounds else 1, at_ns, data)  # off before on at one tick

    def pump(self, now_ns: int) -> None:
        """Write what is old enough for nothing to come before it. Thread: writer. Real-time: no."""
        self._sort(now_ns - WINDOW_NS)
        if self._failed:
            return
        try:
            if self._file is None:
                self._open()
            self._append()
        except OSError as error:
            self._fail(error.strerror or str(error))

    def close(self) -> None:
        """Write the rest, once more without the seams, and let the file go. Thread: writer. Real-time: no."""
        self.pump(1 << 62)
        if self._file is None:
            return
        with contextlib.suppress(OSError):  # the streamed file is complete too
            self._file.close()
            if not self._failed:
                self._write_whole()
        self._file = None

    def _write_whole(self) -> None:
        beside = self.path.with_name(f".{self.path.name}.tmp")
        try:
            beside.write_bytes(_whole(bytes(self._events) + END))
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)  # what a full disk left of it

    def _put(self, tick: int, rank: int, at_ns: int, data: bytes) -> None:
        if self._failed or len(self._queue) >= QUEUE_MAX:
            self.dropped += 1
            return
        self._counter += 1
        self._queue.append((tick, rank, self._counter, at_ns, data))

    def _sort(self, until_ns: int) -> None:
        """Move what is due from the queue over the sorted window into ``_events``."""
        for _ in range(len(self._queue)):
            heapq.heappush(self._waiting, self._queue.popleft())
        while self._waiting and self._waiting[0][3] <= until_ns:
            tick, _, _, _, data = heapq.heappop(self._waiting)
            place = max(tick - (self._origin or 0), self._tick)
            self._events += variable_length(place - self._tick) + data
            self._tick = place

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._events[:0] = NAME + FOUR_FOUR
        self._file = self.path.open("w+b", buffering=0)
        self._sent = len(NAME + FOUR_FOUR)
        self._length = self._sent + len(END)
        self._file.write(_whole(NAME + FOUR_FOUR + END))

    def _append(self) -> None:
        assert self._file is not None
        new = bytes(self._events[self._sent :]) + END
        if len(new) == len(END):
            return
        old_end = START + self._length
        _write_at(self._file, old_end, new)
        _write_at(self._file, START - 4, struct.pack(">I", self._length + len(new)))
        self._length += len(new)
        _write_at(self._file, old_end - 2, TEXT_BYTE)
        self._sent += len(new) - len(END)

    def _fail(self, reason: str) -> None:
        self._failed = True
        self.dropped += len(self._queue) + len(self._waiting)
        self._tell(Warned("capture", f"{self.path} can't be written: {reason}. Play goes on without it."))


def _write_at(file: BinaryIO, place: int, data: bytes) -> None:
    file.seek(place)
    if file.write(data) < len(data):
        raise OSError(28, "No space left on device")


def _whole(track: bytes) -> bytes:
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, TICKS_PER_BEAT, b"MTrk", len(track)) + track


def tempo_event(bpm: float) -> bytes:
    """The Set Tempo meta event: µs per quarter note in three bytes."""
    return b"\xff\x51\x03" + min(round(60e6 / bpm), 0xFFFFFF).to_bytes(3, "big")


def variable_length(value: int) -> bytes:
    """A Standard MIDI File quantity: seven bits to the byte, the last one without the top bit."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.insert(0, value & 0x7F | 0x80)
    return bytes(out)

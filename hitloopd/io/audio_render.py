"""The heart of the audio process: from waiting events to one block of sound. The same for a device and for capture.

Conventions: ``render`` is called for one block after the other, by one thread; everybody else only puts messages into
the inbox. Nothing here blocks, logs or touches a file. Knows no device.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hitloopd.core.pattern import LANES
from hitloopd.io.audio_clock import FrameDll, FrameMap
from hitloopd.io.audio_messages import (
    Event,
    MuteSlot,
    PlaySound,
    SetSlotChoke,
    SetSlotGain,
    SetSlotPan,
    Silence,
    SongStart,
)
from hitloopd.io.limiter import Limiter
from hitloopd.io.sampler import Sampler
from hitloopd.io.sound_set import SoundSet
from hitloopd.ports.midi import CALL_OFF

INBOX_MAX: Final = 8192
STALE_S: Final = 0.1
"""A note this late is left out: after a stall they would all come at once, and a gap is better than that."""
TIMINGS: Final = 4096
NOTE_ON: Final = 0x90
NOTE_OFF: Final = 0x80
CONTROL: Final = 0xB0
SILENCING: Final = (120, 123)  # MIDI 1.0: all sound off, all notes off

Block = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A sound is ready: play it from the first note on that has its number. ``more``: the same sound, more pitches."""

    number: int
    sampler: Sampler
    more: bool = False


Message = Event | SetSlotGain | SetSlotPan | SetSlotChoke | MuteSlot | Silence | SongStart | Offer | PlaySound


class Recorder(Protocol):
    """What takes the finished sound."""

    def feed(self, block: Block) -> None:
        """Copy ``float32 [frames, 2]`` and return at once. Thread: callback. Real-time: yes."""
        ...


class BlockRenderer:
    """Turns events into blocks.

    Args:
        sampler: plays first.
        rate: frames per second.
        block_max: the longest block.
        gain: of everything, linear.
        recorder: gets what is heard, from the song's start (or the first note) on.
        timer: for the cost of a block.
    """

    def __init__(
        self,
        sampler: Sampler,
        rate: int,
        block_max: int,
        *,
        gain: float = 1.0,
        recorder: Recorder | None = None,
        timer: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._sounds = SoundSet(sampler, block_max)
        self.rate = rate
        self._block_max = block_max
        self._gain = np.float32(gain)
        self._recorder = recorder
        self._record_from: int | None = None
        self._timer = timer
        self._inbox: deque[Message] = deque()
        self._due: list[tuple[int, int, Message]] = []
        self._order = 0
        self._frame = 0
        self._timings = np.zeros(TIMINGS, dtype=np.int64)
        self._limiter = Limiter(rate, block_max)
        self._dll = FrameDll(rate)
        self._map = FrameMap(self._dll, rate)
        self._late_frames = 0
        self._handlers: dict[type, Callable[[Any, int], None]] = {
            tuple: self._midi,
            SetSlotGain: lambda m, _: self._sounds.set("set_gain", LANES.index(m.lane), m.gain_db),
            SetSlotPan: lambda m, _: self._sounds.set("set_pan", LANES.index(m.lane), m.pan),
            SetSlotChoke: lambda m, _: self._sounds.set("set_choke", LANES.index(m.lane), m.group),
            MuteSlot: lambda m, _: self._sounds.set("set_mute", LANES.index(m.lane), m.on),
            Silence: lambda _m, offset: self._silence(offset),
            Offer: lambda m, _: (self._sounds.replace if m.more else self._sounds.offer)(m.number, m.sampler),
            PlaySound: lambda m, _: self._sounds.play(m.number),
            SongStart: lambda _m, offset: self._start_recording(offset),
        }
        self.callbacks = 0
        self.notes = 0
        self.late = 0
        self.dropped = 0
        self.unplayed = [0] * len(LANES)

    # ── from other threads ──────────────────────────────────────────────────────────────────────────────────────────

    def put(self, message: Message) -> bool:
        """Hand a message over; False when there is no room. Thread: any. Real-time: yes."""
        if len(self._inbox) >= INBOX_MAX:
            self.dropped += 1
            return False
        self._inbox.append(message)
        return True

    def interrupted(self) -> None:
        """The device ran dry: its frames and time no longer go together. Thread: callback. Real-time: yes."""
        self._dll.reset()

    def begin_anew(self) -> None:
        """Be ready for another stream: nothing of the last one sounds on or is made up for.

        Thread: any, while no stream runs. Real-time: no.
        """
        self._inbox = deque(message for message in self._inbox if not isinstance(message, tuple))
        self._silence(0)
        self._dll.reset()
        self._map = FrameMap(self._dll, self.rate)

    @property
    def sampler(self) -> Sampler:
        """The one that plays. Thread: any. Real-time: yes."""
        return self._sounds.current

    @property
    def voices(self) -> int:
        """How many sound, of all kits. Thread: any, for looking. Real-time: yes."""
        return self._sounds.active

    def clear_spent(self) -> None:
        """Let go of kits that have rung out. Thread: any but the callback's. Real-time: no."""
        self._sounds.clear_spent()

    @property
    def clock(self) -> FrameDll:
        """The estimate of the device's clock. Thread: any, for looking. Real-time: yes."""
        return self._dll

    @property
    def limited(self) -> int:
        """Blocks that were turned down. Thread: any. Real-time: yes."""
        return self._limiter.turned_down

    @property
    def late_max_ms(self) -> float:
        """How late the latest note was started. Thread: any. Real-time: yes."""
        return self._late_frames / self.rate * 1e3

    def timings_us(self) -> NDArray[np.float64]:
        """What the last blocks cost. Thread: any. Real-time: no."""
        return self._timings[: min(self.callbacks, TIMINGS)].astype(np.float64) / 1e3

    # ── the callback ────────────────────────────────────────────────────────────────────────────────────────────────

    def render(self, out: Block, heard_ns: int) -> None:
        """Write the next block.

        Args:
            out: ``float32 [frames, 2]``, any number of frames.
            heard_ns: when its first frame is due at the output, monotonic.

        Thread: callback. Real-time: yes.
        """
        begin = self._timer()
        self._dll.update(heard_ns, self._frame)
        for start in range(0, len(out), self._block_max):
            self._piece(out[start : start + self._block_max])
        self._timings[self.callbacks % TIMINGS] = self._timer() - begin
        self.callbacks += 1

    def _piece(self, out: Block) -> None:
        frames = len(out)
        self._collect()
        while self._due and self._due[0][0] < self._frame + frames:
            frame, _, message = heapq.heappop(self._due)
            self._handlers[type(message)](message, max(frame - self._frame, 0))
        self._sounds.render(out)
        out *= self._gain
        self._limiter.process(out)
        if self._recorder is not None and self._record_from is not None:
            self._recorder.feed(out[max(self._record_from - self._frame, 0) :])
        self._frame += frames

    def _collect(self) -> None:
        """Give what came in its frame. Controls are due now, notes at their time."""
        for _ in range(len(self._inbox)):
            message = self._inbox.popleft()
            frame = self._frame
            if isinstance(message, tuple):
                frame = self._map.frame_at(message[0])
                if message[2] == CALL_OFF:
                    self._call_off(frame)
                    continue
                if frame < self._frame and not self._is_in_time(message, self._frame - frame):
                    continue
            elif isinstance(message, SongStart) and message.at_ns:
                frame = self._map.frame_at(message.at_ns)
            self._order += 1
            heapq.heappush(self._due, (max(frame, self._frame), self._order, message))

    def _call_off(self, frame: int) -> None:
        """Notes that were handed over for later do not begin: somebody stopped. Their ends do no harm."""
        self._due = [item for item in self._due if item[0] < frame or not _begins_note(item[2])]
        heapq.heapify(self._due)

    def _is_in_time(self, event: Event, late_frames: int) -> bool:
        """Whether an event still has its effect so long after its time; counts what is late or left out."""
        if not _begins_note(event):
            return True  # what has begun must end
        if late_frames > STALE_S * self.rate:
            self.dropped += 1
            return False
        self.late += 1
        self._late_frames = max(self._late_frames, late_frames)
        return True

    # ── what messages do ────────────────────────────────────────────────────────────────────────────────────────────

    def _midi(self, event: Event, offset: int) -> None:
        status, note, value = (*event[2], 0, 0)[:3]
        kind, lane = status & 0xF0, status & 0x0F
        if kind == CONTROL and note in SILENCING:
            self._sounds.each(lambda sampler: sampler.fade_all(offset))
        elif lane >= len(LANES):
            return
        elif kind == NOTE_ON and value:
            self._note_on(offset, lane, value, note, int.from_bytes(event[2][3:7], "big"))
        elif kind in (NOTE_ON, NOTE_OFF):
            self._sounds.each(lambda sampler: sampler.note_off(offset, lane, note))

    def _note_on(self, offset: int, lane: int, value: int, note: int, sound: int) -> None:
        if self._record_from is None:
            self._start_recording(offset)
        if self._sounds.of(sound).note_on(offset, lane, value / 127, note):
            self.notes += 1
        else:
            self.unplayed[lane] += 1

    def _start_recording(self, offset: int) -> None:
        if self._record_from is None:
            self._record_from = self._frame + offset

    def _silence(self, offset: int) -> None:
        self._due = [item for item in self._due if not isinstance(item[2], tuple)]
        heapq.heapify(self._due)
        self._sounds.each(lambda sampler: sampler.fade_all(offset))


def _begins_note(message: Message) -> bool:
    if not isinstance(message, tuple) or len(message[2]) < 3:
        return False
    return message[2][0] & 0xF0 == NOTE_ON and message[2][2] > 0

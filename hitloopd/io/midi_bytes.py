"""MIDI bytes to whole messages, by one table.

What a musician wants to know: old gear that leaves repeated status bytes out (running status), clocks that arrive in
the middle of a note or a SysEx dump, and plain garbage on the cable are all read right, or counted and passed over.

Why not mido's parser: it forgets the status after each message, so running status is lost (rule 11), it lets SysEx grow
without bound, and the player imports nothing but the standard library and its port drivers.

Conventions: a message is ``bytes`` with its status byte first, channels 0..15, no running status; note-on with
velocity 0 leaves here as the note-off it means.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MAX_SYSEX: Final = 65_536

SYSEX: Final = 0xF0
SYSEX_END: Final = 0xF7
CLOCK: Final = 0xF8
START: Final = 0xFA
CONTINUE: Final = 0xFB
STOP: Final = 0xFC
SENSING: Final = 0xFE
RESET: Final = 0xFF
SONG_POSITION: Final = 0xF2

# Data bytes after each status byte, MIDI 1.0. What is not here is undefined: F4, F5, F9, FD, and F7 by itself.
_CHANNEL_LENGTHS: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
LENGTHS: Final[dict[int, int]] = {
    **{kind | channel: length for kind, length in _CHANNEL_LENGTHS.items() for channel in range(16)},
    0xF1: 1,
    SONG_POSITION: 2,
    0xF3: 1,
    0xF6: 0,
    **dict.fromkeys((CLOCK, START, CONTINUE, STOP, SENSING, RESET), 0),
}
_RELEASE_VELOCITY: Final = 64  # MIDI 1.0: what stands for "no release velocity"


def is_message(data: bytes) -> bool:
    """True for exactly one whole message, SysEx included; note-on with velocity 0 counts as one."""
    if not data:
        return False
    if data[0] == SYSEX:
        body = data[1:-1]
        return len(data) >= 2 and data[-1] == SYSEX_END and (not body or max(body) < 0x80)
    return len(data) - 1 == LENGTHS.get(data[0], -1) and all(byte < 0x80 for byte in data[1:])


def is_realtime(data: bytes) -> bool:
    """True for clock, start, continue, stop, sensing and reset."""
    return data[0] >= CLOCK


def normal(data: bytes) -> bytes:
    """The same message, note-on with velocity 0 made the note-off it means (rule 11)."""
    if data[0] & 0xF0 == 0x90 and data[2] == 0:
        return bytes((data[0] & 0x8F, data[1], _RELEASE_VELOCITY))
    return data


class Parser:
    """A byte stream to messages; keeps what is unfinished from one call to the next.

    Args:
        max_sysex: longest SysEx in bytes; a longer one is passed over whole.

    Attributes:
        bad: bytes and unfinished messages that were passed over.
    """

    def __init__(self, *, max_sysex: int = MAX_SYSEX) -> None:
        self._max_sysex = max_sysex
        self._running = 0  # status that data bytes belong to; 0: none
        self._message = bytearray()  # what has come of it, status included
        self._in_sysex = False
        self._too_long = False
        self.bad = 0

    def feed(self, data: Iterable[int]) -> list[bytes]:
        """The messages that these bytes complete, in order; never raises for what they are. Thread: one."""
        done: list[bytes] = []
        for byte in data:
            if byte < 0x80:
                self._data(byte, done)
            elif byte >= CLOCK:
                self._realtime(byte, done)
            else:
                self._status(byte, done)
        return done

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished message are kept."""
        return len(self._message)

    def _realtime(self, byte: int, done: list[bytes]) -> None:
        """May come inside anything and disturbs nothing (rule 10)."""
        if byte in LENGTHS:
            done.append(bytes((byte,)))
        else:
            self.bad += 1

    def _status(self, byte: int, done: list[bytes]) -> None:
        if byte == SYSEX_END and self._in_sysex:
            self._end_sysex(done)
            return
        self._give_up()
        if byte == SYSEX:
            self._in_sysex = True
            self._message.append(byte)
        elif byte not in LENGTHS:
            self.bad += 1
        elif LENGTHS[byte] == 0:
            done.append(bytes((byte,)))
        else:
            self._running = byte
            self._message.append(byte)

    def _data(self, byte: int, done: list[bytes]) -> None:
        if self._in_sysex:
            self._sysex_data(byte)
            return
        if not self._running:
            self.bad += 1
            return
        if not self._message:  # running status
            self._message.append(self._running)
        self._message.append(byte)
        if len(self._message) > LENGTHS[self._running]:
            done.append(normal(bytes(self._message)))
            self._message.clear()
            if self._running >= SYSEX:  # system messages have no running status
                self._running = 0

    def _sysex_data(self, byte: int) -> None:
        if self._too_long or len(self._message) >= self._max_sysex - 1:
            self._too_long = True
            self._message.clear()
        else:
            self._message.append(byte)

    def _end_sysex(self, done: list[bytes]) -> None:
        if self._too_long:
            self.bad += 1
        else:
            done.append(bytes((*self._message, SYSEX_END)))
        self._reset()

    def _give_up(self) -> None:
        """A status byte ends whatever was unfinished, and running status with it."""
        self.bad += self._in_sysex or bool(self._message)
        self._reset()

    def _reset(self) -> None:
        self._message.clear()
        self._running = 0
        self._in_sysex = False
        self._too_long = False

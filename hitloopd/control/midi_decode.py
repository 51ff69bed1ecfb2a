"""From MIDI messages to moves of controls: notes, CC, 14-bit CC, NRPN, program change, pitch bend (PROTOCOL rule 22).

Conventions: channels 1..16. One CC may be several things at once (a CC, half of a 14-bit CC, a step of an NRPN): all
are told, and only what is bound matters. RPN is followed so far that its data is never taken for an NRPN's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

TOP7: Final = 127
TOP14: Final = 16_383
NULL: Final = TOP14  # NRPN 127/127 selects nothing

_LENGTHS: Final = {0x80: 3, 0x90: 3, 0xB0: 3, 0xC0: 2, 0xE0: 3}


@dataclass(frozen=True, slots=True)
class Move:
    """One control at one value.

    Args:
        kind: note, cc, cc14, nrpn, program or pitchbend.
        channel: 1..16.
        number: of the note, controller or NRPN; 0 for program and pitch bend.
        raw: 0..``top``; a released note is 0.
        top: what full is: 127 or 16383.
    """

    kind: str
    channel: int
    number: int
    raw: int
    top: int


@dataclass(slots=True)
class _Channel:
    """What one channel of one port remembers between messages."""

    high: dict[int, int] = field(default_factory=dict[int, int])
    select_high: int = 127
    select_low: int = 127
    is_nrpn: bool = False
    values: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def selected(self) -> int | None:
        number = self.select_high << 7 | self.select_low
        return number if self.is_nrpn and number != NULL else None


@dataclass(slots=True)
class MidiDecoder:
    """Keeps what 14-bit values need between messages, per port and channel; ``bad`` counts what is no MIDI."""

    bad: int = 0
    _channels: dict[tuple[str, int], _Channel] = field(default_factory=dict[tuple[str, int], _Channel])

    def feed(self, port: str, data: bytes) -> list[Move]:
        """The moves in one whole message; system and pressure messages move nothing."""
        if not data or data[0] < 0x80 or (any(byte > TOP7 for byte in data[1:]) and data[0] < 0xF0):
            self.bad += 1
            return []
        status, channel = data[0] & 0xF0, (data[0] & 0x0F) + 1
        if data[0] >= 0xF0 or status not in _LENGTHS:
            return []
        if len(data) != _LENGTHS[status]:
            self.bad += 1
            return []
        return list(self._moves(port, status, channel, data))

    def _moves(self, port: str, status: int, channel: int, data: bytes) -> Iterator[Move]:
        match status:
            case 0x80:
                yield Move("note", channel, data[1], 0, TOP7)
            case 0x90:
                yield Move("note", channel, data[1], data[2], TOP7)
            case 0xB0:
                yield Move("cc", channel, data[1], data[2], TOP7)
                yield from self._wide(port, channel, data[1], data[2])
            case 0xC0:
                yield Move("program", channel, 0, data[1], TOP7)
            case _:
                yield Move("pitchbend", channel, 0, data[2] << 7 | data[1], TOP14)

    def _wide(self, port: str, channel: int, number: int, value: int) -> Iterator[Move]:
        state = self._channels.setdefault((port, channel), _Channel())
        if number < 32:  # the high half counts at once, the low half refines it
            state.high[number] = value
            yield Move("cc14", channel, number, value << 7, TOP14)
        elif number < 64:
            yield Move("cc14", channel, number - 32, state.high.get(number - 32, 0) << 7 | value, TOP14)
        wide = self._nrpn(state, number, value)
        if wide is not None and state.selected is not None:
            state.values[state.selected] = wide
            yield Move("nrpn", channel, state.selected, wide, TOP14)

    def _nrpn(self, state: _Channel, number: int, value: int) -> int | None:
        """The value of the selected NRPN after this CC, or ``None`` where the CC is no part of one."""
        now = state.values.get(state.selected or 0, 0)
        match number:
            case 98 | 99 | 100 | 101:
                state.is_nrpn = number < 100
                if number % 2:
                    state.select_high = value
                else:
                    state.select_low = value
                return None
            case 6:
                return value << 7
            case 38:
                return now & ~TOP7 | value
            case 96:
                return min(now + 1, TOP14)
            case 97:
                return max(now - 1, 0)
            case _:
                return None

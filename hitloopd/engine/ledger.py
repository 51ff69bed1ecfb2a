"""The ledger of sounding notes: every note-on has exactly one later note-off (rule 16)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass


@dataclass(slots=True)
class Planned:
    """A note on its way through one output: planned, sounding, released."""

    on_tick: int
    off_tick: int
    channel: int
    note: int
    velocity: int
    tail: bytes = b""
    on_ns: int = 0
    sounding: bool = False

    @property
    def key(self) -> int:
        """Channel and note in one number."""
        return self.channel << 7 | self.note


class Ledger:
    """What sounds on one output, and when each note ends."""

    def __init__(self) -> None:
        self._sounding: dict[int, Planned] = {}
        self._ends: list[tuple[int, int, Planned]] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._sounding)

    @property
    def channels(self) -> set[int]:
        """Channels 0..15 on which something sounds."""
        return {note.channel for note in self._sounding.values()}

    def sounding(self, key: int) -> Planned | None:
        """The note that sounds there."""
        return self._sounding.get(key)

    def begin(self, note: Planned) -> None:
        """``note`` was sent."""
        note.sounding = True
        self._sounding[note.key] = note
        self._plan(note)

    def shorten(self, note: Planned, off_tick: int) -> None:
        """End ``note`` earlier than planned, but after it began."""
        if off_tick >= note.off_tick:
            return
        note.off_tick = max(off_tick, note.on_tick + 1)
        if note.sounding:
            self._plan(note)

    def next_end(self) -> int | None:
        """The tick of the next note-off."""
        while self._ends and not self._ends[0][2].sounding:
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else None

    def end(self, note: Planned) -> None:
        """``note`` was released."""
        note.sounding = False
        self._sounding.pop(note.key, None)

    def pop_end(self) -> Planned:
        """The note that ends next."""
        return heapq.heappop(self._ends)[2]

    def all(self) -> tuple[Planned, ...]:
        """Everything that sounds, oldest first."""
        return tuple(self._sounding.values())

    def _plan(self, note: Planned) -> None:
        self._order += 1
        heapq.heappush(self._ends, (note.off_tick, self._order, note))

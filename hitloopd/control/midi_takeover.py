"""Soft takeover: what a knob whose position differs from the value does when it is moved (PROTOCOL rule 23).

Conventions: positions and values are shares 0..1 of the binding's range.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

NEAR: Final = 1.5 / 127  # one and a half steps of a 7-bit knob


class Takeover(enum.StrEnum):
    """*jump*: at once; *pickup*: once the knob passes the value; *scale*: by shares, until they meet."""

    JUMP = "jump"
    PICKUP = "pickup"
    SCALE = "scale"


@dataclass(slots=True)
class Knob:
    """One knob's memory."""

    how: Takeover
    _knob: float | None = None
    _sent: float | None = None
    _seen: float | None = None

    def move(self, knob: float, value: float | None) -> float | None:
        """The new value, or ``None`` while the knob has not taken over.

        Args:
            knob: where the knob is now.
            value: what is in force; ``None`` where that is unknown: then it jumps.
        """
        if value is None or self.how is Takeover.JUMP:
            new = knob
        elif self.how is Takeover.PICKUP:
            new = knob if self._holds(value) or self._meets(knob, value) else None
        else:
            new = self._scaled(knob, value)
        self._knob, self._sent, self._seen = knob, new, value
        return new

    def _holds(self, value: float) -> bool:
        """It had taken over, and nobody else moved the value since (our own last one may still be on its way)."""
        return self._sent is not None and any(
            known is not None and abs(value - known) <= NEAR for known in (self._sent, self._seen)
        )

    def _meets(self, knob: float, value: float) -> bool:
        passed = self._knob is not None and (self._knob - value) * (knob - value) <= 0
        return passed or abs(knob - value) <= NEAR

    def _scaled(self, knob: float, value: float) -> float | None:
        before = self._knob
        if before is None:
            return knob if abs(knob - value) <= NEAR else None
        move = knob - before
        room_knob, room_value = (1 - before, 1 - value) if move > 0 else (before, value)
        return min(max(value + move * room_value / room_knob, 0.0), 1.0) if room_knob > 0 else value

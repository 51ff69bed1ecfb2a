"""A knob that is turned is one change, though it sends a hundred: what belongs to one gesture."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from hitloopd.core import commands as c
from hitloopd.core.time import NS_PER_MS
from hitloopd.session.reduce import Morphed

REST_NS: Final = 500 * NS_PER_MS
"""A knob that rested this long was let go."""

_KNOBS: Final = (c.SetEnergy, c.SetTemperature, c.SetMorph, c.SetHumanise, Morphed)
_LANE_KNOBS: Final = (c.SetDensity, c.SetSwing, c.SetGain, c.SetPan, c.SetTune, c.SetLaneOffset)


class Gesture:
    """The control that moves, if one does. Thread: control loop. Real-time: no."""

    def __init__(self) -> None:
        self._knob: Hashable = None
        self._at_ns = 0

    def goes_on(self, command: object, at_ns: int | None) -> bool:
        """Whether ``command`` moves the control that the one before it moved; ``None``: nobody knows when it came."""
        knob = _knob(command) if at_ns is not None else None
        same = knob is not None and knob == self._knob and at_ns is not None and at_ns - self._at_ns < REST_NS
        self._knob, self._at_ns = knob, at_ns or 0
        return same

    def end(self) -> None:
        """Whatever comes next is a change of its own."""
        self._knob = None


def _knob(command: Any) -> Hashable:  # noqa: ANN401 - any command; most are no knob's
    if isinstance(command, _KNOBS):
        return type(command)
    return (type(command), command.lane) if isinstance(command, _LANE_KNOBS) else None

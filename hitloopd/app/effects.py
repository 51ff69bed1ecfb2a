"""What a change of the user's state means for the other processes: found by comparing the state before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hitloopd.app.outputs import with_lane_changes
from hitloopd.core.pattern import LANES
from hitloopd.core.routes import OutputSpec
from hitloopd.core.score import Score
from hitloopd.engine.render import render
from hitloopd.io.audio_messages import SetSlotChoke, SetSlotGain, SetSlotPan
from hitloopd.ports.surface import Value
from hitloopd.session.heard import heard
from hitloopd.session.state import SessionState


@dataclass(frozen=True, slots=True)
class Effects:
    """What to send where; ``None`` and empty: nothing."""

    score: Score | None = None
    outputs: tuple[OutputSpec, ...] | None = None
    audio: tuple[Setting, ...] = ()


Setting = SetSlotGain | SetSlotPan | SetSlotChoke
_SETTINGS: Final[Mapping[str, type[Setting]]] = {"gains_db": SetSlotGain, "pans": SetSlotPan, "chokes": SetSlotChoke}


def score_of(state: SessionState, sound: int = 0) -> Score:
    """The user's bar, ready to play, and the sound that it is played with."""
    return replace(render(heard(state), state.feel), sound=sound)


def settings_of(state: SessionState) -> tuple[Setting, ...]:
    """What the user set on the slots, for an audio process that does not know."""
    return tuple(make(lane, value) for name, make in _SETTINGS.items() for lane, value in getattr(state, name).items())


def effects(
    old: SessionState, new: SessionState, outputs: tuple[OutputSpec, ...], sounds: tuple[int, int] = (0, 0)
) -> Effects:
    """Compare two states.

    Args:
        old: before.
        new: after.
        outputs: every output as configured, offsets in force included.
        sounds: the numbers of the sounds before and after.
    """
    same = old.current is new.current and (heard(old), old.feel) == (heard(new), new.feel)
    score = None if same and sounds[0] == sounds[1] else score_of(new, sounds[1])
    lanes_changed = _lanes(old) != _lanes(new)
    settings = tuple(
        make(lane, after.get(lane))
        for name, make in _SETTINGS.items()
        for before, after in ((getattr(old, name), getattr(new, name)),)
        for lane in LANES
        if before.get(lane) != after.get(lane)
    )
    return Effects(score, outputs_of(new, outputs) if lanes_changed else None, settings)


def outputs_of(state: SessionState, outputs: tuple[OutputSpec, ...]) -> tuple[OutputSpec, ...]:
    """The outputs with the user's lane notes, channels and offsets."""
    return tuple(
        with_lane_changes(spec, notes=state.lane_notes, channels=state.lane_channels, offsets_ms=state.lane_offsets_ms)
        for spec in outputs
    )


def _lanes(state: SessionState) -> tuple[object, ...]:
    return (dict(state.lane_notes), dict(state.lane_channels), dict(state.lane_offsets_ms))


def changed_values(
    before: Mapping[str, tuple[Value, ...]], after: Mapping[str, tuple[Value, ...]]
) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    """The addresses whose value is different."""
    return tuple((address, value) for address, value in after.items() if before.get(address) != value)

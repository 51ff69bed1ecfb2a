"""What a change of the user's state means for the other processes: found by comparing the state before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hitloopd.app.outputs import with_lane_changes
from hitloopd.core.pattern import LANES
from hitloopd.core.routes import OutputSpec
from hitloopd.core.score import Score
from hitloopd.engine.render import render
from hitloopd.io.audio_messages import SetSlotGain, UseKit
from hitloopd.ports.surface import Value
from hitloopd.session.heard import heard
from hitloopd.session.state import SessionState


@dataclass(frozen=True, slots=True)
class Effects:
    """What to send where; ``None`` and empty: nothing."""

    score: Score | None = None
    outputs: tuple[OutputSpec, ...] | None = None
    audio: tuple[SetSlotGain | UseKit, ...] = ()


def score_of(state: SessionState) -> Score:
    """The user's bar, ready to play."""
    return render(heard(state), state.feel)


def effects(old: SessionState, new: SessionState, outputs: tuple[OutputSpec, ...]) -> Effects:
    """Compare two states.

    Args:
        old: before.
        new: after.
        outputs: every output as configured, offsets in force included.
    """
    same = old.current is new.current and (heard(old), old.feel) == (heard(new), new.feel)
    score = None if same else score_of(new)
    lanes_changed = _lanes(old) != _lanes(new)
    gains = [
        SetSlotGain(lane, new.gains_db.get(lane, 0.0))
        for lane in LANES
        if new.gains_db.get(lane, 0.0) != old.gains_db.get(lane, 0.0)
    ]
    kit = [UseKit(new.kit)] if new.kit != old.kit else []
    return Effects(score, outputs_of(new, outputs) if lanes_changed else None, (*kit, *gains))


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

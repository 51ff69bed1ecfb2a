"""The one way the user's state changes: ``reduce(state, command)``, pure, all or nothing.

Conventions: a refused command raises and leaves the state as it was; a command that changes nothing returns an equal
state (and makes no undo entry). Names of models, styles and kits are checked by who knows the lists, before this. Undo
and redo are ``session.history``'s; ``Regenerate`` becomes a ``Request`` here, its answer comes back as ``Generated``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from hitloopd.core import commands as c
from hitloopd.core.energy import default_length_ticks
from hitloopd.core.errors import ArgumentError, LockedError, NothingToDoError, RangeError, require_range
from hitloopd.core.feel import MAX_LANE_OFFSET_MS, MAX_SWING, STRAIGHT
from hitloopd.core.kit import MAX_GAIN_DB, MAX_TUNING, MIN_GAIN_DB
from hitloopd.core.pattern import ALL_LANES, LANES, PITCHES, Lane, Note, Origin, Pattern
from hitloopd.core.request import MAX_SEED, Request, next_seed
from hitloopd.core.time import CELLS_PER_BAR, TICKS_PER_CELL
from hitloopd.session.heard import base, freeze, heard
from hitloopd.session.merge import kept_part, merged
from hitloopd.session.state import MAX_AUTO_BARS, CellKey, SessionState

PRESS: Final = 0.1
PLACES: Final = 6  # of the knob: tenths stay tenths however often it is pressed

Value = TypeVar("Value", float, int)


@dataclass(frozen=True, slots=True)
class Generated:
    """The generator's answer: put ``lanes`` of ``pattern`` in. Lanes that were locked meanwhile stay."""

    pattern: Pattern
    lanes: frozenset[Lane]
    seed: int


@dataclass(frozen=True, slots=True)
class Morphed:
    """The generator's answer to the morph knob at ``value``: the bar between the previous and the current one."""

    pattern: Pattern
    value: float


def reduce(state: SessionState, command: c.SessionCommand | Generated | Morphed) -> SessionState:
    """The state after ``command``.

    Raises:
        HitloopError: it can't be done; the message says why and what can, and nothing changed.

    Thread: control loop. Real-time: no.
    """
    step = STEPS.get(type(command))
    if step is None:
        raise ArgumentError(f"{type(command).__name__} is not a change of the pattern; nothing was changed.")
    return step(state, command)


def request_for(state: SessionState, command: c.Regenerate, *, last_seed: int | None = None) -> Request:
    """What to ask the generator. The same seed over the same kept lanes gives the same bar back.

    The condition holds only the lanes that stay, as they sound: a bar that is wholly new depends on nothing before it.

    Args:
        state: the present.
        command: lanes (none named: all that are not locked) and seed (none: the one set, else the next in the row).
        last_seed: the last seed used anywhere, undone bars included, so that dice after undo gives another bar;
            ``None``: the state's own.

    Raises:
        LockedError: a lane asked for is locked, or all are; the message names what unlocks.
        RangeError: the seed is out of range.
    """
    locked = sorted(command.lanes & state.locks, key=LANES.index)
    if locked:
        raise _locked(locked)
    lanes = command.lanes or ALL_LANES - state.locks
    if not lanes:
        raise _locked(LANES)
    return Request(
        generator=state.model,
        seed=_seed(state, command, last_seed),
        style=state.style,
        energy=state.energy,
        temperature=state.temperature,
        lanes=lanes,
        root=state.root,
        scale=state.scale,
        condition=None if lanes == ALL_LANES else kept_part(heard(state), ALL_LANES - lanes),
    )


def unlocking(lane: Lane) -> str:
    """The message that unlocks a lane."""
    return f"/hitloop/lane/{lane.value}/lock 0"


def _locked(lanes: tuple[Lane, ...] | list[Lane]) -> LockedError:
    names = ", ".join(lane.value for lane in lanes)
    keys = ", ".join(unlocking(lane) for lane in lanes)
    return LockedError(f"Locked: {names}; nothing was changed. {keys} unlocks.")


def _refuse_locked(state: SessionState, lane: Lane) -> None:
    if lane in state.frozen:
        raise _locked((lane,))


def _seed(state: SessionState, command: c.Regenerate, last_seed: int | None) -> int:
    for named in (command.seed, state.next_seed):
        if named is not None:
            return int(require_range("seed", named, 0, MAX_SEED))
    return next_seed(state.seed if last_seed is None else last_seed)


# ── new bars ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _generated(state: SessionState, command: Generated) -> SessionState:
    state = _with_bar(state, command.pattern, command.lanes)
    return replace(state, seed=command.seed, next_seed=None)


def _set_pattern(state: SessionState, command: c.SetPattern) -> SessionState:
    """The bar is meant as it was given, so edits of the lanes that it replaces go."""
    edits = {key: note for key, note in state.edits.items() if key[0] in state.frozen}
    return replace(_with_bar(state, command.pattern, ALL_LANES), edits=edits)


def _with_bar(state: SessionState, pattern: Pattern, lanes: frozenset[Lane]) -> SessionState:
    """Put lanes in; what is kept is what the morph knob had made, so nothing kept jumps when it goes back to 1."""
    lanes -= state.locks
    if not lanes:
        raise _locked(LANES)
    old = base(state)
    return replace(
        state, current=merged(old, pattern, lanes), previous=old if old.notes else None, between=None, morph=1.0
    )


# ── energy ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pressed(direction: int) -> Callable[[SessionState, Any], SessionState]:
    """A press moves the common knob by a tenth; lanes with their own density stay. Past an end, presses do nothing."""

    def press(state: SessionState, _: Any) -> SessionState:  # noqa: ANN401  (one shape for all steps of the table)
        at_end = state.knob >= 1.0 if direction > 0 else state.knob <= 0.0
        return state if at_end else replace(state, knob=round(state.knob + direction * PRESS, PLACES))

    return press


def _set_energy(state: SessionState, command: c.SetEnergy) -> SessionState:
    return replace(state, knob=round(float(require_range("energy", command.value, 0.0, 1.0)), PLACES))


def _set_density(state: SessionState, command: c.SetDensity) -> SessionState:
    _refuse_locked(state, command.lane)
    if command.value is None:
        return replace(state, densities=_without(state.densities, command.lane))
    value = round(float(require_range(f"density of {command.lane}", command.value, 0.0, 1.0)), PLACES)
    return replace(state, densities={**state.densities, command.lane: value})


def _set_morph(state: SessionState, command: c.SetMorph) -> SessionState:
    value = float(require_range("morph", command.value, 0.0, 1.0))
    if state.previous is None:
        raise NothingToDoError("There is no previous bar to morph from; regenerate once, then turn the knob.")
    return replace(state, morph=value, between=None)


def _morphed(state: SessionState, command: Morphed) -> SessionState:
    return replace(_set_morph(state, c.SetMorph(command.value)), between=command.pattern)


# ── lanes and cells ─────────────────────────────────────────────────────────────────────────────────────────────────


def _lock_lane(state: SessionState, command: c.LockLane) -> SessionState:
    if command.on == (command.lane in state.frozen):
        return state
    if command.on:
        return replace(state, frozen={**state.frozen, command.lane: freeze(state, command.lane)})
    return replace(state, frozen=_without(state.frozen, command.lane))


def _mute_lane(state: SessionState, command: c.MuteLane) -> SessionState:
    lane = frozenset((command.lane,))
    return replace(state, mutes=state.mutes | lane if command.on else state.mutes - lane)


def _set_cell(state: SessionState, command: c.SetCell) -> SessionState:
    _refuse_locked(state, command.lane)
    require_range("cell", command.cell, 0, CELLS_PER_BAR - 1)
    key: CellKey = (command.lane, command.cell)
    if command.velocity is None:
        return replace(state, edits=_without(state.edits, key))
    return replace(state, edits={**state.edits, key: _edited(command, command.velocity)})


def _edited(command: c.SetCell, velocity: float) -> Note | None:
    require_range("velocity", velocity, 0.0, 1.0)
    highest = PITCHES - 1 if command.lane is Lane.BASS else 0
    require_range(f"pitch of {command.lane}", command.pitch, 0, highest)
    if velocity == 0:
        return None
    return Note(
        command.cell * TICKS_PER_CELL,
        command.lane,
        command.pitch,
        default_length_ticks(command.lane),
        float(velocity),
        0.0,
        Origin.EDITED,
    )


# ── plain values ────────────────────────────────────────────────────────────────────────────────────────────────────


def _value(field: str, low: float, high: float, kind: type[Value]) -> Callable[[SessionState, Any], SessionState]:
    """A step for a command with ``value`` and a range."""

    def step(state: SessionState, command: Any) -> SessionState:  # noqa: ANN401  (as above)
        return replace(state, **{field: kind(require_range(field, command.value, low, high))})

    return step


def _name(field: str) -> Callable[[SessionState, Any], SessionState]:
    def step(state: SessionState, command: Any) -> SessionState:  # noqa: ANN401  (as above)
        if not command.name:
            raise ArgumentError(f"{field} needs a name; nothing was changed.")
        return replace(state, **{field: str(command.name)})

    return step


def _per_lane(
    field: str, attribute: str, low: float, high: float, kind: type[Value]
) -> Callable[[SessionState, Any], SessionState]:
    """A step for a command with a lane and a value with a range."""

    def step(state: SessionState, command: Any) -> SessionState:  # noqa: ANN401  (as above)
        what = f"{attribute} of {command.lane}"
        value = kind(require_range(what, getattr(command, attribute), low, high))
        return replace(state, **{field: {**getattr(state, field), command.lane: value}})

    return step


def _load_kit(state: SessionState, command: c.LoadKit) -> SessionState:
    """What was chosen among the old kit's samples means nothing in the new one; the mixer stays."""
    return replace(_name("kit")(state, command), samples=dict(command.fill), tunings={})


def _set_sample(state: SessionState, command: c.SetSample) -> SessionState:
    samples = {**state.samples, **command.samples}
    return replace(state, samples={lane: name for lane, name in samples.items() if name})


def _set_choke(state: SessionState, command: c.SetChoke) -> SessionState:
    return replace(state, chokes={**state.chokes, command.lane: command.group})


def _set_auto(state: SessionState, command: c.SetAuto) -> SessionState:
    return replace(state, auto_bars=int(require_range("auto", command.bars, 0, MAX_AUTO_BARS)))


_lane_note: Final = _per_lane("lane_notes", "note", 0, 127, int)


def _set_lane_note(state: SessionState, command: c.SetLaneNote) -> SessionState:
    if command.lane is Lane.BASS:
        raise RangeError("The bass plays many notes, a drum lane one; /hitloop/lane/bass/note can't be set.")
    return _lane_note(state, command)


Key = TypeVar("Key")
Item = TypeVar("Item")


def _without(values: Mapping[Key, Item], key: Key) -> dict[Key, Item]:
    return {name: value for name, value in values.items() if name != key}


STEPS: Final[Mapping[type, Callable[[SessionState, Any], SessionState]]] = {
    Generated: _generated,
    Morphed: _morphed,
    c.SetPattern: _set_pattern,
    c.Calmer: _pressed(-1),
    c.Energetic: _pressed(+1),
    c.SetEnergy: _set_energy,
    c.SetDensity: _set_density,
    c.SetMorph: _set_morph,
    c.LockLane: _lock_lane,
    c.MuteLane: _mute_lane,
    c.SetCell: _set_cell,
    c.SetTemperature: _value("temperature", 0.0, 2.0, float),
    c.SetHumanise: _value("humanise", 0.0, 1.0, float),
    c.SetSeed: _value("next_seed", 0, MAX_SEED, int),
    c.SetAuto: _set_auto,
    c.SetModel: _name("model"),
    c.SetStyle: _name("style"),
    c.LoadKit: _load_kit,
    c.SetSample: _set_sample,
    c.SetTune: _per_lane("tunings", "semitones", -MAX_TUNING, MAX_TUNING, float),
    c.SetPan: _per_lane("pans", "pan", -1.0, 1.0, float),
    c.SetChoke: _set_choke,
    c.SetSwing: _per_lane("swing", "value", STRAIGHT, MAX_SWING, float),
    c.SetGain: _per_lane("gains_db", "gain_db", MIN_GAIN_DB, MAX_GAIN_DB, float),
    c.SetLaneNote: _set_lane_note,
    c.SetLaneChannel: _per_lane("lane_channels", "channel", 1, 16, int),
    c.SetLaneOffset: _per_lane("lane_offsets_ms", "offset_ms", -MAX_LANE_OFFSET_MS, MAX_LANE_OFFSET_MS, float),
}

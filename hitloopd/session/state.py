"""The user's state: everything that a regenerate, an edit or a knob changes, and that undo gives back.

Conventions: one frozen value; a change makes a new one and shares what stayed the same. Mappings are plain dicts that
nobody writes to after they were handed over. This module must not know generators, files or the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hitloopd.core.feel import Feel
from hitloopd.core.pattern import EMPTY, Lane, Note, Pattern

CellKey = tuple[Lane, int]
MAX_AUTO_BARS: Final = 1024


@dataclass(frozen=True, slots=True)
class SessionState:
    """What the user owns.

    Args:
        current: the bar as it was generated or set, candidates included; edits, knob and mutes are not in it.
        previous: the bar before it, for the morph knob.
        between: the bar that their generator drew at the morph knob's place, where it did; else they morph by notes.
        edits: (lane, cell) -> the note put there by hand, or ``None`` for a cell cleared by hand.
        frozen: locked lane -> its notes as they were when it was locked; neither knob, morph nor dice touch them.
        mutes: silent lanes.
        knob: the energy knob as pressed, -0.1..1.1 (a press past an end is remembered, so that the opposite press
            gives the same notes back); ``energy`` is what counts.
        densities: lanes with a knob of their own, 0..1; these do not follow the common one.
        swing: lane -> 0.5..0.75; a lane that is missing is straight.
        humanise: 0..1.
        temperature: 0..2.
        morph: 0 the previous bar .. 1 the current one.
        seed: the last one used.
        next_seed: what the user named for the next regenerate, if anything.
        groove_seed: what humanise draws from; it stays, so that a locked lane keeps its groove through a regenerate.
        model: the generator of the next bars.
        style: their style.
        root: MIDI note of their bass pitch 0.
        scale: the scale their bass keeps to.
        auto_bars: regenerate by itself every so many bars, 0 is off.
        kit: the kit's name.
        samples: lane -> sample, where the user chose another one than the kit's; goes with the kit.
        tunings: lane -> -24..24 semitones, where the user changed it; goes with the kit.
        gains_db: lane -> -60..12, where the user changed it; stays when the kit changes, as do the next two.
        pans: lane -> -1..1, where the user changed it.
        chokes: lane -> group, where the user changed it.
        lane_notes: drum lane -> MIDI note, where the user changed it.
        lane_channels: lane -> 1..16, where the user changed it.
        lane_offsets_ms: lane -> -50..50, where the user changed it.
    """

    current: Pattern = EMPTY
    previous: Pattern | None = None
    between: Pattern | None = None
    edits: Mapping[CellKey, Note | None] = field(default_factory=dict[CellKey, Note | None])
    frozen: Mapping[Lane, tuple[Note, ...]] = field(default_factory=dict[Lane, tuple[Note, ...]])
    mutes: frozenset[Lane] = frozenset()
    knob: float = 0.5
    densities: Mapping[Lane, float] = field(default_factory=dict[Lane, float])
    swing: Mapping[Lane, float] = field(default_factory=dict[Lane, float])
    humanise: float = 0.0
    temperature: float = 1.0
    morph: float = 1.0
    seed: int = 0
    next_seed: int | None = None
    groove_seed: int = 0
    model: str = "rules"
    style: str = "house"
    root: int = 36
    scale: str = "minor"
    auto_bars: int = 0
    kit: str = "house"
    samples: Mapping[Lane, str] = field(default_factory=dict[Lane, str])
    tunings: Mapping[Lane, float] = field(default_factory=dict[Lane, float])
    gains_db: Mapping[Lane, float] = field(default_factory=dict[Lane, float])
    pans: Mapping[Lane, float] = field(default_factory=dict[Lane, float])
    chokes: Mapping[Lane, str] = field(default_factory=dict[Lane, str])
    lane_notes: Mapping[Lane, int] = field(default_factory=dict[Lane, int])
    lane_channels: Mapping[Lane, int] = field(default_factory=dict[Lane, int])
    lane_offsets_ms: Mapping[Lane, float] = field(default_factory=dict[Lane, float])

    @property
    def energy(self) -> float:
        """The energy knob in force, 0..1."""
        return min(max(self.knob, 0.0), 1.0)

    @property
    def locks(self) -> frozenset[Lane]:
        """The locked lanes."""
        return frozenset(self.frozen)

    @property
    def feel(self) -> Feel:
        """How the bar is played: what ``engine.render`` wants beside the heard pattern."""
        return Feel(self.swing, self.humanise, self.groove_seed)

    def knob_of(self, lane: Lane) -> float:
        """The energy knob that ``lane`` follows: its own density, or the common one."""
        return self.densities.get(lane, self.energy)

"""Bars for these tests: by hand and from hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from hitloopd.core import commands as c
from hitloopd.core.pattern import ALL_LANES, DRUM_LANES, LANES, Lane, Near, Note, Pattern, Provenance
from hitloopd.core.request import MAX_SEED
from hitloopd.core.time import TICKS_PER_CELL
from hitloopd.session.reduce import Generated, Morphed

MADE = Provenance("rules", "abc", 7, {"style": "house", "energy": 0.5})


def hit(lane: Lane, cell: int, velocity: float = 0.8, priority: float = 0.0, pitch: int = 0) -> Note:
    return Note(cell * TICKS_PER_CELL, lane, pitch, 60, velocity, priority)


def bar(*notes: Note, seed: int = 7, root: int = 36) -> Pattern:
    return Pattern(notes, root, Provenance("rules", "abc", seed, {"style": "house", "energy": 0.5}))


FOUR = bar(
    *(hit(Lane.KICK, cell) for cell in (0, 4, 8, 12)), hit(Lane.HIHAT, 2, 0.5, 0.3), hit(Lane.HIHAT, 6, 0.5, 0.7)
)
OTHER = bar(hit(Lane.KICK, 0, 0.4), hit(Lane.SNARE, 4), hit(Lane.BASS, 0, pitch=3), hit(Lane.BASS, 10, pitch=7), seed=8)

lanes = st.sampled_from(LANES)
unit = st.floats(0, 1)
notes = st.builds(
    Note,
    start_ticks=st.integers(-18, 1919),
    lane=lanes,
    pitch=st.integers(0, 15),
    length_ticks=st.integers(1, 960),
    velocity=st.floats(0.001, 1),
    priority=unit,
)
patterns = st.builds(
    Pattern,
    st.lists(notes, max_size=24).map(tuple),
    st.integers(24, 60),
    st.builds(
        Provenance,
        st.just("rules"),
        st.just("abc"),
        st.integers(0, 99),
        nearest=st.sampled_from(((), (Near(3, 80, "Song", "Ada", "CC BY 4.0", 2),))),
    ),
)
seeds = st.integers(0, MAX_SEED)
lane_sets = st.frozensets(lanes, min_size=1) | st.just(ALL_LANES)
cells = st.integers(0, 15)

changes = st.one_of(
    st.builds(Generated, patterns, lane_sets, seeds),
    st.builds(c.SetPattern, patterns),
    st.builds(c.Calmer),
    st.builds(c.Energetic),
    st.builds(c.SetEnergy, unit),
    st.builds(c.SetDensity, lanes, st.none() | unit),
    st.builds(c.SetMorph, unit),
    st.builds(Morphed, patterns, unit),
    st.builds(c.LockLane, lanes, st.booleans()),
    st.builds(c.MuteLane, lanes, st.booleans()),
    st.builds(c.SetCell, st.sampled_from(DRUM_LANES), cells, st.none() | st.just(0.0) | st.floats(0.001, 1)),
    st.builds(c.SetCell, st.just(Lane.BASS), cells, st.none() | st.floats(0.001, 1), st.integers(0, 15)),
    st.builds(c.SetTemperature, st.floats(0, 2)),
    st.builds(c.SetHumanise, unit),
    st.builds(c.SetSeed, seeds),
    st.builds(c.SetAuto, st.integers(0, 64)),
    st.builds(c.SetModel, st.sampled_from(("rules", "random"))),
    st.builds(c.SetStyle, st.sampled_from(("house", "techno"))),
    st.builds(c.LoadKit, st.sampled_from(("house", "techno"))),
    st.builds(c.SetSwing, lanes, st.floats(0.5, 0.75)),
    st.builds(c.SetGain, lanes, st.floats(-60, 12)),
    st.builds(c.SetLaneNote, st.sampled_from(DRUM_LANES), st.integers(0, 127)),
    st.builds(c.SetLaneChannel, lanes, st.integers(1, 16)),
    st.builds(c.SetLaneOffset, lanes, st.floats(-50, 50)),
)

"""Laws of the player that hold whatever is asked of it, in any order, at any moment."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hitloopd.core.commands import (
    Continue,
    Cue,
    Locate,
    Panic,
    Play,
    PlayerCommand,
    SetOutputOffset,
    SetSource,
    SetTempo,
    Stop,
    StopAt,
)
from hitloopd.core.notices import BarStarted, Done
from hitloopd.core.pattern import LANES, Lane
from hitloopd.core.routes import OutputSpec
from hitloopd.core.score import Score, ScoreNote
from hitloopd.core.time import NS_PER_MS
from hitloopd.core.transport import Source
from hitloopd.engine.player import PlayerSpec
from hitloopd.testing.rig import FakeOut, Rig


@st.composite
def scores(draw: st.DrawFn) -> Score:
    notes = draw(
        st.lists(
            st.builds(
                ScoreNote,
                tick=st.integers(-18, 1919),
                lane=st.sampled_from(LANES),
                velocity=st.floats(0.01, 1.0),
                pitch=st.integers(30, 50),
                length_ticks=st.integers(1, 2500),
            ),
            max_size=24,
        )
    )
    unique = {(n.tick, n.lane, n.pitch if n.lane is Lane.BASS else 0): n for n in notes}
    return Score(tuple(sorted(unique.values())), f"p{draw(st.integers(0, 10**6))}")


COMMANDS: st.SearchStrategy[PlayerCommand] = st.one_of(
    st.just(Play()),
    st.just(Stop()),
    st.just(Continue()),
    st.just(Panic()),
    st.builds(StopAt, st.integers(0, 8)),
    st.builds(Locate, st.integers(0, 200)),
    st.builds(SetTempo, st.floats(20, 300), st.sampled_from([0.0, 0.0, 1.0, 4.0])),
    st.builds(SetOutputOffset, st.floats(-100, 100), st.sampled_from(["", "out", "ahead"])),
    st.builds(Cue, scores()),
    st.builds(SetSource, st.sampled_from([Source.INTERNAL, Source.MIDI])),
)
MIDI = st.sampled_from(
    [b"\xf8", b"\xf8", b"\xf8", b"\xfa", b"\xfb", b"\xfc", bytes((0xF2, 5, 1)), b"\xff", b"\x90\x24\x40"]
)
STEPS = st.lists(st.tuples(st.floats(0, 0.6), st.one_of(COMMANDS, MIDI)), max_size=30)


def rig() -> Rig:
    return Rig(
        OutputSpec("out", clock=True),
        OutputSpec("ahead", lead_ns=30 * NS_PER_MS),
        spec=PlayerSpec(bpm=133.7),
    )


def each_note_ends_once_before_it_sounds_again(out: FakeOut) -> None:
    sounding: dict[tuple[int, int], int] = {}
    for at_ns, _, _, data in out.sent:
        key = (data[0] & 15, data[1] if len(data) > 1 else 0)
        if data[0] & 0xF0 == 0x90:
            assert key not in sounding
            sounding[key] = at_ns
        elif data[0] & 0xF0 == 0x80:
            assert at_ns >= sounding.pop(key)
    assert sounding == {}


@settings(max_examples=120, deadline=None)
@given(STEPS)
def test_rule_16_every_note_on_has_exactly_one_later_note_off(steps: list[tuple[float, PlayerCommand | bytes]]) -> None:
    player = rig()
    for seconds, step in steps:
        player.run_for(seconds)
        if isinstance(step, bytes):
            player.receive(step)
        else:
            player.do(step)
    player.player.close(player.clock())
    for out in player.outs.values():
        each_note_ends_once_before_it_sounds_again(out)
    assert player.player.health().sounding == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 1.5), scores()), min_size=1, max_size=12))
def test_rule_47_a_cue_is_in_force_at_the_bar_line_its_answer_named(cues: list[tuple[float, Score]]) -> None:
    player = rig()
    player.do(Play())
    promised: dict[int, str] = {}
    for seconds, score in cues:
        player.run_for(seconds)
        token = player.do(Cue(score))
        done = [n for n in player.told(Done) if isinstance(n, Done) and n.token == token]
        promised[done[0].bar] = score.pattern_id  # a later one for the same bar takes its place
    player.run_for(4.5)
    begun = {n.bar: n.pattern_id for n in player.told(BarStarted) if isinstance(n, BarStarted)}
    assert {bar: begun.get(bar) for bar in promised} == promised


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 0.7), st.floats(20, 300), st.sampled_from([0.0, 2.0])), max_size=12))
def test_clocks_never_go_back_nor_bunch_up_through_tempo_changes(changes: list[tuple[float, float, float]]) -> None:
    player = rig()
    player.do(Play())
    for seconds, bpm, ramp in changes:
        player.run_for(seconds)
        player.do(SetTempo(bpm, ramp))
    player.run_for(0.5)
    gaps = [b - a for a, b in pairwise(player.out().clocks_ns)]
    assert all(8_333_332 <= gap <= 125_000_001 for gap in gaps)  # 300 and 20 BPM

"""When a step may come late: only a clock, only for an output that is fed ahead, and nothing before it is out."""

from __future__ import annotations

import itertools

from hitloopd.core.commands import Cue, Play, SetTempo
from hitloopd.core.pattern import Lane
from hitloopd.core.routes import OutputSpec, preset
from hitloopd.core.score import ScoreNote
from hitloopd.core.time import NS_PER_MS, TICKS_PER_CLOCK
from hitloopd.testing.rig import Rig, score

LEAD_NS = NS_PER_MS
CLOCK = OutputSpec("clock", clock=True, notes=False, lead_ns=LEAD_NS, timed=True)
OUT = OutputSpec("out", routes=preset("gm"), lead_ns=LEAD_NS, timed=True)
KICK = ScoreNote(480, Lane.KICK, 0.8, 36, 60)


def spare_by_tick(rig: Rig, seconds: float) -> dict[int, int]:
    """The spare time that was told before each tick, visiting every deadline of so many seconds."""
    told: dict[int, int] = {}
    end_ns = rig.clock() + round(seconds * 1e9)
    while rig.clock() < end_ns:
        spare_ns = rig.player.spare_ns
        before = {name: len(out.sent) for name, out in rig.outs.items()}
        rig.run_until(rig.deadline_ns)
        for name, out in rig.outs.items():
            told |= {tick: spare_ns for _, _, tick, _ in out.sent[before[name] :]}
    return told


def test_a_clock_alone_may_wait_and_a_note_or_a_beat_may_not() -> None:
    rig = Rig(CLOCK, OUT)
    rig.do(Cue(score(KICK)))
    rig.do(Play())
    rig.run_for(0.5)
    told = spare_by_tick(rig, 4.0)
    origin = min(tick for at, _, tick, data in rig.out("out").sent if data[0] & 0xF0 == 0x90) - KICK.tick
    clocks = {tick for _, _, tick, data in rig.out("clock").sent if data == b"\xf8"} & told.keys()
    alone = {tick for tick in clocks if told[tick]}
    assert {told[tick] for tick in alone} == {LEAD_NS}
    assert len(alone) > 0.8 * len(clocks)
    notes = {tick for _, _, tick, _ in rig.out("out").sent}
    beats = {tick for tick in clocks if (tick - origin) % 480 == 0}
    assert beats
    assert not alone & (notes | beats)


def test_nothing_may_wait_for_an_output_that_is_not_fed_ahead() -> None:
    rig = Rig(OutputSpec("clock", clock=True, notes=False))
    rig.do(Play())
    assert set(spare_by_tick(rig, 1.0).values()) == {0}


def test_what_is_skipped_while_nothing_moves_is_no_longer_free_for_a_change() -> None:
    """A head that is fed ahead has said where it is, though it was not looked at in the last steps."""
    ahead = OutputSpec("ahead", routes=preset("gm"), lead_ns=60 * NS_PER_MS)
    rig = Rig(CLOCK, ahead)
    rig.do(Cue(score(KICK)))
    rig.do(Play())
    rig.run_for(1.0)
    rig.do(SetTempo(60.0))
    rig.run_for(1.0)
    clocks = rig.out("clock").clocks_ns
    gaps = [b - a for a, b in itertools.pairwise(clocks)]
    first_slow = next(index for index, gap in enumerate(gaps) if gap > 30 * NS_PER_MS)
    asked_ns = 2_000_000_000
    assert clocks[first_slow] - asked_ns >= 60 * NS_PER_MS - TICKS_PER_CLOCK
    assert clocks[first_slow] - asked_ns <= 60 * NS_PER_MS + 2 * 21 * NS_PER_MS

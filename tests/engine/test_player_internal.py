"""The player as clock master, under a fake clock."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hitloopd.core.commands import Continue, Cue, Locate, Panic, Play, SetTempo, Stop, StopAt
from hitloopd.core.notices import BarStarted, Beat, Done, NotePlayed, Refused
from hitloopd.core.pattern import Lane
from hitloopd.core.routes import OutputSpec, preset
from hitloopd.core.score import Score, ScoreNote
from hitloopd.core.time import NS_PER_MS, NS_PER_S
from hitloopd.core.transport import State
from hitloopd.engine.player import PlayerSpec
from hitloopd.ports.midi import CALL_OFF
from hitloopd.testing.rig import Rig, score

FOUR = score(*(ScoreNote(480 * beat, Lane.KICK, 0.8, 0, 60) for beat in range(4)), pattern_id="four")
STRAIGHT = score(*(ScoreNote(120 * cell, Lane.HIHAT, 0.8, 0, 120) for cell in range(16)), pattern_id="straight")
OUT = OutputSpec("out", clock=True)


def playing(*outputs: OutputSpec, bpm: float = 120.0, what: Score = FOUR) -> Rig:
    rig = Rig(*(outputs or (OUT,)), spec=PlayerSpec(bpm=bpm))
    rig.do(Cue(what))
    rig.do(Play())
    return rig


def gaps(times: list[int]) -> set[int]:
    return {b - a for a, b in pairwise(times)}


def balanced(rig: Rig) -> bool:
    return all(len(out.ons()) == len(out.offs()) for out in rig.outs.values())


@pytest.mark.parametrize("bpm", range(60, 301, 10))
def test_rule_01_no_drift_over_64_bars_at_any_tempo(bpm: int) -> None:
    rig = Rig(OUT, spec=PlayerSpec(bpm=float(bpm)))
    rig.do(Play())
    rig.run_for(64 * 4 * 60 / bpm + 0.1)
    clocks = rig.out().clocks_ns
    assert len(clocks) > 64 * 96
    for index, at_ns in enumerate(clocks):
        assert abs(at_ns - clocks[0] - index * 60 * NS_PER_S / (bpm * 24)) <= 1


def test_rule_02_clock_runs_while_stopped_unless_turned_off() -> None:
    quiet = OutputSpec("quiet", clock=True, clock_when_stopped=False)
    rig = Rig(OUT, quiet)
    rig.run_for(1.0)
    assert len(rig.out().clocks_ns) in (48, 49)
    assert rig.out("quiet").clocks_ns == []
    rig.do(Play())
    rig.run_for(1.0)
    assert len(rig.out("quiet").clocks_ns) in (47, 48)


def test_rule_04_start_comes_at_least_a_millisecond_before_the_first_clock_and_none_lies_between() -> None:
    rig = playing()
    rig.run_for(1.0)
    sent = [(at, data) for at, _, _, data in rig.out().sent]
    index = next(i for i, (_, data) in enumerate(sent) if data == b"\xfa")
    (fa, _), (first, data) = sent[index], sent[index + 1]
    assert data == b"\xf8"
    assert first - fa >= NS_PER_MS
    assert rig.out().ons()[0][0] == first


def test_rule_06_continue_sends_the_song_position_first_and_leaves_time_to_locate() -> None:
    rig = playing()
    rig.run_for(1.3)
    rig.do(Stop())
    rig.out().sent.clear()
    rig.do(Continue())
    rig.run_for(0.2)
    (spp_ns, spp), (fb_ns, fb) = rig.out().messages[:2]
    assert spp[0] == 0xF2
    assert fb == b"\xfb"
    assert fb_ns - spp_ns >= 8 * NS_PER_MS
    sixteenth = spp[1] | spp[2] << 7
    assert sixteenth == 10  # 1.3 s at 120 BPM less the start's lead


def test_continue_goes_on_where_it_stopped() -> None:
    rig = playing()
    rig.run_for(1.1)
    rig.do(Stop())
    before = len(rig.out().ons())
    rig.do(Continue())
    rig.run_for(1.0)
    assert len(rig.out().ons()) - before == 2


def test_stop_ends_every_note_at_once_and_freezes_the_position() -> None:
    rig = playing(what=score(ScoreNote(0, Lane.BASS, 0.8, 40, 1920)))
    rig.run_for(0.5)
    assert len(rig.out().offs()) == 0
    rig.do(Stop())
    assert rig.out().offs() == [(rig.clock(), 0, 40)]
    position = rig.player.transport(rig.clock()).position
    rig.run_for(1.0)
    assert rig.player.transport(rig.clock()).position == position
    assert rig.out().messages[-1][1] == b"\xfc"


def test_a_cue_is_in_force_at_the_bar_its_answer_names_and_the_old_one_is_played_out() -> None:
    rig = playing()
    rig.run_for(1.0)
    token = rig.do(Cue(STRAIGHT))
    rig.run_for(3.2)
    done = next(n for n in rig.told(Done) if n.token == token)
    assert done.bar == 1
    started = {n.bar: n.pattern_id for n in rig.told(BarStarted)}
    assert started == {0: "four", 1: "straight", 2: "straight"}
    assert sum(1 for n in rig.told(NotePlayed) if n.bar == 0) == 4
    assert sum(1 for n in rig.told(NotePlayed) if n.bar == 1) == 16


def test_rule_47_a_cue_after_the_freeze_waits_one_bar_and_says_so() -> None:
    rig = playing()
    rig.run_for(2.0)  # inside the last clock of bar 0: the start took some ms
    token = rig.do(Cue(STRAIGHT, due_bar=1))
    rig.run_for(4.5)
    assert next(n for n in rig.told(Done) if n.token == token).bar == 2
    assert {n.bar: n.pattern_id for n in rig.told(BarStarted)}[1] == "four"
    assert rig.player.health().late_answers == 1


def test_a_tempo_change_falls_on_a_clock_and_every_interval_has_one_tempo() -> None:
    rig = playing()
    rig.run_for(1.0)
    rig.do(SetTempo(140.0))
    rig.run_for(1.0)
    assert gaps(rig.out().clocks_ns) <= {20833333, 20833334, 17857142, 17857143}
    assert rig.player.transport(rig.clock()).bpm == 140.0


def test_a_ramp_moves_evenly_and_arrives() -> None:
    rig = playing()
    rig.do(SetTempo(180.0, ramp_beats=4))
    rig.run_for(4.0)
    clocks = rig.out().clocks_ns
    intervals = [b - a for a, b in pairwise(clocks)]
    assert all(b <= a + 1 for a, b in pairwise(intervals))
    assert abs(intervals[-1] - 60 * NS_PER_S / (180 * 24)) <= 1


@pytest.mark.parametrize("bpm", [19.9, 300.1, float("nan")])
def test_a_tempo_out_of_range_is_refused_and_changes_nothing(bpm: float) -> None:
    rig = playing()
    rig.do(SetTempo(bpm))
    refused = rig.told(Refused)
    assert len(refused) == 1
    assert "20 to 300" in refused[0].text
    assert rig.player.transport(rig.clock()).bpm == 120.0


def test_outputs_keep_their_offsets_and_leads_apart() -> None:
    early = OutputSpec("early", clock=True, offset_ms=-10.0)
    late = OutputSpec("late", clock=True, offset_ms=15.0)
    ahead = OutputSpec("ahead", clock=True, lead_ns=30 * NS_PER_MS)
    rig = playing(OUT, early, late, ahead)
    rig.run_for(4.5)
    base = [at for at, _, _ in rig.out().ons()]
    assert [at + 10 * NS_PER_MS for at, _, _ in rig.out("early").ons()][: len(base)] == base
    assert [at - 15 * NS_PER_MS for at, _, _ in rig.out("late").ons()] == base[: len(rig.out("late").ons())]
    assert [at for at, _, _ in rig.out("ahead").ons()][: len(base)] == base
    handed = [at - sent for at, sent, _, data in rig.out("ahead").sent if data[0] & 0xF0 == 0x90]
    assert min(handed[2:]) >= 29 * NS_PER_MS


@pytest.mark.parametrize("bpm", [60.0, 125.0, 250.0])
@pytest.mark.parametrize("begins", [(Play(),), (Continue(),), (Play(), Locate(7)), (Play(), SetTempo(300.0))])
def test_what_begins_at_any_moment_is_handed_over_with_the_whole_lead(bpm: float, begins: tuple) -> None:
    lead_ns = 30 * NS_PER_MS
    for twentieth in range(20):  # of a clock: nobody looked since the clock before
        rig = Rig(OUT, OutputSpec("sound", lead_ns=lead_ns), spec=PlayerSpec(bpm=bpm))
        rig.do(Cue(STRAIGHT))
        for command in begins:
            rig.run_for(3 * 60 / (bpm * 24))
            rig.clock.now_ns += (rig.deadline_ns - rig.clock()) * twentieth // 20
            rig.do(command)
        rig.run_for(1.5)
        handed = [at - sent for at, sent, _, data in rig.out("sound").sent if data[0] & 0xF0 == 0x90]
        assert len(handed) > 2
        assert min(handed) >= lead_ns


def test_rule_17_note_off_before_note_on_with_a_gap() -> None:
    rig = playing(what=STRAIGHT)
    rig.run_for(6.0)
    sounding = False
    off_ns = 0
    for at_ns, _, _, data in rig.out().sent:
        kind = data[0] & 0xF0
        if kind == 0x90:
            assert not sounding
            assert at_ns - off_ns >= NS_PER_MS
            sounding = True
        elif kind == 0x80:
            sounding, off_ns = False, at_ns


def test_rule_16_every_note_on_has_its_off_through_everything() -> None:
    rig = playing(OUT, OutputSpec("ahead", lead_ns=30 * NS_PER_MS), what=STRAIGHT)
    for index in range(40):
        rig.run_for(0.137)
        rig.do(
            (SetTempo(60.0 + 6 * index), Stop(), Play(), Locate(index * 7), Cue(FOUR), Cue(STRAIGHT), Panic())[
                index % 7
            ]
        )
    rig.player.close(rig.clock())
    assert balanced(rig)
    assert rig.player.health().sounding == 0


def test_notes_follow_the_grid_exactly() -> None:
    rig = playing(bpm=125.0, what=STRAIGHT)
    rig.run_for(20.0)
    assert gaps([at for at, _, _ in rig.out().ons()]) == {120 * NS_PER_MS}


def test_joining_inside_a_bar_plays_what_is_left_of_it() -> None:
    rig = Rig(OUT)
    rig.do(Cue(STRAIGHT))
    rig.do(Locate(8))
    rig.do(Continue())
    rig.run_for(1.02)
    assert len(rig.out().ons()) == 8


def test_locate_while_playing_moves_at_the_next_clock() -> None:
    rig = playing()
    rig.run_for(1.1)
    rig.do(Locate(16 * 5))
    rig.run_for(0.3)
    assert rig.player.transport(rig.clock()).position.bar == 5


def test_a_stall_skips_late_notes_sends_every_clock_and_keeps_the_phase() -> None:
    rig = playing(what=STRAIGHT)
    rig.run_for(1.0)
    rig.clock.now_ns += 500 * NS_PER_MS  # the machine stood still
    rig.run_for(3.0)
    assert rig.player.health().dropped >= 3
    clocks = rig.out().clocks_ns
    assert gaps(clocks) <= {20833333, 20833334}
    sent = [s for _, s, _, data in rig.out().sent if data == b"\xf8"]
    assert all(b - a >= 2 * NS_PER_MS for a, b in pairwise(sent))


def test_beats_and_bars_are_told() -> None:
    rig = playing()
    rig.run_for(4.02)
    assert [(n.bar, n.beat) for n in rig.told(Beat)] == [(b, i) for b in range(2) for i in range(4)]


def test_rule_18_panic_releases_then_silences_and_the_beat_goes_on() -> None:
    rig = playing(what=score(ScoreNote(0, Lane.BASS, 0.8, 40, 1900)))
    rig.run_for(0.4)
    rig.out().sent.clear()
    rig.do(Panic())
    kinds = [(d[0] & 0xF0, d[1]) for _, d in rig.out().messages]
    assert kinds[0] == (0x80, 40)
    assert kinds[1:4] == [(0xB0, 64), (0xB0, 120), (0xB0, 123)]
    rig.run_for(2.0)
    assert len(rig.out().ons()) == 1


def test_stop_at_a_bar_plays_the_bars_before_it_and_nothing_of_it() -> None:
    rig = playing(OUT, OutputSpec("ahead", lead_ns=30 * NS_PER_MS), what=STRAIGHT)
    rig.run_for(0.5)
    rig.do(StopAt(2))
    rig.run_for(6.0)
    assert len(rig.out().ons()) == len(rig.out("ahead").ons()) == 32
    assert balanced(rig)
    assert rig.player.transport(rig.clock()).state is State.STOPPED
    assert rig.player.health().bars == 2


class FastCard:
    """A card whose crystal runs 100 ppm fast, and that began to count at another instant."""

    def scale_ns(self, ns: int) -> float:
        return (ns - 7_000_000_000) * 1.0001

    def monotonic_ns(self, scale_ns: float) -> float:
        return scale_ns / 1.0001 + 7_000_000_000


def test_counting_on_a_card_changes_the_tempo_by_its_ppm_and_moves_nothing() -> None:
    rig = playing(bpm=120.0)
    rig.run_for(1.003)
    rig.player.count_on(FastCard(), rig.clock())
    rig.run_for(60.0)
    rig.player.count_on(None, rig.clock())
    rig.run_for(1.0)
    before, on_card, after = (gaps(times) for times in split(rig.out().clocks_ns, 48, 2930))
    assert before == after == {20_833_333, 20_833_334}
    assert {round(gap * 1.0001) for gap in on_card} <= {20_833_332, 20_833_333, 20_833_334}
    assert rig.player.counters.clocks_sent == len(rig.out().clocks_ns)
    rig.do(SetTempo(150.0, 4.0))
    rig.player.count_on(FastCard(), rig.clock())
    rig.run_for(10.0)
    assert max(gaps(rig.out().clocks_ns)) < 20_833_400
    assert 16_660_000 < rig.out().clocks_ns[-1] - rig.out().clocks_ns[-2] < 16_670_000
    assert not rig.player.counters.late


def split(times: list[int], *at: int) -> list[list[int]]:
    """Cut with two ticks of room on each side."""
    edges = (0, *at, len(times))
    return [times[a + 2 : b - 2] for a, b in pairwise(edges)]


def test_a_stop_calls_off_what_the_sampler_was_handed_ahead_and_tells_no_real_port() -> None:
    ours = OutputSpec("audio", routes=preset("gm"), lead_ns=50 * NS_PER_MS, sounds=True)
    rig = Rig(ours, OutputSpec("out", routes=preset("gm"), lead_ns=50 * NS_PER_MS))
    rig.do(Cue(score(*[ScoreNote(tick, Lane.KICK, 0.8, 36, 10) for tick in range(0, 1920, 60)])))
    rig.do(Play())
    rig.run_for(1.02)
    rig.do(Stop())
    now_ns = rig.clock()
    ahead = [at for at, _, _ in rig.out("audio").ons() if at > now_ns]
    assert ahead, "something was on its way"
    sent = [(at, data) for at, data in rig.out("audio").messages if data == CALL_OFF]
    assert sent[-1] == (now_ns, CALL_OFF)
    assert sorted(note for _, _, note in rig.out("audio").ons()) == sorted(
        note for _, _, note in rig.out("audio").offs()
    )
    assert not [data for _, data in rig.out("out").messages if data == CALL_OFF]

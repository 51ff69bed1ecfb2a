"""The player following somebody's MIDI clock, under a fake clock."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from hitloopd.core.commands import Cue, Play, SetSource, SetTempo
from hitloopd.core.notices import BarStarted, ClockChanged, Refused
from hitloopd.core.pattern import Lane
from hitloopd.core.routes import OutputSpec
from hitloopd.core.score import Score, ScoreNote
from hitloopd.core.time import NS_PER_MS, NS_PER_S
from hitloopd.core.transport import ClockState, Source, State
from hitloopd.engine.player import PlayerSpec
from hitloopd.testing.rig import Rig, score

STRAIGHT = score(*(ScoreNote(120 * cell, Lane.HIHAT, 0.8, 0, 60) for cell in range(16)), pattern_id="straight")
OFF_GRID = score(ScoreNote(0, Lane.KICK, 0.8, 0, 60), ScoreNote(130, Lane.HIHAT, 0.8, 0, 60), pattern_id="off")
CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"


class Master:
    """Sends clocks into a rig at their moments."""

    def __init__(self, rig: Rig, bpm: float) -> None:
        self.rig = rig
        self.bpm = bpm
        self.next_ns = rig.clock() + 5 * NS_PER_MS
        self.sent: list[int] = []

    def clocks(self, count: int, *, jitter_ms: float = 0.0, seed: int = 1) -> None:
        draw = random.Random(seed)
        for _ in range(count):
            at_ns = self.next_ns + round(draw.uniform(-jitter_ms, jitter_ms) * NS_PER_MS)
            self.rig.run_until(max(at_ns, self.rig.clock()))
            self.sent.append(self.rig.clock())
            self.rig.receive(CLOCK)
            self.next_ns += round(60 * NS_PER_S / (self.bpm * 24))

    def silence(self, seconds: float) -> None:
        self.rig.run_for(seconds)
        self.next_ns = self.rig.clock()


def following(*, bpm: float = 120.0, what: Score = STRAIGHT, spec: PlayerSpec | None = None) -> tuple[Rig, Master]:
    rig = Rig(OutputSpec("out"), spec=spec or PlayerSpec(source=Source.MIDI))
    rig.do(Cue(what))
    return rig, Master(rig, bpm)


def test_rule_03_nothing_sounds_on_start_and_the_next_clock_is_the_downbeat() -> None:
    rig, master = following()
    master.clocks(30)
    rig.receive(START)
    assert rig.player.transport(rig.clock()).state is State.ARMED
    rig.run_for(0.01)
    assert rig.out().ons() == []
    master.clocks(1)
    assert [at for at, _, _ in rig.out().ons()] == [master.sent[-1]]


def test_rule_03_works_for_the_very_first_clock_too() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(7)
    assert [at for at, _, _ in rig.out().ons()] == [master.sent[0], master.sent[6]]


def test_rule_07_every_sixteenth_falls_on_its_clock_whatever_the_jitter() -> None:
    rig, master = following()
    master.clocks(24)
    rig.receive(START)
    first = len(master.sent)
    master.clocks(96 * 4, jitter_ms=3.0)
    expected = master.sent[first::6]
    assert [at for at, _, _ in rig.out().ons()] == expected


def test_notes_between_clocks_are_interpolated_not_quantised() -> None:
    rig, master = following(what=OFF_GRID)
    master.clocks(48)
    rig.receive(START)
    first = len(master.sent)
    master.clocks(96)
    hat = [at for at, _, note in rig.out().ons() if note == 42]
    expected = master.sent[first + 6] + 10 * 60 * NS_PER_S // (120 * 480)
    assert abs(hat[0] - expected) < NS_PER_MS // 10


@pytest.mark.parametrize("bpm", [120.0, 140.0, 60.0, 90.0])
def test_a_tempo_jump_is_followed_on_the_tick_and_shown_within_a_beat(bpm: float) -> None:
    rig, master = following(bpm=174.0)
    rig.receive(START)
    master.clocks(96 * 2)
    assert abs(rig.player.transport(rig.clock()).bpm - 174.0) < 0.05
    master.bpm = bpm
    master.clocks(96)
    assert [at for at, _, _ in rig.out().ons()] == master.sent[::6]
    assert abs(rig.player.transport(rig.clock()).bpm - bpm) < 0.1


def test_rule_08_the_shown_tempo_is_steady_under_jitter() -> None:
    rig, master = following(bpm=174.0)
    rig.receive(START)
    master.clocks(96, jitter_ms=2.0)
    shown = []
    for seed in range(40):
        master.clocks(8, jitter_ms=2.0, seed=seed)
        shown.append(rig.player.transport(rig.clock()).bpm)
    assert max(abs(bpm - 174.0) for bpm in shown) < 0.5


def test_rule_08_an_outlier_does_not_move_the_tempo() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(96)
    rig.run_until(master.next_ns + 12 * NS_PER_MS)  # one clock 12 ms late, the next in time
    rig.receive(CLOCK)
    master.next_ns += round(60 * NS_PER_S / (120 * 24))
    master.clocks(10)
    assert abs(rig.player.transport(rig.clock()).bpm - 120.0) < 0.2


def test_rule_08_a_bounced_clock_is_no_clock() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(48)
    rig.run_for(0.001)
    rig.receive(CLOCK)
    master.clocks(49)
    assert [at for at, _, _ in rig.out().ons()] == master.sent[::6]


def test_rule_08_a_burst_after_a_stall_is_coalesced_and_the_phase_kept() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(49)
    before = len(rig.out().ons())
    rig.run_until(master.next_ns + 7 * 20_833_333)  # eight clocks held up, delivered at once
    for _ in range(8):
        rig.receive(CLOCK)
        rig.clock.now_ns += 50_000
    master.next_ns += 8 * 20_833_333
    assert len(rig.out().ons()) - before <= 2
    after = len(master.sent)
    master.clocks(40)
    expected = [at for index, at in enumerate(master.sent[after:], 57) if index % 6 == 0]
    assert [at for at, _, _ in rig.out().ons()][-len(expected) :] == expected


def test_rule_06_song_position_while_stopped_joins_inside_the_bar() -> None:
    rig, master = following()
    master.clocks(24)
    rig.receive(bytes((0xF2, 8, 0)))
    rig.receive(CONTINUE)
    first = len(master.sent)
    master.clocks(48)
    assert [at for at, _, _ in rig.out().ons()] == master.sent[first::6]
    assert rig.told(BarStarted) == []
    master.clocks(1)
    assert [n.bar for n in rig.told(BarStarted)] == [1]


def test_rule_06_song_position_while_playing_relocates_at_the_next_clock() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(30)
    rig.receive(bytes((0xF2, 0, 1)))  # 128 sixteenths: bar 8
    assert rig.player.transport(rig.clock()).position.bar == 0
    master.clocks(1)
    assert rig.player.transport(rig.clock()).position.bar == 8


def test_rule_06_song_position_then_continue_while_playing_goes_on_from_there_at_the_continue() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(30)
    rig.receive(bytes((0xF2, 0, 1)))
    master.clocks(24)  # jack_midi_clock lets some time pass between the two
    rig.receive(CONTINUE)
    master.clocks(1)
    assert rig.player.transport(rig.clock()).position.sixteenth == 128
    rig.receive(CONTINUE)  # without a place it changes nothing
    master.clocks(6)
    assert rig.player.transport(rig.clock()).position.sixteenth == 129


def test_rule_09_song_position_and_continue_end_a_freewheel_at_the_masters_place() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(96)
    master.silence(1.0)
    rig.receive(bytes((0xF2, 5, 0)))
    before = len(rig.out().ons())
    rig.run_for(0.5)
    assert len(rig.out().ons()) - before == 4, "the place alone changes nothing"
    rig.receive(CONTINUE)
    first = len(master.sent)
    before = len(rig.out().ons())
    master.next_ns = rig.clock()
    master.clocks(13)
    assert [at for at, _, _ in rig.out().ons()][before:] == master.sent[first::6]
    assert rig.player.transport(rig.clock()).position.sixteenth == 7


def test_rule_05_start_while_playing_restarts_or_is_ignored_by_setting() -> None:
    for restart in (True, False):
        rig, master = following(spec=PlayerSpec(source=Source.MIDI, restart_on_start=restart))
        rig.receive(START)
        master.clocks(100)
        rig.receive(START)
        master.clocks(1)
        assert (rig.player.transport(rig.clock()).position.tick == 0) is restart


def test_stop_and_continue_resume_at_the_next_clock() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(10)
    rig.receive(STOP)
    assert len(rig.out().offs()) == len(rig.out().ons()) == 2
    master.clocks(20)
    rig.receive(CONTINUE)
    first = len(master.sent)
    master.clocks(10)
    assert [at for at, _, _ in rig.out().ons()][2:] == [master.sent[first + 2], master.sent[first + 8]]


def test_rule_09_a_lost_clock_freewheels_in_the_same_tempo_and_relocks_at_a_bar() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(96)
    master.silence(3.0)
    assert rig.told(ClockChanged)[-1].clock is ClockState.FREEWHEEL
    transport = rig.player.transport(rig.clock())
    assert transport.state is State.PLAYING
    assert abs(transport.bpm - 120.0) < 0.1
    ons = [at for at, _, _ in rig.out().ons()][-16:]
    assert all(abs(b - a - 6 * 20_833_333) <= 2 for a, b in pairwise(ons))
    master.clocks(96 * 3)
    assert rig.told(ClockChanged)[-1].clock is ClockState.LOCKED
    played = [at for at, _, _ in rig.out().ons()][-8:]
    assert all(at in master.sent for at in played)


def test_rule_09_stop_policy() -> None:
    rig, master = following(spec=PlayerSpec(source=Source.MIDI, freewheel=False))
    rig.receive(START)
    master.clocks(96)
    master.silence(1.0)
    assert rig.player.transport(rig.clock()).state is State.STOPPED
    assert len(rig.out().ons()) == len(rig.out().offs())


def test_rule_09_start_after_a_loss_takes_the_clock_at_once() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(96)
    master.silence(1.0)
    rig.receive(START)
    first = len(master.sent)
    before = len(rig.out().ons())
    master.clocks(13)
    assert [at for at, _, _ in rig.out().ons()][before:] == master.sent[first::6]


def test_the_tempo_is_the_masters_while_following() -> None:
    rig, master = following()
    master.clocks(30)
    rig.do(SetTempo(90.0))
    assert "sync/source internal" in rig.told(Refused)[0].text


def test_switching_to_the_internal_clock_goes_on_without_a_jump() -> None:
    rig, master = following()
    rig.receive(START)
    master.clocks(96 + 1)
    rig.do(SetSource(Source.INTERNAL))
    rig.run_for(1.0)
    ons = [at for at, _, _ in rig.out().ons()]
    assert all(abs(b - a - 125_000_000) < 2000 for a, b in pairwise(ons))


def test_play_by_hand_without_any_clock_runs_on_our_own() -> None:
    rig, _ = following()
    rig.do(Play())
    rig.run_for(1.0)
    assert len(rig.out().ons()) == 8


def test_a_head_that_needs_lead_is_fed_ahead_but_never_more_than_a_clock_past_the_next() -> None:
    rig = Rig(OutputSpec("ahead", lead_ns=30 * NS_PER_MS), spec=PlayerSpec(source=Source.MIDI))
    rig.do(Cue(STRAIGHT))
    master = Master(rig, 120.0)
    rig.receive(START)
    master.clocks(96)
    out = rig.out("ahead")
    early = [at - sent for at, sent, _, data in out.sent if data[0] & 0xF0 == 0x90][4:]
    assert min(early) > 25 * NS_PER_MS
    before = len(out.ons())
    rig.run_for(0.2)  # silence, not long enough to be a loss
    assert len(out.ons()) - before <= 1

"""Commands of the player that are neither clock nor bars: outputs, offsets, restore, refusals."""

from __future__ import annotations

from dataclasses import replace

from hitloopd.core.commands import (
    AskHealth,
    Continue,
    Cue,
    Locate,
    Play,
    Restore,
    SetOutputOffset,
    SetOutputs,
    SetSource,
    SetTempo,
    Stop,
    StopAt,
    Tap,
)
from hitloopd.core.notices import Done, MidiReceived, PlayerHealth, Refused, TransportChanged
from hitloopd.core.pattern import Lane
from hitloopd.core.routes import OutputSpec, Route
from hitloopd.core.score import ScoreNote
from hitloopd.core.time import NS_PER_MS, NS_PER_S
from hitloopd.core.transport import Source, State
from hitloopd.engine.player import PlayerSpec
from hitloopd.testing.rig import Rig, score

FOUR = score(*(ScoreNote(480 * beat, Lane.KICK, 0.8, 0, 60) for beat in range(4)), pattern_id="four")
OUT = OutputSpec("out", clock=True)


def playing(*outputs: OutputSpec, spec: PlayerSpec | None = None) -> Rig:
    rig = Rig(*(outputs or (OUT,)), spec=spec)
    rig.do(Cue(FOUR))
    rig.do(Play())
    return rig


def test_new_routes_hold_from_the_next_bar_and_keep_the_lead() -> None:
    ahead = OutputSpec("out", lead_ns=20 * NS_PER_MS)
    rig = playing(ahead)
    rig.run_for(0.6)
    changed = replace(ahead, routes={Lane.KICK: Route(10, 50)}, lead_ns=0)
    token = rig.do(SetOutputs((changed,)))
    rig.run_for(3.0)
    notes = [note for _, _, note in rig.out().ons()]
    assert notes[:4] == [36] * 4
    assert set(notes[4:]) == {50}
    assert next(n.bar for n in rig.told(Done) if n.token == token) == 1
    assert rig.player.heads[0].spec.lead_ns == 20 * NS_PER_MS


def test_a_lane_that_is_not_routed_is_not_sent() -> None:
    rig = playing(OutputSpec("out", routes={Lane.BASS: Route(1)}))
    rig.run_for(2.0)
    assert rig.out().ons() == []


def test_a_lane_offset_moves_that_lane_alone() -> None:
    routes = {Lane.KICK: Route(10, 36, offset_ms=-20.0), Lane.SNARE: Route(10, 38)}
    both = score(*(ScoreNote(480, lane, 0.8, 0, 60) for lane in routes))
    rig = Rig(OutputSpec("out", routes=routes), spec=PlayerSpec(bpm=125.0))
    rig.do(Cue(both))
    rig.do(Play())
    rig.run_for(1.0)
    times = {note: at for at, _, note in rig.out().ons()}
    assert times[38] - times[36] == 20 * NS_PER_MS


def test_an_offset_for_an_output_that_is_not_there_names_those_that_are() -> None:
    rig = playing()
    rig.do(SetOutputOffset(5.0, "outt"))
    assert "Did you mean 'out'" in rig.told(Refused)[0].text


def test_link_is_refused_with_what_there_is() -> None:
    rig = playing()
    rig.do(SetSource(Source.LINK))
    assert "internal and midi" in rig.told(Refused)[0].text


def test_stop_at_needs_something_that_plays() -> None:
    rig = Rig(OUT)
    rig.do(StopAt(3))
    assert rig.told(Refused)[0].code == "nothing"


def test_play_while_playing_and_continue_while_playing_change_nothing() -> None:
    rig = playing()
    rig.run_for(1.0)
    before = rig.player.transport(rig.clock()).position
    rig.do(Play())
    rig.do(Continue())
    assert rig.player.transport(rig.clock()).position == before


def test_taps_set_the_tempo() -> None:
    rig = playing()
    for index in range(4):
        rig.do(Tap(index * NS_PER_S * 60 // 140))
    assert abs(rig.player.transport(rig.clock()).bpm - 140.0) < 0.01


def test_health_is_told_when_asked() -> None:
    rig = playing()
    rig.run_for(1.0)
    rig.do(AskHealth())
    health = rig.told(PlayerHealth)[-1]
    assert health.notes_sent == 2
    assert health.outputs[0].name == "out"
    assert health.clocks_sent > 40


def test_rule_49_a_restored_player_is_back_in_phase_in_the_same_bar() -> None:
    rig = playing()
    rig.run_for(1.2)
    kept = rig.player.restorable(rig.clock())
    assert isinstance(kept, Restore)
    second = Rig(OUT)
    second.clock.now_ns = rig.clock() + 70 * NS_PER_MS
    second.do(kept)
    rig.run_until(second.clock())
    rig.run_for(3.0)
    second.run_for(3.0)
    since = second.clock() - 3 * NS_PER_S
    assert second.out().ons() == [on for on in rig.out().ons() if on[0] > since]
    assert second.player.transport(second.clock()).position == rig.player.transport(rig.clock()).position


def test_a_stopped_player_is_restored_stopped_where_it_was() -> None:
    rig = playing()
    rig.run_for(1.2)
    rig.do(Stop())
    second = Rig(OUT)
    second.do(rig.player.restorable(rig.clock()))
    transport = second.player.transport(second.clock())
    assert transport.state is State.STOPPED
    assert transport.position == rig.player.transport(rig.clock()).position


def test_a_follower_is_restored_in_the_masters_tempo() -> None:
    rig = Rig(OUT, spec=PlayerSpec(source=Source.MIDI))
    rig.receive(b"\xfa")
    for _ in range(60):
        rig.run_for(60 / (150 * 24))
        rig.receive(b"\xf8")
    kept = rig.player.restorable(rig.clock())
    assert abs(kept.timeline.bpm - 150.0) < 0.1
    assert kept.source is Source.MIDI


def test_notes_and_controllers_go_to_the_control_mapping_and_clocks_do_not() -> None:
    rig = Rig(OUT)
    for data in (b"\x90\x24\x40", b"\xb0\x07\x10", b"\xf8", b"\xfa"):
        rig.receive(data, port="pads")
    assert [(n.port, n.data) for n in rig.told(MidiReceived)] == [("pads", b"\x90\x24\x40"), ("pads", b"\xb0\x07\x10")]
    assert rig.player.transport(rig.clock()).state is State.STOPPED


def test_rule_13_a_system_reset_is_a_panic_and_the_beat_goes_on() -> None:
    rig = playing()
    rig.run_for(0.03)
    assert len(rig.out().offs()) == 0
    rig.receive(b"\xff")
    assert len(rig.out().offs()) == 1
    assert rig.player.transport(rig.clock()).state is State.PLAYING


def test_rule_19_all_notes_off_on_stop_is_an_option() -> None:
    for wanted in (True, False):
        rig = playing(spec=PlayerSpec(cc123_on_stop=wanted))
        rig.run_for(0.5)
        rig.do(Stop())
        assert any(data[:2] == bytes((0xB9, 123)) for _, data in rig.out().messages) is wanted


def test_a_locate_while_stopped_is_where_continue_starts_and_is_told() -> None:
    rig = Rig(OUT)
    rig.do(Locate(40))
    assert rig.player.transport(rig.clock()).position.sixteenth == 40
    rig.do(Locate(20_000))
    assert "0 to 16383" in rig.told(Refused)[0].text
    rig.do(Continue())
    rig.run_for(0.1)
    assert rig.told(TransportChanged)[-1].transport.position.bar == 2


def test_tempo_changes_and_the_start_are_told_to_who_writes_them_down() -> None:
    rig = Rig(OUT)
    assert rig.player.song_start() is None
    rig.do(Play())
    start = rig.player.song_start()
    assert start is not None
    assert start[2] == 120.0
    rig.do(SetTempo(90.0))
    assert [line.bpm for line in rig.player.take_tempos()] == [90.0]

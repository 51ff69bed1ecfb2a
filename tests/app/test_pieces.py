"""The small parts of the app: what outlives a player, what config asks of the session, ports that come later."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from hitloopd.app import adopt
from hitloopd.app.cli import main
from hitloopd.app.config import load
from hitloopd.app.effects import effects, outputs_of
from hitloopd.app.front import Front
from hitloopd.app.messages import BarsDone, Do, Finished, Note, Ready
from hitloopd.app.midi_switch import MidiSwitch
from hitloopd.app.options import RunOptions
from hitloopd.app.outputs import output_specs
from hitloopd.app.player_process import realtime_lines
from hitloopd.app.reload import Reloader
from hitloopd.app.store import SLOT_BYTES, STORE_BYTES, Store
from hitloopd.core.commands import Regenerate, Restore, SetTempo
from hitloopd.core.errors import UnavailableError
from hitloopd.core.notices import PortBack
from hitloopd.core.pattern import Lane
from hitloopd.core.request import Request
from hitloopd.core.score import SILENCE, Score, ScoreNote
from hitloopd.core.time import Timeline
from hitloopd.core.transport import Source
from hitloopd.generate.registry import load as load_generator
from hitloopd.io.punctual import LEAD_NS, Gate
from hitloopd.io.realtime import RealtimeReport, Step

# ── the store ───────────────────────────────────────────────────────────────────────────────────────────────────────


def restore(tick, score=SILENCE):
    return Restore(Timeline(120.0, 0, 0), None, tick, score, Source.INTERNAL)


def test_rule_49_the_store_gives_the_newest_whole_state_back():
    memory = bytearray(STORE_BYTES)
    store = Store(memory)
    assert store.read() is None
    for tick in range(5):
        assert store.write(restore(tick))
        assert Store(memory).read() == restore(tick)


def test_a_player_killed_while_writing_leaves_the_state_before():
    memory = bytearray(STORE_BYTES)
    Store(memory).write(restore(1))
    Store(memory).write(restore(2))
    newest = 0 if memory[0] == 2 else SLOT_BYTES
    memory[newest + 40] ^= 0xFF
    assert Store(memory).read() == restore(1)


def test_a_state_that_does_not_fit_is_not_half_written():
    memory = bytearray(STORE_BYTES)
    store = Store(memory)
    store.write(restore(1))
    notes = tuple(ScoreNote(tick, Lane.BASS, 0.123 + tick, tick, 1) for tick in range(4000))
    assert not store.write(restore(2, Score(notes, "long")))
    assert store.read() == restore(1)


# ── config and session ──────────────────────────────────────────────────────────────────────────────────────────────


def test_what_changed_since_the_last_run_is_a_wish_and_so_is_what_was_named():
    before = load(None, ["gen.energy=0.3", "gen.seed=4"])
    memo = json.loads(json.dumps(adopt.remembered(before)))
    assert adopt.wishes(before, memo, ()) == ()
    assert adopt.wishes(before, memo, {"gen.seed", "osc.port"}) == ("gen.seed",)
    assert adopt.wishes(load(None, ["gen.energy=0.4", "gen.seed=4"]), memo, ()) == ("gen.energy",)


def test_a_new_bar_is_asked_for_once_and_last():
    settings = load(None, ["gen.style=techno", "gen.model=random", "transport.bpm=140"])
    commands = adopt.commands_for(["gen.style", "gen.model", "transport.bpm"], settings)
    assert commands[0] == ("/hitloop/transport/bpm", SetTempo(140.0))
    assert [c for _, c in commands if isinstance(c, Regenerate)] == [commands[-1][1]]


def test_effects_are_what_differs_and_nothing_else():
    bar = load_generator("rules").generate(Request("rules", 1))
    state = replace(adopt.first_state(load()), current=bar)
    outputs = output_specs(load())
    assert effects(state, state, outputs).score is None
    muted = effects(state, replace(state, mutes=frozenset({Lane.KICK})), outputs)
    assert not [note for note in muted.score.notes if note.lane is Lane.KICK]
    assert (muted.outputs, muted.audio) == (None, ())
    routed = effects(state, replace(state, lane_notes={Lane.SNARE: 40}), outputs)
    assert routed.score is None
    assert [spec.routes[Lane.SNARE].note for spec in routed.outputs] == [40, 40, 60]  # the sound has no notes


def test_offsets_and_channels_of_lanes_reach_every_output_they_concern():
    state = replace(adopt.first_state(load()), lane_offsets_ms={Lane.BASS: 9.0}, lane_channels={Lane.BASS: 7})
    out, _, audio = outputs_of(state, output_specs(load()))
    assert (out.routes[Lane.BASS].channel, out.routes[Lane.BASS].offset_ms) == (7, 9.0)
    assert (audio.routes[Lane.BASS].channel, audio.routes[Lane.BASS].offset_ms) == (5, 9.0)


def test_a_changed_file_is_taken_once_whole_and_a_broken_one_only_told(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("gen.energy: 0.4\n")
    reloader = Reloader(RunOptions(path), load(path))
    assert reloader.look().settings is None
    path.write_text("gen.energy: 0.6\naudio.rate: 44100\n")
    looks = [reloader.look() for _ in range(3)]
    (taken,) = [look for look in looks if look.settings]
    assert taken.changed == ("gen.energy",)
    assert taken.problems == ("audio.rate is taken over at the next start",)
    path.write_text("gen.energy: 6\n")
    problems = [p for _ in range(3) for p in reloader.look().problems]
    assert problems == [f"{path}:1: gen.energy: is 6; expected a number 0..1."]
    path.write_text("gen.energy: 0.7\n")
    reloader.again()
    assert reloader.look().changed == ("gen.energy",)


# ── MIDI that comes later ───────────────────────────────────────────────────────────────────────────────────────────


class Port:
    def __init__(self, name, lead_ns=0):
        self.name, self.lead_ns, self.sent = name, lead_ns, []

    def send(self, at_ns, tick, data):
        self.sent.append(data)

    def flush(self):
        self.sent.append("flush")

    def receive(self):
        return [(1, b"\xf8")]

    def fileno(self):
        return 3


class Backend:
    def __init__(self, lead_ns):
        self.outs, self.ins, self.closed = {"out": Port("out", lead_ns)}, {"in": Port("in")}, False

    def watch(self):
        return ()

    def close(self):
        self.closed = True


def test_rule_48_ports_work_from_the_moment_that_a_backend_is_there():
    there, tried = threading.Event(), threading.Event()
    backend = Backend(lead_ns=5)

    def opener():
        tried.set()
        if not there.is_set():
            raise UnavailableError("MIDI: no server")
        return backend

    gate = Gate(lambda _: None)
    switch = MidiSwitch({"jack": opener}, ["out"], ["in"], gate)
    switch.open()
    out, into = switch.outs["out"], switch.ins["in"]
    assert out.timed
    out.send(0, 0, b"\xf8")
    gate.fire()
    assert (out.dropped, switch.lines, into.fileno(), list(into.receive())) == (1, ["no MIDI: no server"], -1, [])
    there.set()
    tried.clear()
    assert switch.watch() == ()
    assert tried.wait(5)
    switch._helper.join(5)
    assert switch.watch() == [PortBack("MIDI by jack: port out"), PortBack("MIDI by jack: port in")]
    out.send(0, 0, b"\xf8")
    out.flush()
    assert backend.outs["out"].sent == [b"\xf8", "flush"]
    assert (out.lead_ns, out.timed, into.fileno(), into.receive()) == (5, False, 3, [(1, b"\xf8")])
    switch.close()
    assert backend.closed


def test_a_port_that_sends_at_once_gets_its_events_at_their_instant_by_the_gate():
    backend, late = Backend(lead_ns=0), []
    gate = Gate(late.append)
    switch = MidiSwitch({"rtmidi": lambda: backend}, ["out"], ["in"], gate)
    switch.open()
    out = switch.outs["out"]
    assert (out.timed, out.lead_ns) == (True, LEAD_NS)
    out.send(0, 0, b"\xf8")
    assert backend.outs["out"].sent == []
    gate.fire()
    assert backend.outs["out"].sent == [b"\xf8"]
    assert len(late) == 1
    switch.close()


# ── the front and the command line ──────────────────────────────────────────────────────────────────────────────────


class Lines:
    live = ascii_only = False

    def __init__(self):
        self.lines = []

    def log(self, text):
        self.lines.append(text)


def test_the_front_says_each_start_line_once_and_keeps_the_problems():
    screen = Lines()
    front = Front(screen)
    for message in (Ready("player", ("a", "b")), Ready("player", ("a",)), Note("info", "c"), Note("error", "d")):
        front.listen(message)
    front.listen(Finished({"bars": 1}))
    front.listen(BarsDone())
    assert screen.lines == ["a", "b", "c", "error: d"]
    assert (front.problems, front.summary, front.done) == (["d"], {"bars": 1}, True)


def test_keys_become_addresses_and_q_ends():
    front, sent = Front(Lines()), []
    assert front.press("r", sent.append)
    assert front.press("", sent.append)
    assert not front.press("q", sent.append)
    assert sent == [Do("/hitloop/gen/regenerate", ())]


def test_real_time_rights_are_one_line_and_each_refusal_has_its_remedy():
    steps = (Step("scheduling", granted=False, detail="refused", mend="do this"), Step("memory", True, "locked"))
    assert realtime_lines(RealtimeReport(steps)) == [
        "real time: memory locked",
        "no scheduling: refused. Try: do this",
    ]


@pytest.mark.parametrize("words", [["run", "--bars", "-1"], ["demo", "--bars", "0"], ["run", "--config", "nope"]])
def test_what_was_asked_wrongly_ends_with_2(words, capsys):
    assert main([*words, "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["code"] == "config"
    assert told.err.startswith("hitloopd: --")


def test_check_and_dry_run_start_nothing(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text("audio.backend: none\nosc.port: 9123\n")
    assert main(["--check", str(path)]) == 0
    assert main(["--config", str(path), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "no problems" in told
    assert "OSC on 127.0.0.1:9123" in told
    assert "hitloopd:clock" in told
    assert "sound" not in told

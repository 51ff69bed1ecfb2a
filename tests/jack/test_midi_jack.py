"""Native JACK MIDI against a real server: exact frames, order, loss and return of server and peer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from hitloopd.core.errors import UnavailableError
from hitloopd.core.notices import PortBack, PortLost
from hitloopd.core.time import Timeline
from tests.jack.server import JackMidiRecorder, end, require_module, running_server, until
from tests.needs import require_program

pytestmark = pytest.mark.jack

BPM = 174.0
CLOCKS = 720  # 10.3 s
LEAD_IN = 70  # clocks before the measured part: the first second after a client starts has xruns

# The player's part, in a process of its own as in life: real-time rights, sends ahead, no spin.
SENDER = """
import sys, time
from hitloopd.core.time import Timeline
from hitloopd.io import realtime
from hitloopd.io.midi_jack import JackMidi
bpm, clocks = float(sys.argv[1]), int(sys.argv[2])
midi = JackMidi().open()
realtime.enable()
out = midi.outs["clock"]
print("ready", flush=True)
sys.stdin.readline()
line = Timeline(bpm, 0, time.monotonic_ns() + 100_000_000)
out.send(line.ns_at(0) - 1_500_000, 0, b"\\xfa")
for clock in range(clocks):
    at = line.ns_at(20 * clock)
    realtime.wait_until(at - out.lead_ns, spin_ns=0)
    out.send(at, 20 * clock, b"\\xf8")
midi.close()
print(midi.counters, flush=True)
"""


@pytest.fixture(scope="module")
def calm_server():
    """Long periods, so that a loaded machine has no xruns: what those lose is the server's doing."""
    with running_server(period=1024) as server:
        yield server


@pytest.fixture
def midi():
    require_module("jack")
    from hitloopd.io.midi_jack import JackMidi

    made = []

    def make(*args, **kwargs):
        made.append(JackMidi(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.close()


def play_clock(server, recorder, bpm: float, clocks: int) -> str:
    sender = server.popen(
        sys.executable, "-c", SENDER, str(bpm), str(clocks), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert sender.stdout.readline() == "ready\n"
        recorder.wait_connected()
        sender.stdin.write("go\n")
        sender.stdin.flush()
        return sender.stdout.readline()
    finally:
        end(sender)


# The frames have to be exact whatever the period; a loaded machine has xruns at the short ones, and those lose events.
PERIODS = (64, 256, 1024)


def test_174_bpm_leaves_in_689_or_690_frames_and_start_comes_a_ms_before():
    require_module("jack")
    for period in PERIODS:
        with running_server(period=period) as server, JackMidiRecorder(server, "hitloopd:clock") as recorder:
            play_clock(server, recorder, BPM, CLOCKS + LEAD_IN)
            recording = recorder.stop()
        if recording.xruns == 0 or set(recording.intervals()[LEAD_IN:]) <= {689, 690}:
            break
    beats = [row for row in recording.rows if row.data == b"\xf8"]
    clocks = [row.frame for row in beats]
    assert recording.rows[0].data == b"\xfa"
    assert len(clocks) == CLOCKS + LEAD_IN
    steady = recording.intervals()[LEAD_IN:]
    assert set(steady) == {689, 690}
    # In monotonic time, which the line follows: a dummy server that was held up for a millisecond is late from then on,
    # and its frames with it. 25 ppm, as what the server says of a frame's time is smoothed.
    took_us = beats[-1].us - beats[LEAD_IN].us
    assert took_us == pytest.approx(len(steady) * 60e6 / (BPM * 24), rel=25e-6)
    gap = clocks[0] - recording.rows[0].frame
    assert gap / recording.rate >= 0.001


def test_jack_mclk_dump_reads_174_bpm():
    require_program("jack_mclk_dump")
    require_module("jack")
    for period in PERIODS:
        with running_server(period=period) as server:
            filtered = dumped_tempi(server)
        assert len(filtered) > 300
        middle = sorted(filtered[-100:])[50]
        if abs(middle - BPM) <= 0.05:
            break
    assert middle == pytest.approx(BPM, abs=0.05)


def dumped_tempi(server) -> list[float]:
    """What the third-party follower makes of seven seconds of our clock, tick by tick."""
    dump = server.popen("stdbuf", "-oL", "jack_mclk_dump", "hitloopd:clock", stdout=subprocess.PIPE)
    sender = server.popen(sys.executable, "-c", SENDER, str(BPM), "500", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert sender.stdout.readline() == "ready\n"
        follower = until(lambda: next((port for port in server.ports() if "mclk_in" in port), None))
        server.run("jack_connect", "hitloopd:clock", follower)
        sender.stdin.write("go\n")
        sender.stdin.flush()
        sender.stdout.readline()
    finally:
        end(sender)
        dump.terminate()
        text = dump.stdout.read()
        end(dump)
    return [float(bpm) for bpm in re.findall(r"flt:\s*([\d.]+)", text)]


def test_order_is_kept_for_one_moment_across_late_and_early(calm_server, midi):
    with JackMidiRecorder(calm_server, "hitloopd:out") as recorder:
        out = midi().open().outs["out"]
        recorder.wait_connected()
        now = time.monotonic_ns() + 100_000_000
        early = [bytes((0x90, note, 64)) for note in range(40)]
        for message in early:
            out.send(now, 0, message)
        out.send(now - 20_000_000, 0, b"\x90\x50\x40")  # before them, though sent after
        recorder.wait_for(41)
        late_on = time.monotonic_ns() - 50_000_000
        out.send(late_on, 0, b"\x90\x60\x40")
        out.send(late_on + 1_000_000, 0, b"\x80\x60\x40")
        recorder.wait_for(43)
        rows = recorder.stop().rows
    assert [row.data for row in rows] == [b"\x90\x50\x40", *early, b"\x90\x60\x40", b"\x80\x60\x40"]
    assert len({row.frame for row in rows[1:41]}) == 1
    assert 955 <= rows[1].frame - rows[0].frame <= 965
    assert out.late == 2


def test_an_answer_to_an_arrival_comes_one_period_after_it(calm_server, midi):
    """Following a clock: what is sent with the arrival's own time leaves exactly one period later, without jitter."""
    from hitloopd.io.realtime import wait_until

    master = midi("master", outputs={"out": ""}, inputs={}).open()
    follower = midi("follower", outputs={"out": ""}, inputs={"in": "master:out"}).open()
    with JackMidiRecorder(calm_server, "master:out", "follower:out") as recorder:
        recorder.wait_connected()
        line = Timeline(174.0, 0, time.monotonic_ns() + 100_000_000)
        for clock in range(200):
            master.outs["out"].send(line.ns_at(20 * clock), 0, b"\xf8")
        answered = 0
        deadline = time.monotonic() + 10
        while answered < 200 and time.monotonic() < deadline:
            wait_until(time.monotonic_ns() + 100_000_000, [follower.ins["in"]], spin_ns=0)
            for at_ns, data in follower.ins["in"].receive():
                follower.outs["out"].send(at_ns, 0, data)
                answered += 1
        recorder.wait_for(400)
        recording = recorder.stop()
    ticks = [row.frame for row in recording.of("master:out")]
    answers = [row.frame for row in recording.of("follower:out")]
    late = sorted(answer - tick for tick, answer in zip(ticks, answers, strict=True))
    assert late[100] in (calm_server.period - 1, calm_server.period, calm_server.period + 1)
    assert late[int(len(late) * 0.9)] <= calm_server.period + 1


def test_close_lets_every_event_out_first(calm_server, midi):
    with JackMidiRecorder(calm_server, "hitloopd:out") as recorder:
        client = midi().open()
        recorder.wait_connected()
        for note in range(20):
            client.outs["out"].send(time.monotonic_ns() + 150_000_000 + note * 5_000_000, 0, bytes((0x80, note, 64)))
        client.close()
        recorder.wait_for(20, seconds=5)
    client.outs["out"].send(0, 0, b"\x80\x00\x40")
    assert client.outs["out"].dropped == 1


def test_rule_48_server_killed_and_back(midi):
    require_module("jack")
    with running_server() as server:
        client = midi().open()
        assert client.watch() == []
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        lost = until(client.watch, seconds=5)
        assert {event.port for event in lost} == {"hitloopd:out", "hitloopd:clock", "hitloopd:in"}
        assert all(isinstance(event, PortLost) for event in lost)
        assert client.lost
        client.outs["out"].send(0, 0, b"\x90\x24\x40")
        assert client.outs["out"].dropped == 1
    with running_server(server.name) as server:
        back_by = time.monotonic() + 2
        back = until(client.watch, seconds=5, every=0.1)
        assert time.monotonic() < back_by
        assert all(isinstance(event, PortBack) for event in back)
        with JackMidiRecorder(server, "hitloopd:out") as recorder:
            recorder.wait_connected()
            client.outs["out"].send(time.monotonic_ns() + 20_000_000, 0, b"\x90\x24\x40")
            recorder.wait_for(1)
        client.close()


def test_a_client_whose_ports_are_not_taken_leaves_its_name(calm_server, midi, monkeypatch):
    import jack

    from hitloopd.io.midi_jack import JackMidi

    def going(*_):
        raise jack.JackError("the server goes")

    with monkeypatch.context() as patch:
        patch.setattr(JackMidi, "_set_callbacks", going)
        with pytest.raises(UnavailableError, match="does not take the ports of 'hitloopd'"):
            midi().open()
    midi().open()
    assert [port for port in calm_server.ports() if port.startswith("hitloopd")] == [
        "hitloopd:out",
        "hitloopd:clock",
        "hitloopd:in",
    ]


def test_rule_48_a_peer_that_returns_is_connected_again(calm_server, midi):
    client = midi(outputs={"out": "synth"}, inputs={}).open()
    (absent,) = client.watch()  # not there from the start: told once
    assert isinstance(absent, PortLost)
    assert absent.port == "synth"
    assert client.watch() == []
    for _ in range(2):
        synth = midi("synth", outputs={}, inputs={"in": ""}).open()
        assert until(client.watch, every=0.1) == [PortBack("synth:in")]
        client.outs["out"].send(time.monotonic_ns() + 20_000_000, 0, b"\x90\x24\x40")
        assert [data for _, data in until(synth.ins["in"].receive)] == [b"\x90\x24\x40"]
        synth.close()
        (lost,) = until(client.watch, every=0.1)
        assert isinstance(lost, PortLost)
        assert lost.port == "synth:in"

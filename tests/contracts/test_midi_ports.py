"""One contract for MIDI ports, over the fake, RtMidi's virtual ports and native JACK."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections import deque

import pytest

from tests.jack.server import require_module, running_server, until
from tests.needs import require

NOW = 100_000_000  # how far ahead of now the contract sends, so that ports that place exactly can


class FakePair:
    """Two ends of one wire: what the real ports promise, in a dozen lines."""

    lead_ns = 0

    def __init__(self):
        self.name = "out"
        self.wire: deque[tuple[int, int, bytes]] = deque()
        self.lost = False
        self.dropped = 0

    def send(self, at_ns, tick, data):
        if self.lost:
            self.dropped += 1
        else:
            self.wire.append((at_ns, len(self.wire), data))

    def flush(self):
        """Nothing waits."""

    def close(self):
        self.lost = True

    def receive(self):
        got = [(at_ns, data) for at_ns, _, data in sorted(self.wire)]
        self.wire.clear()
        return got


class Rig:
    def __init__(self, out, into, close):
        self.out, self.into, self.close = out, into, close
        self.places_exactly = out.lead_ns > 0

    def send(self, at_ns: int, data: bytes) -> None:
        """As the player does: ahead by the port's lead, so at the due time where there is none."""
        while not isinstance(self.out, FakePair) and time.monotonic_ns() < at_ns - self.out.lead_ns:
            time.sleep(0.0001)
        self.out.send(at_ns, 0, data)

    def collect(self, count: int) -> list[tuple[int, bytes]]:
        got: list[tuple[int, bytes]] = []

        def enough() -> bool:
            got.extend(self.into.receive())
            return len(got) >= count

        until(enough, seconds=10)
        return got


@pytest.fixture(scope="module")
def server():
    with running_server(period=1024) as server:  # no xruns: what a server under load loses is not the ports' doing
        yield server


def make_fake(_request):
    pair = FakePair()
    return Rig(pair, pair, pair.close)


def make_rtmidi(request):
    request.getfixturevalue("server")
    require_module("rtmidi")
    from hitloopd.io.midi_rtmidi import RtMidi

    sender = RtMidi("contract", outputs={"out": ""}, inputs={}).open()
    taker = RtMidi("taker", outputs={}, inputs={"in": "contract:out"}).open()
    require(not taker.lost, "RtMidi has no virtual ports here")

    def close():
        taker.close()
        sender.close()

    return Rig(sender.outs["out"], taker.ins["in"], close)


def make_jack(request):
    request.getfixturevalue("server")
    require_module("jack")
    from hitloopd.io.midi_jack import JackMidi

    sender = JackMidi("contract", outputs={"out": ""}, inputs={}).open()
    taker = JackMidi("taker", outputs={}, inputs={"in": "contract:out"}).open()

    def close():
        taker.close()
        sender.close()

    return Rig(sender.outs["out"], taker.ins["in"], close)


@pytest.fixture(
    params=[
        pytest.param(make_fake, id="fake"),
        pytest.param(make_rtmidi, id="rtmidi", marks=pytest.mark.jack),
        pytest.param(make_jack, id="jack", marks=pytest.mark.jack),
    ]
)
def rig(request):
    rig = request.param(request)
    yield rig
    rig.close()


def test_every_kind_of_message_passes_whole_and_in_order(rig):
    messages = [
        b"\xfa", b"\xf8", b"\x99\x24\x64", b"\xb0\x7b\x00", b"\xc3\x05", b"\xf2\x10\x02", b"\xf8",
        b"\xf0\x7e\x7f\x06\x01\xf7", b"\x89\x24\x40", b"\xfc",
    ]  # fmt: skip
    at_ns = time.monotonic_ns() + NOW
    for message in messages:
        rig.out.send(at_ns, 0, message)
    rig.out.flush()
    assert [data for _, data in rig.collect(len(messages))] == messages


def test_off_before_on_of_one_moment_stays_so_a_thousand_times(rig):
    at_ns = time.monotonic_ns() + NOW
    sent = []
    for step in range(500):
        for message in (b"\x80\x24\x40", b"\x90\x24\x64"):
            sent.append(message)
            rig.send(at_ns + step * 1_000_000, message)
    assert [data for _, data in rig.collect(1000)] == sent


def test_arrival_times_rise_and_are_monotonic_time(rig):
    start = time.monotonic_ns()
    for step in range(50):
        rig.send(start + NOW + step * 1_000_000, b"\xf8")
    times = [at_ns for at_ns, _ in rig.collect(50)]
    assert times == sorted(times)
    assert start <= times[0]
    assert times[-1] < time.monotonic_ns() + 2 * NOW
    if rig.places_exactly:
        gaps = sorted(b - a for a, b in itertools.pairwise(times))
        assert gaps[len(gaps) // 2] == pytest.approx(1_000_000, abs=21_000)


def test_a_closed_port_drops_counts_and_never_raises(rig):
    rig.out.close()
    rig.out.send(time.monotonic_ns(), 0, b"\x80\x24\x40")
    rig.out.flush()
    assert rig.out.dropped == 1


DIES = """
import time
from hitloopd.io.midi_rtmidi import RtMidi
midi = RtMidi(inputs={}).open()
print("up", midi.lost, flush=True)
input()
deadline = time.monotonic() + 10
while not (lost := midi.watch()) and time.monotonic() < deadline:
    time.sleep(0.05)
midi.outs["out"].send(0, 0, bytes([0xF8]))
time.sleep(1.5)
midi.watch()
midi.close()
print(sorted(event.port for event in lost), midi.lost, midi.outs["out"].dropped, lost[0].text, flush=True)
"""


@pytest.mark.jack
def test_rtmidi_ports_are_lost_with_the_jack_server_told_and_the_player_lives():
    """In a process of its own: RtMidi's bundled library crashes where a dead server's client is closed."""
    require_module("rtmidi")
    with running_server() as own:
        player = own.popen(sys.executable, "-c", DIES, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert player.stdout.readline() == "up False\n"
        own.stop()
        told, _ = player.communicate("go\n", timeout=20)
    assert told.startswith("['hitloopd:clock', 'hitloopd:out'] True 1 The JACK server is gone")
    assert "hitloopd[jack]" in told
    assert player.returncode == 0


@pytest.mark.jack
def test_rule_48_a_named_peer_that_vanishes_is_told_and_opened_again(server):
    require_module("rtmidi")
    from hitloopd.core.notices import PortBack, PortLost
    from hitloopd.io.midi_rtmidi import RtMidi

    synth = RtMidi("synth", outputs={}, inputs={"in": ""}).open()
    midi = RtMidi(outputs={"out": "synth"}, inputs={}).open()
    assert not midi.lost
    synth.close()
    (lost,) = until(midi.watch, every=0.1)
    assert isinstance(lost, PortLost)
    assert midi.lost
    synth = RtMidi("synth", outputs={}, inputs={"in": ""}).open()
    assert until(midi.watch, seconds=2, every=0.1) == [PortBack("synth:in")]
    midi.outs["out"].send(0, 0, b"\x90\x24\x64")
    assert [data for _, data in until(synth.ins["in"].receive)] == [b"\x90\x24\x64"]
    midi.close()
    synth.close()

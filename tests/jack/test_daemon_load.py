"""The daemon on its own clock while numpy and onnxruntime take both cores, and through RtMidi's JACK ports."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import pairwise

import pytest

from tests.bench.load import ONE_THREAD, kinds
from tests.jack.scene import CLOCK, JackDaemon, bar, offs, on_every_cell, ons, repeated, spread
from tests.jack.server import JackMidiRecorder, end, require_module
from tests.live.daemon import Client

pytestmark = [pytest.mark.jack, pytest.mark.live]

OUT, CLOCKS = "hitloopd:out", "hitloopd:clock"
LOADED_S = 8.0


@pytest.fixture
def both_cores_busy():
    """numpy in one process, onnxruntime in the other; both end by themselves too."""
    require_module("numpy")
    require_module("onnxruntime")
    command = (sys.executable, "-m", "tests.bench.load")
    jobs = [
        subprocess.Popen([*command, kind, str(4 * LOADED_S + 10)], env={**os.environ, **ONE_THREAD}) for kind in kinds()
    ]
    time.sleep(1.5)
    yield
    for job in jobs:
        end(job)


def test_under_load_no_bar_is_late_and_no_note_is_lost(roomy_server, both_cores_busy, tmp_path):
    folders = iter(range(9))

    def scene():
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        with JackMidiRecorder(roomy_server, OUT, CLOCKS) as recorder:
            daemon = JackDaemon(roomy_server, folder, "transport.bpm=174", "transport.autostart=false", "gen.energy=1")
            with daemon:
                recorder.wait_connected()
                time.sleep(0.5)
                recorder.clear()
                before = daemon.note_count()
                daemon.set("/hitloop/transport/play")
                with Client(daemon.port) as client:
                    end_s = time.monotonic() + LOADED_S
                    while time.monotonic() < end_s:  # the user keeps asking meanwhile
                        client.send("/hitloop/gen/regenerate")
                        client.listen(0.35)
                    asked, told = len(client.all("/hitloop/gen/regenerate")), client.all("/hitloop/sys/error")
                daemon.set("/hitloop/transport/stop")
                time.sleep(0.1)
                recording = recorder.recording()
                sent, ended = len(ons(recording.of(OUT))), len(offs(recording.of(OUT)))
                counted = daemon.settled(
                    lambda: daemon.note_count() == (before[0] + sent, before[1] + ended), seconds=5.0
                )
                player, troubles, counts = daemon.health()["player"], daemon.troubles(), daemon.note_count()

        def check():
            clocks = [row.frame for row in recording.of(CLOCKS) if row.data == CLOCK]
            gaps = [b - a for a, b in pairwise(clocks)]
            print("xruns", recording.xruns, "clock intervals", sorted(set(gaps)), spread(gaps), "notes", sent, asked)
            print({k: player[k] for k in player if k.startswith("lateness")}, troubles, player["bars"])
            assert told == []
            assert asked > 15
            assert player["bars"] >= int(LOADED_S / (240 / 174))
            assert set(troubles.values()) == {0}
            assert sent == ended
            assert counted, (counts, before, sent, ended)
            assert set(gaps) == {689, 690}

        return recording.xruns, check

    repeated(scene)


def test_rtmidi_on_jack_offers_its_ports_and_plays(roomy_server, tmp_path):
    folders = iter(range(9))

    def scene():
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        with JackDaemon(
            roomy_server,
            folder,
            "midi.backend=rtmidi",
            "transport.bpm=150",
            "transport.autostart=false",
            ready=lambda ports: {"out", "clock", "in"} <= set(ours(ports)),
        ) as daemon:
            ports = ours(roomy_server.ports())
            with JackMidiRecorder(roomy_server, ports["out"], ports["clock"]) as recorder:
                recorder.wait_connected()
                daemon.set("/hitloop/pattern/set", bar(*on_every_cell("hihat"), (0, "kick")))
                time.sleep(0.3)
                recorder.clear()
                daemon.set("/hitloop/transport/play")
                time.sleep(3.0)
                daemon.set("/hitloop/transport/stop")
                time.sleep(0.2)
                recording = recorder.recording()
            troubles = daemon.troubles()

        def check():
            played, clock = recording.of(ports["out"]), recording.of(ports["clock"])
            notes = ons(played, 42)
            print(ports, "notes", len(notes), "clock", len(clock), "xruns", recording.xruns)
            assert len(notes) in range(28, 31)
            gaps = [b.frame - a.frame for a, b in pairwise(notes)]
            print("sixteenths at 150 BPM (4800 frames):", spread(gaps), "min", min(gaps))
            assert len(offs(played)) == len(ons(played))
            assert {b"\xfa", b"\xfc"} <= {row.data for row in clock}
            assert sum(gaps) / len(gaps) == pytest.approx(4800, abs=2 * roomy_server.period / len(gaps) + 1)
            assert set(troubles.values()) == {0}

        return recording.xruns, check

    repeated(scene)


def ours(ports: Iterable[str]) -> dict[str, str]:
    """Our ports by their last name: RtMidi gives each a client of its own."""
    return {port.rpartition(":")[2]: port for port in ports if port.startswith("hitloopd")}

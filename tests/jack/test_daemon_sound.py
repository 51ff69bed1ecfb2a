"""What the daemon's notes sound like: in a stranger's synthesiser, and by its own voices."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.jack.scene import JackDaemon, bar, offs, on_every_cell, ons, repeated, spread
from tests.jack.server import JackMidiRecorder, end, running_server, until
from tests.jack.sound import Ears
from tests.live.daemon import free_port
from tests.needs import require, require_program

pytestmark = [pytest.mark.jack, pytest.mark.live]

FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
OUT = "hitloopd:out"
SIXTEENTH = 5760  # frames at 125 BPM
BEAT = 4 * SIXTEENTH
BY_MIDI = ("transport.bpm=125", "transport.autostart=false")
OWN_SOUND = ("audio.backend=sounddevice", "audio.block=256", "kit=trap")
SETTLING_S = 1.5


@pytest.fixture
def fluidsynth(roomy_server):
    """fluidsynth listening to JACK MIDI, dry, and sounding into JACK."""
    require_program("fluidsynth")
    require(FONT.exists(), f"{FONT} is not there: fluid-soundfont-gm")
    words = f"fluidsynth -is -a jack -m jack -r 48000 -R 0 -C 0 -g 1 -o shell.port={free_port()}"
    ids = ("-o", "midi.jack.id=fluid", "-o", "audio.jack.id=fluid")
    synth = roomy_server.popen(*words.split(), *ids, str(FONT), stdin=subprocess.DEVNULL)
    try:
        until(lambda: {"fluid:left", "fluid:midi_00"} <= set(roomy_server.ports()), seconds=20)
        yield synth
    finally:
        end(synth)


LANES = {
    "kick": [(480 * beat, "kick") for beat in range(4)],
    "snare": [(480, "snare"), (1440, "snare")],
    "hihat": [(240 * half, "hihat") for half in range(8)],
    "bass": [(0, "bass"), (720, "bass"), (1200, "bass")],
}


def test_fluidsynth_plays_every_note_once_at_its_time(roomy_server, fluidsynth, tmp_path):
    folders = iter(range(9))

    def scene():
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        heard = {}
        with (
            JackDaemon(roomy_server, folder, *BY_MIDI) as daemon,
            JackMidiRecorder(roomy_server, OUT) as recorder,
            Ears(roomy_server, "fluid:left", folder) as ears,
        ):
            recorder.wait_connected()
            roomy_server.run("jack_connect", OUT, "fluid:midi_00")
            for lane, notes in LANES.items():
                daemon.set("/hitloop/pattern/set", bar(*notes, length=100))
                recorder.clear()
                daemon.set("/hitloop/transport/play")
                time.sleep(1.8)  # all of a bar but its last sixteenth
                daemon.set("/hitloop/transport/stop")
                time.sleep(0.7)  # its tail
                heard[lane] = recorder.recording()
            sound = ears.stop()

        def check():
            rises = sound.hits(2.0)
            sent = {lane: ons(recording.rows) for lane, recording in heard.items()}
            times = sorted(row.frame for rows in sent.values() for row in rows)
            print({lane: len(rows) for lane, rows in sent.items()}, "heard", len(rises), "xruns", len(sound.xruns))
            for lane, notes in LANES.items():
                assert len(sent[lane]) == len(notes), lane
                assert len(offs(heard[lane].rows)) == len(notes), lane
            assert len(rises) == len(times)
            late = [rise - frame for rise, frame in zip(rises, times, strict=True)]
            print("heard - sent in frames:", spread(late), "min", min(late))
            # fluidsynth plays what a period brings at the period's first frame; then its samples fade in
            assert min(late) >= -roomy_server.period - 48
            assert max(late) <= 240

        return len(sound.xruns) + sum(r.xruns for r in heard.values()), check

    repeated(scene)


def test_its_own_sound_is_on_the_sample_and_a_constant_away_from_the_midi(roomy_server, tmp_path):
    require(importlib.util.find_spec("sounddevice"), "sounddevice is not installed")  # importing it opens a client
    folders = iter(range(9))

    def scene():
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        with (
            JackDaemon(roomy_server, folder, *BY_MIDI, *OWN_SOUND) as daemon,
            JackMidiRecorder(roomy_server, OUT) as recorder,
        ):
            daemon.said("sound: ")
            recorder.wait_connected()
            daemon.set("/hitloop/pattern/set", bar(*on_every_cell("hihat"), velocity=1.0))
            with Ears(roomy_server, "PortAudio:out_0", folder) as ears:
                time.sleep(SETTLING_S)
                recorder.clear()
                daemon.set("/hitloop/transport/play")
                time.sleep(5.9)
                daemon.set("/hitloop/transport/stop")
                time.sleep(0.3)
                recording, sound = recorder.stop(), ears.stop()
            daemon.settled(lambda: daemon.health()["audio"]["notes"] >= len(ons(recording.rows)))
            audio, troubles = daemon.health()["audio"], daemon.troubles()
            latency = int(roomy_server.latency_frames("system:playback_1"))

        def check():
            notes = [row.frame for row in ons(recording.rows)]
            onsets = sound.onsets(0.005)
            print(audio, "xruns", recording.xruns, len(sound.xruns), "latency", latency)
            # what was handed to the sound ahead of the Stop still sounds, where MIDI was not sent yet
            assert 0 <= len(onsets) - len(notes) <= 1
            apart = [a - n for a, n in zip(onsets, notes, strict=False)]
            print("sound - MIDI in frames:", spread(apart), "min", min(apart), "mean", statistics.mean(apart))
            assert {b - a for a, b in pairwise(onsets)} == {SIXTEENTH}
            assert {b - a for a, b in pairwise(notes)} <= {SIXTEENTH - 1, SIXTEENTH, SIXTEENTH + 1}
            # MIDI follows the server's clock all the time; the sound's line waits until it is 0.5 ms off (audio_clock)
            assert max(apart) - min(apart) <= 24
            # what JACK says lies between its port and the ear is already made up for
            assert abs(statistics.mean(apart) + latency) < 144  # 3 ms
            assert audio["late"] == audio["dropped"] == 0
            assert set(troubles.values()) == {0}

        return recording.xruns + len(sound.xruns), check

    repeated(scene)


def test_rule_48_a_server_that_was_killed_takes_neither_the_beat_nor_the_sound_for_good(tmp_path):
    """PortAudio waits ten minutes for a server that is gone: only another process has sound again."""
    require(importlib.util.find_spec("sounddevice"), "sounddevice is not installed")
    with running_server(period=256) as server:
        daemon = JackDaemon(server, tmp_path, "transport.bpm=125", *OWN_SOUND)
        daemon.said("sound: ")
        server.process.kill()
        server.process.wait()
    with daemon:
        until(lambda: daemon.health()["processes"]["audio"]["restarts"] == 1, seconds=20, every=0.2)
        bars = daemon.health()["player"]["bars"]
        with running_server(server.name, period=256) as server, JackMidiRecorder(server, OUT) as recorder:
            until(lambda: daemon.health()["audio"]["callbacks"], seconds=20, every=0.2)
            recorder.wait_connected()
            with Ears(server, "PortAudio:out_0", tmp_path) as ears:
                recorder.clear()
                recorder.wait_for(16)
                sound = ears.stop()
            until(lambda: daemon.health()["player"]["bars"] > bars)  # sixteen notes may be of the bar that it was
        health = daemon.health()
        print(health["audio"], "xruns", len(sound.xruns), "heard", abs(sound.samples).max())
        assert abs(sound.samples).max() > 0.05
        assert health["audio"]["notes"]
        assert {name: row["restarts"] for name, row in health["processes"].items() if name != "audio"} == {
            "player": 0,
            "control": 0,
            "generator": 0,
        }

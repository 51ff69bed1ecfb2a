"""Kits swapped while they play, heard through JACK and compared with a take in which nothing was swapped."""

from __future__ import annotations

import importlib.util
import shutil
import threading
import time

import numpy as np
import pytest

from tests.jack.scene import JackDaemon, bar
from tests.jack.server import running_server
from tests.jack.sound import Ears, Sound
from tests.kits import write_pack
from tests.needs import require

pytestmark = [pytest.mark.jack, pytest.mark.live]

BEAT = 23_040  # frames at 125 BPM
BARS = 4
TRIES = 5
SETTLING_S = 3.0  # until the sound's line is near the server's clock
PLAIN = ("transport.bpm=125", "transport.autostart=false", "audio.backend=sounddevice", "audio.block=1024")
CLOCK_LINE = 24  # frames by which the sound's own line may lie beside the server's clock (io.audio_clock)
# Low tones: where the sound's line moves by a frame between two notes, the takes differ by 2 to 3 % of their peak.
ONE = {"kick": (80.0,), "snare": (130.0,), "hihat": (190.0,), "cymbal": (160.0,), "bass": (65.41,)}
TWO = {"kick": (70.0,), "snare": (110.0,), "hihat": (170.0,), "cymbal": (140.0,), "bass": (65.41,)}
FRAMES = 0.08
HITS = [(0, "kick"), (240, "hihat"), (480, "snare"), (480, "kick"), (720, "hihat"), (960, "kick"), (1200, "bass")]
LAST_HITS = [(1440, "snare"), (1680, "hihat"), (1800, "kick")]


@pytest.fixture(scope="module")
def calm_server():
    """1024 frames a period: what is looked at here is what is played, not how short a buffer the machine can keep."""
    with running_server(period=1024) as server:
        yield server


@pytest.fixture
def band(calm_server, tmp_path):
    """A daemon that sounds into JACK, with the kits ``one``, its copy ``same``, and ``two``."""
    require(importlib.util.find_spec("sounddevice"), "sounddevice is not installed")
    kits = tmp_path / "library" / "kits"
    write_pack(kits / "one", ONE, seconds=0.9)
    shutil.copytree(kits / "one", kits / "same")
    write_pack(kits / "two", TWO, seconds=0.9)
    with JackDaemon(calm_server, tmp_path, *PLAIN) as daemon:
        daemon.said("sound: ")
        time.sleep(SETTLING_S)
        yield daemon


def disturbances(daemon) -> int:
    """What the machine did to the sound so far: dry devices, and what came too late because of that."""
    health = daemon.health()
    audio = health["audio"]
    return audio["clock_resets"] + audio["underflows"] + audio["late"] + health["player"]["late"]


def take(daemon, server, folder, kit, meanwhile=lambda: None) -> Sound:
    """Play so many bars with a kit, ``meanwhile`` beside it; once more where the machine stood still meanwhile.

    A swap that disturbs the sound by itself does so at every try.
    """
    for number in range(TRIES):
        time.sleep(1.1)  # the counters come once a second
        before = disturbances(daemon)
        sound = _take(daemon, server, folder / str(number), kit, meanwhile)
        time.sleep(1.1)
        disturbed = disturbances(daemon) - before
        print(f"take {folder.name}.{number}: {len(sound.xruns)} xruns, {disturbed} disturbances")
        if not sound.xruns and not disturbed:
            return sound
    raise AssertionError(f"no take of {TRIES} without a disturbance")


def _take(daemon, server, folder, kit, meanwhile) -> Sound:
    folder.mkdir(parents=True)
    daemon.set("/hitloop/kit/load", kit)
    with Ears(server, "PortAudio:out_0", folder) as ears:
        time.sleep(0.3)
        daemon.set("/hitloop/transport/play")
        beside = threading.Thread(target=meanwhile)
        beside.start()
        time.sleep(BARS * 4 * 0.48)
        daemon.set("/hitloop/transport/stop")
        beside.join()
        time.sleep(1.2)
        return ears.stop()


def beats(sound: Sound) -> list[np.ndarray]:
    """The take cut at its beats, the first one at the first sound."""
    first = int(np.flatnonzero(np.abs(sound.samples) > 1e-4)[0])
    cut = [sound.samples[max(first + n * BEAT - 32, 0) : first + (n + 1) * BEAT] for n in range(BARS * 4)]
    return [piece for piece in cut if len(piece) >= BEAT]


def differences(some: Sound, other: Sound) -> list[tuple[int, float]]:
    """For each beat: by how many frames it lies elsewhere, and what then still differs, as a share of its peak."""
    found = []
    for a, b in zip(beats(some), beats(other), strict=False):
        length = min(len(a), len(b)) - 2 * CLOCK_LINE
        middle = a[CLOCK_LINE : CLOCK_LINE + length]
        shifts = [(float(np.abs(middle - b[k : k + length]).max()), k - CLOCK_LINE) for k in range(2 * CLOCK_LINE + 1)]
        rest, shift = min(shifts)
        found.append((shift, rest / max(float(np.abs(middle).max()), 1e-6)))
    return found


def loudest(found: list[tuple[int, float]]) -> float:
    return max(rest for _, rest in found)


def test_a_swap_is_heard_as_nothing_but_the_other_kit(band, calm_server, tmp_path):
    band.set("/hitloop/pattern/set", bar(*HITS, *LAST_HITS, velocity=0.7))
    answers = []

    def back_and_forth():
        """At moments that have nothing to do with the beat; every other time at once."""
        for turn, kit in enumerate(("same", "one", "same", "one", "same", "one")):
            time.sleep(0.97)
            answers.append(band.set("/hitloop/kit/load", kit, *(("now",) if turn % 2 else ()))[-1])

    def once():
        time.sleep(1.3 * 1.92)
        answers.append(band.set("/hitloop/kit/load", "two")[-1])

    def play(name, kit, meanwhile=lambda: None):
        return take(band, calm_server, tmp_path / name, kit, meanwhile)

    plain, again, swapped = play("plain", "one"), play("again", "one"), play("swapped", "one", back_and_forth)
    same, control = differences(plain, swapped), differences(plain, again)
    exact = sum(rest < 1e-5 and shift == 0 for shift, rest in same)
    print(f"6 swaps between equal kits: {exact} of {len(same)} beats are the same, at most {loudest(same):.2g} differs")
    print(f"no swap: at most {loudest(control):.2g} differs; answers", answers)
    assert loudest(same) < FRAMES, "a click, a gap, a cut tail or a late note"

    other, changed = play("other", "two"), play("changed", "one", once)
    line = answers[-1]
    before = differences(plain, changed)[: 4 * line]
    after = differences(other, changed)[4 * line + 2 :]  # until the old kit's last notes have rung out
    print(f"one to two at bar {line}: {loudest(before):.2g} differs before, {loudest(after):.2g} after")
    assert line == 2
    assert loudest(before) < FRAMES
    assert len(after) >= 4
    assert loudest(after) < FRAMES
    assert loudest(differences(plain, other)) > 0.3, "the kits differ, or this shows nothing"
    assert band.health()["player"]["dropped"] == 0

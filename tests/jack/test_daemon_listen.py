"""Live sampling: the daemon hears what a stranger plays into JACK, and plays a kit made of it; on goes the beat."""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from hitloopd.app.extract import NEEDED
from hitloopd.core.errors import DeviceError
from hitloopd.io.listen import record
from hitloopd.io.synth.cache import SoundCache
from hitloopd.io.synth.recipes import RECIPES
from tests.jack.scene import JackDaemon
from tests.jack.server import end, running_server
from tests.live.daemon import eventually
from tests.needs import require

pytestmark = [pytest.mark.jack, pytest.mark.live]

RATE = 48_000
STEP = RATE // 2
HITS = ("techno/kick", "techno/hihat", "techno/snare", "techno/hihat")


@pytest.fixture(scope="module")
def calm_server():
    """1024 frames a period: the extraction shares the machine."""
    require(importlib.util.find_spec("jack"), "JACK-Client is not installed")
    with running_server(period=1024) as server:
        yield server


@contextlib.contextmanager
def playing_into(server, path: Path):
    """A stranger who plays a file into ``feeder:out``."""
    script = Path(__file__).with_name("feeder.py")
    process = server.popen(sys.executable, str(script), str(path), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == "plays\n"
        yield
    finally:
        end(process)


def street(folder: Path) -> Path:
    """Two seconds of hits, half a second apart, over a street's rumble."""
    cache = SoundCache(None)
    sound = np.random.default_rng(3).normal(0, 0.003, len(HITS) * STEP)
    for number, name in enumerate(HITS):
        hit = cache.sound(RECIPES[name], RATE)[:STEP]
        sound[number * STEP : number * STEP + len(hit)] += 0.5 * hit
    soundfile.write(folder / "street.wav", sound, RATE, "PCM_24")
    return folder / "street.wav"


def test_a_recording_is_what_was_played_to_the_frame(calm_server, tmp_path):
    sound, _ = soundfile.read(street(tmp_path))
    shares: list[float] = []
    with playing_into(calm_server, tmp_path / "street.wav"):
        heard = record(tmp_path / "new" / "heard.wav", 2.0, "jack:feeder:out", shares.append)
        with pytest.raises(DeviceError, match=r"No JACK port 'feeder:ou'.*Did you mean 'feeder:out'"):
            record(tmp_path / "no.wav", 1.0, "jack:feeder:ou", shares.append)
        silent = record(tmp_path / "silent.wav", 1.0, "", shares.append)  # the dummy driver's inputs
    taken, rate = soundfile.read(heard.path)
    assert (rate, len(taken), heard.source) == (RATE, 2 * RATE, "JACK feeder:out")
    assert shares[-1] == 1.0
    spectrum = np.fft.rfft(taken) * np.conj(np.fft.rfft(sound))
    shift = int(np.argmax(np.fft.irfft(spectrum, len(sound))))
    np.testing.assert_allclose(taken, np.roll(sound, shift), atol=1e-5)
    assert heard.peak_db == pytest.approx(20 * np.log10(np.abs(sound).max()), abs=0.1)
    assert not heard.silent
    assert silent.silent
    assert "system:capture_1" in silent.source


def test_a_kit_is_made_of_what_is_heard_while_the_beat_goes_on(calm_server, tmp_path):
    for name in (*NEEDED, "sounddevice"):
        require(importlib.util.find_spec(name), f"{name} is not installed")
    sets = ("transport.bpm=125", "audio.backend=sounddevice", "audio.block=1024", "audio.input=jack:feeder:out")
    with playing_into(calm_server, street(tmp_path)), JackDaemon(calm_server, tmp_path, *sets) as daemon:
        daemon.playing()
        before = daemon.note_count()[0]
        assert daemon.set("/hitloop/kit/listen", 4.0)[0] == "records"
        assert daemon.ask("/hitloop/kit/listen", 4.0)[1] == "unavailable", "one at a time"
        over = ("playing", "failed")
        stage, _, text = eventually(
            lambda: (told := daemon.ask("/hitloop/kit/listen")) and told[0] in over and told,
            lambda: daemon.lines,
            seconds=200,
            every_s=0.5,
        )
        print(text, "late", daemon.health()["audio"]["late"], daemon.troubles())
        assert stage == "playing"
        kit = str(daemon.ask("/hitloop/kit/load")[0])
        library = tmp_path / "library"
        assert (library / "recordings" / f"{kit}.wav").is_file()
        pack = yaml.safe_load((library / "kits" / kit / "pack.yaml").read_text())
        assert {"kick", "snare"} <= {row["lane"] for row in pack["samples"]}
        kick = daemon.ask("/hitloop/slot/kick/sample")
        assert kick[:2] == (pack["samples"][0]["file"], f"{kit}.wav")
        after = sum(row["lane"] == "kick" for row in pack["samples"])
        print("kicks", after, [(r["lane"], r["start_s"]) for r in pack["samples"]])
        # the beat went on: nothing left out, and the notes of all that time were sent
        assert daemon.note_count()[0] > before + 50
        assert daemon.health()["player"]["dropped"] == 0
        assert daemon.ask("/hitloop/pattern/undo", timeout_s=20)
        assert daemon.ask("/hitloop/kit/load") == ("house",)


def test_what_listens_goes_with_the_daemon(calm_server, tmp_path):
    for name in NEEDED:
        require(importlib.util.find_spec(name), f"{name} is not installed")
    with (
        playing_into(calm_server, street(tmp_path)),
        JackDaemon(calm_server, tmp_path, "audio.input=jack:feeder:out") as daemon,
    ):
        daemon.set("/hitloop/kit/listen", 60.0)
        eventually(lambda: daemon.ask("/hitloop/kit/listen")[1] > 0, lambda: daemon.lines)
        children = _children_of(daemon.pid("control"))
        assert children
        assert daemon.end() == 0
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), children)


def _children_of(pid: int) -> list[int]:
    task = Path(f"/proc/{pid}/task")
    return [int(child) for thread in task.iterdir() for child in (thread / "children").read_text().split()]

"""A whole daemon with sample packs: asked over OSC, written into a capture, killed and started again."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.kits import write_pack
from tests.live.daemon import Client, Daemon, eventually, run_command

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The built-in sounds are made once for all of this."""
    return tmp_path_factory.mktemp("sounds")


@pytest.fixture
def library(tmp_path):
    kits = tmp_path / "library" / "kits"
    write_pack(kits / "tram", {"kick": (80, 90, 100), "snare": (200,), "hihat": (500, 600), "bass": (65.4,)})
    write_pack(kits / "bad")
    (kits / "bad" / "snare-1.wav").write_bytes(b"RIFFjunk")
    return tmp_path / "library"


def sets(tmp_path, cache, *more):
    return (f"capture.dir={tmp_path / 'capture'}", f"paths.cache={cache}", "transport.bpm=240", *more)


def test_packs_are_played_changed_and_undone_over_osc(tmp_path, library, cache):
    with Daemon(tmp_path, *sets(tmp_path, cache)) as daemon, Client(daemon.port) as client:
        daemon.playing()
        client.send("/hitloop/sys/subscribe", "/hitloop/kit/load")
        assert "tram" in daemon.ask("/hitloop/kit/list")
        name, bar = daemon.ask("/hitloop/kit/load", "tram", timeout_s=20)
        assert name == "tram"
        assert bar > 0
        client.until(lambda: ("tram", bar) in client.all("/hitloop/kit/load"))
        told = daemon.ask("/hitloop/slot/kick/sample")
        assert told == ("kick-1.wav", "tram.wav", 12.5, "kick/kick.wav", pytest.approx(0.35), "Ada", "CC BY 4.0")
        assert daemon.ask("/hitloop/kit/next", "kick")[:2] == ("kick", "kick-2.wav")
        assert daemon.ask("/hitloop/kit/next", "all", "now")[:2] == ("kick", "kick-3.wav")
        assert daemon.ask("/hitloop/slot/bass/tune", -3)[0] == -3.0
        assert daemon.ask("/hitloop/slot/hihat/pan", 0.5)[0] == 0.5
        assert daemon.ask("/hitloop/slot/hihat/choke", "none")[0] == ""
        for name, word in (("bad", "snare-1.wav"), ("/etc", "outside"), ("trm", "Did you mean 'tram'")):
            path, _, text = daemon.ask("/hitloop/kit/load", name, timeout_s=20)
            assert path == "/hitloop/kit/load"
            assert word in text
        assert daemon.ask("/hitloop/kit/load") == ("tram",)
        assert daemon.ask("/hitloop/slot/kick/sample")[0] == "kick-3.wav"
        for _ in range(3):
            daemon.ask("/hitloop/pattern/undo")
        assert daemon.ask("/hitloop/slot/bass/tune") == (0.0,)
        daemon.ask("/hitloop/pattern/undo", timeout_s=20)
        assert daemon.ask("/hitloop/slot/kick/sample")[0] == "kick-2.wav"
        assert daemon.status()["kit"] == "tram"
        assert daemon.health()["player"]["dropped"] == 0


def test_the_kit_and_its_samples_are_there_again_after_a_kill(tmp_path, library, cache):
    with Daemon(tmp_path, *sets(tmp_path, cache)) as daemon:
        daemon.playing()
        daemon.ask("/hitloop/kit/load", "tram", timeout_s=20)
        daemon.ask("/hitloop/kit/next", "kick")
        os.kill(daemon.pid("control"), signal.SIGKILL)
        eventually(lambda: daemon.ask("/hitloop/slot/kick/sample", timeout_s=0.3), lambda: daemon.lines)
        assert daemon.ask("/hitloop/slot/kick/sample")[0] == "kick-2.wav"
        before = daemon.health()["processes"]["audio"]
        os.kill(before["pid"], signal.SIGKILL)
        eventually(lambda: daemon.health()["processes"]["audio"]["restarts"] == 1, lambda: daemon.lines)
        eventually(lambda: daemon.health()["audio"].get("notes"), lambda: daemon.lines)
        assert daemon.ask("/hitloop/kit/next", "kick", timeout_s=20)[:2] == ("kick", "kick-3.wav")
        daemon.kill_all()
    with Daemon(tmp_path, *sets(tmp_path, cache)) as daemon:
        daemon.playing()
        assert daemon.ask("/hitloop/slot/kick/sample")[0] == "kick-3.wav"


def test_a_pack_that_is_cut_anew_is_taken_over(tmp_path, library, cache):
    folder = library / "kits" / "tram"
    with Daemon(tmp_path, *sets(tmp_path, cache, "kit=tram")) as daemon:
        daemon.playing()
        assert daemon.ask("/hitloop/kit/next")[:2] == ("kick", "kick-2.wav")
        shutil.rmtree(folder)
        write_pack(tmp_path / "new", {"kick": (70,), "snare": (250,)})
        (tmp_path / "new").rename(folder)
        # what was chosen is gone with its file: the pack's own plays
        eventually(lambda: daemon.ask("/hitloop/slot/kick/sample")[0] == "kick-1.wav", lambda: daemon.lines)
        eventually(lambda: daemon.ask("/hitloop/slot/hihat/sample")[0] == "", lambda: daemon.lines)
        daemon.said("Lane hihat has no sample")


def demo(tmp_path, *words):
    done = run_command("demo", "--out", tmp_path / "out", "--bars", 2, "--bpm", 240, "--json", *words)
    return done.returncode, json.loads(done.stdout)


def test_demo_plays_a_pack_by_path(tmp_path):
    folder = write_pack(tmp_path / "tram", {"kick": (80,)})
    code, told = demo(tmp_path, "--kit", folder)
    assert (code, told["sound"].rpartition("kit ")[2]) == (0, "tram")
    sound, rate = soundfile.read(tmp_path / "out" / "demo.wav")
    spectrum = np.abs(np.fft.rfft(sound[:, 0]))
    assert float(np.argmax(spectrum)) * rate / len(sound) == pytest.approx(80, abs=3), "and nothing else"


def test_a_broken_pack_is_refused_before_anything_starts(tmp_path, library):
    code, told = demo(tmp_path, "--kit", library / "kits" / "gone")
    assert code == 2
    (library / "kits" / "tram" / "kick-2.wav").unlink()
    code, told = demo(tmp_path, "--kit", library / "kits" / "tram")
    assert (code, told["ok"]) == (2, False)
    assert "kick-2.wav" in told["problems"][0]
    assert not Path(tmp_path / "out").exists()

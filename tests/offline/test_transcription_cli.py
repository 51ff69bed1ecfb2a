"""``transcribe`` as a person uses it: folders, licences, bad files, interruption, the same bytes."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import Lane
from offline.__main__ import main
from offline.audio import RATE
from offline.dataset.encoder import cut_file
from offline.transcription import listen as listen_module
from offline.transcription import parts
from tests.offline.cluster import dask_cluster
from tests.offline.pictures import leave_out_pictures
from tests.offline.transcription_fakes import REASON, fake_ears, four_on_the_floor, song

FILES = {"song.mid", "bars.json", "rolls.npz", "provenance.yaml", "picture.png"}
BASS = [(2 * bar + 0.1, 2 * bar + 1.4, 36 + bar % 3) for bar in range(6)]


@pytest.fixture
def drawing(monkeypatch):
    """Listeners that read what the songs of ``transcription_fakes`` say."""
    ears = fake_ears()
    monkeypatch.setattr(parts, "ears", lambda choice: ears)
    return ears


@pytest.fixture
def fakes(drawing, monkeypatch):
    """The same for what is not about pictures."""
    leave_out_pictures(monkeypatch)
    return drawing


@pytest.fixture
def album(tmp_path):
    """Two songs that somebody has a licence for, one of them with stems."""
    folder = tmp_path / "album"
    song(folder / "one.wav", four_on_the_floor(6), BASS, 13.0)
    song(folder / "two" / "mix.flac.wav", four_on_the_floor(4), length_s=9.0).rename(folder / "two" / "mix.wav")
    song(folder / "two" / "drums.wav", four_on_the_floor(1), length_s=9.0)
    licensed(folder, ("one.wav", "Ada", "CC0 1.0"), ("two/mix.wav", "Bo", "CC BY 4.0"))
    return folder


def licensed(folder, *rows):
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "author", "licence"], *rows])


def transcribe(*words):
    return main(["transcribe", *map(str, words), "--quiet"])


def products(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_each_song_gets_a_folder_with_everything(drawing, album, tmp_path, capsys):
    out = tmp_path / "out"
    assert transcribe(album, "--out", out) == 0
    assert {path.parent.relative_to(out).as_posix() for path in out.rglob("song.mid")} == {"one", "two/mix"}
    assert {path.name for path in (out / "one").iterdir()} == FILES
    assert (out / "one" / "picture.png").read_bytes()[:4] == b"\x89PNG"
    assert not (out / ".work").exists()
    told = capsys.readouterr().out
    assert "album/one.wav: 120.0 BPM, 5 of 6 bars kept" in told
    assert "kick 24, snare 12, hihat 24, cymbal 0, bass 6" in told


def test_bars_rolls_and_midi_say_the_same(fakes, album, tmp_path):
    assert transcribe(album, "--out", tmp_path / "out") == 0
    folder = tmp_path / "out" / "one"
    bars = json.loads((folder / "bars.json").read_text())
    assert [(bar["start_s"], bar["end_s"]) for bar in bars] == [(2.0 * n, 2.0 * n + 2) for n in range(6)]
    assert [bar["kept"] for bar in bars] == [True, False, True, True, True, True]
    assert [bar["roll"] for bar in bars] == [0, None, 1, 2, 3, 4]
    assert bars[1]["reason"] == REASON
    with np.load(folder / "rolls.npz") as file:
        rolls, index, root = file["rolls"], file["bar"], file["root"]
    assert rolls.shape == (5, 128, 20)
    assert rolls.dtype == np.float32
    assert index.tolist() == [0, 2, 3, 4, 5]
    assert root.tolist() == [36, 38, 36, 37, 38]
    assert np.flatnonzero(np.diff(rolls[0, :, 0] > 0, prepend=False))[::2].tolist() == [0, 32, 64, 96]
    cut = {bar.index: bar for bar in cut_file(folder / "song.mid").bars}
    snares = [hit for hit in cut[bars[2]["midi_bar"]].hits if hit.row == 1]
    assert [hit.start_ticks for hit in snares] == [483, 1443], "3 ms late, as it was played"


def test_the_provenance_tells_whose_it_is_and_who_heard_it(fakes, album, tmp_path):
    assert transcribe(album, "--out", tmp_path / "out") == 0
    facts = yaml.safe_load((tmp_path / "out" / "two" / "mix" / "provenance.yaml").read_text())
    assert (facts["song"], facts["title"]) == ("album/two/mix.wav", "two")
    assert (facts["author"], facts["licence"], facts["family"]) == ("Bo", "CC BY 4.0", "by")
    assert (facts["separator"], facts["drums"], facts["bass"]) == ("apart", "read drums", "read bass")
    assert facts["beats"] == "even bars"
    assert facts["bars"] == {"found": 4, "kept": 3, "left out": {REASON: 1}}
    assert facts["confidence"] == pytest.approx(0.9 * 3 / 4)
    assert facts["hits"]["kick"] == {"count": 16, "confidence": 0.8}
    assert facts["tempo_bpm"] == 120
    for name, digest in facts["sha256"].items():
        data = (tmp_path / "out" / "two" / "mix" / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest


def test_bars_without_drums_are_left_out(drawing, tmp_path):
    hits = [hit for hit in four_on_the_floor(4) if not 4 <= hit[0] < 6]
    song(tmp_path / "a.wav", hits, length_s=9.0)
    assert transcribe(tmp_path / "a.wav", "--out", tmp_path / "out", "--own-licence", "CC0", "--author", "me") == 0
    bars = json.loads((tmp_path / "out" / "a" / "bars.json").read_text())
    assert [bar["reason"] for bar in bars] == ["", REASON, "no drums", ""]
    facts = yaml.safe_load((tmp_path / "out" / "a" / "provenance.yaml").read_text())
    assert (facts["author"], facts["licence"], facts["family"]) == ("me", "CC0", "cc0")


def test_a_song_whose_licence_nobody_states_is_refused_and_nothing_is_done(fakes, album, tmp_path, capsys):
    song(album / "found.wav", four_on_the_floor(2))
    assert transcribe(album, "--out", tmp_path / "out") == 1
    told = capsys.readouterr().err
    assert "found.wav" in told
    assert "--allow-unknown" in told
    assert "one.wav" not in told
    assert not (tmp_path / "out").exists()
    assert transcribe(album, "--out", tmp_path / "out", "--allow-unknown") == 0
    assert yaml.safe_load((tmp_path / "out" / "found" / "provenance.yaml").read_text())["family"] == "unknown"


def test_licences_that_were_not_asked_for_are_left_out(fakes, album, tmp_path, capsys):
    assert transcribe(album, "--out", tmp_path / "out", "--licence", "cc0") == 1
    assert "CC BY 4.0" in capsys.readouterr().err
    assert [path.parent.name for path in (tmp_path / "out").rglob("song.mid")] == ["one"]


def test_bad_songs_are_told_in_one_line_each_and_the_others_go_on(fakes, album, tmp_path, capsys):
    (album / "text.wav").write_text("no sound at all")
    (album / "empty.mp3").touch()
    soundfile.write(album / "silent.flac", np.zeros(3 * RATE), RATE)
    soundfile.write(album / "short.wav", np.full(RATE // 10, 0.5), RATE)
    song(album / "beatless.wav", [], [(0.5, 2.0, 40)], 3.0)
    song(album / "untrusted.wav", [(2.5, Lane.KICK), (3.9, Lane.KICK)], length_s=5.0)
    song(album / "torn.wav", four_on_the_floor(2))
    data = bytearray((album / "torn.wav").read_bytes())
    (album / "torn.flac").write_bytes(data[:40_000])
    (album / "torn.wav").unlink()
    words = [album, album / "gone.wav", "--out", tmp_path / "out", "--own-licence", "CC0"]
    assert transcribe(*words) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if "album" in line]
    reasons = {
        "text.wav": "no sound file",
        "empty.mp3": "no sound file",
        "silent.flac": "silent",
        "short.wav": "too short",
        "beatless.wav": "no beat was found",
        "untrusted.wav": f"not one of its 2 bars is kept: no drums (1), {REASON} (1)",
        "gone.wav": "no such file",
    }
    for name, reason in reasons.items():
        lines = [line for line in told if name in line]
        assert len(lines) == 1, (name, lines)
        assert reason in lines[0]
    assert (tmp_path / "out" / "one" / "song.mid").is_file()
    assert not (tmp_path / "out" / "beatless").exists()


def test_json_has_every_song_and_every_problem(fakes, album, tmp_path, capsys):
    (album / "text.wav").write_text("no sound at all")
    assert transcribe(album, "--out", tmp_path / "out", "--json", "--own-licence", "CC0") == 1
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert [row["song"] for row in report["songs"]] == ["album/one.wav", "album/two/mix.wav"]
    assert report["songs"][0]["bars"]["kept"] == 5
    assert Path(report["songs"][0]["folder"]) == tmp_path / "out" / "one"
    assert len(report["problems"]) == 1


def test_stems_belong_to_one_song(fakes, album, tmp_path, capsys):
    stems = ["--stems", f"drums={album / 'two' / 'drums.wav'}"]
    assert transcribe(album, "--out", tmp_path / "out", *stems) == 2
    assert "one song; here are 2" in capsys.readouterr().err
    assert transcribe(album / "two" / "mix.wav", "--out", tmp_path / "out", *stems) == 0
    facts = yaml.safe_load((tmp_path / "out" / "two" / "mix" / "provenance.yaml").read_text())
    assert facts["hits"]["kick"]["count"] == 4
    assert facts["stems"]["drums"]["file"] == "drums.wav"
    with pytest.raises(SystemExit):
        transcribe(album, "--out", tmp_path / "out", "--stems", "vocals=x.wav")


def test_who_cannot_listen_says_so_once(album, tmp_path, capsys, monkeypatch):
    def absent(_choice):
        raise UnavailableError("pip install ears")

    monkeypatch.setattr(parts, "ears", absent)
    assert transcribe(album, "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err.count("pip install ears") == 1


def test_a_file_cannot_take_the_songs(fakes, album, tmp_path, capsys):
    assert transcribe(album, "--out", album / "one.wav") == 2
    assert "is a file" in capsys.readouterr().err


def test_what_is_done_stays_and_what_changed_is_done_again(fakes, album, tmp_path):
    out = tmp_path / "out"
    assert transcribe(album, "--out", out) == 0
    first, calls = products(out), fakes.drums.calls
    assert transcribe(album, "--out", out) == 0
    assert fakes.drums.calls == calls, "every song lies there already"
    song(album / "one.wav", four_on_the_floor(3), length_s=7.0)
    (out / "two" / "mix" / "song.mid").unlink()
    assert transcribe(album, "--out", out) == 0
    assert fakes.drums.calls == calls + 2
    soundfile.write(album / "one.wav", np.zeros(3 * RATE), RATE)
    again = products(out)
    assert again["two/mix/song.mid"] == first["two/mix/song.mid"]
    assert again["one/bars.json"] != first["one/bars.json"]
    assert transcribe(album, "--out", out) == 1
    assert not (out / "one" / "provenance.yaml").exists(), "what lies there is not of this song any more"


def test_interrupted_it_goes_on_and_comes_to_the_same_bytes(drawing, album, tmp_path, monkeypatch):
    monkeypatch.setattr(listen_module, "STRETCH_S", 3)
    assert transcribe(album, "--out", tmp_path / "whole") == 0
    whole = drawing.drums.calls
    real, left = drawing.drums.hear_drums, iter(range(1))

    def interrupted(stems):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return real(stems)

    with monkeypatch.context() as patch:
        patch.setattr(drawing.drums, "hear_drums", interrupted)
        assert transcribe(album, "--out", tmp_path / "out") == 130
    assert not list((tmp_path / "out").rglob("provenance.yaml"))
    assert transcribe(album, "--out", tmp_path / "out") == 0
    assert drawing.drums.calls == 2 * whole, "each stretch once"
    assert products(tmp_path / "out") == products(tmp_path / "whole")


# --- with those who really listen -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def beat(tmp_path_factory):
    """Twelve bars of kick, snare, hats and a bass line at 120 BPM, synthesised."""
    from tests.offline.extraction_sounds import hat, kick, snare
    from tests.offline.transcription_sounds import laid, tone

    folder = tmp_path_factory.mktemp("beat") / "songs"
    folder.mkdir()
    sounds = []
    for number in range(48):
        at = 0.3 + 0.5 * number
        sounds += [(at, kick()), (at + 0.25, 0.5 * hat(number)), (at, 0.4 * hat(number + 99))]
        sounds += [(at, 0.8 * snare(number))] * (number % 2)
        sounds += [(at + 0.01, tone(33 + (number // 4) % 4, 0.4))] * (number % 4 in {0, 3})
    for name in ("one", "two"):
        soundfile.write(folder / f"{name}.flac", np.clip(0.4 * laid(sounds, 25.0), -1, 1), RATE)
    licensed(folder, ("one.flac", "Ada", "CC0 1.0"), ("two.flac", "Bo", "MIT"))
    return folder


@pytest.mark.live
def test_processes_a_cluster_and_a_restart_after_a_kill_give_the_same_bytes(beat, tmp_path):
    assert transcribe(beat, "--out", tmp_path / "one") == 0
    bars = json.loads((tmp_path / "one" / "two" / "bars.json").read_text())
    kept = [bar for bar in bars if bar["kept"]]
    assert len(kept) >= 8
    assert all(abs((bar["start_s"] - 0.3) / 0.5 - round((bar["start_s"] - 0.3) / 0.5)) < 0.06 for bar in kept)
    assert transcribe(beat, "--out", tmp_path / "two", "--jobs", 2) == 0
    assert products(tmp_path / "one") == products(tmp_path / "two")
    with dask_cluster(tmp_path) as address:
        assert transcribe(beat, "--out", tmp_path / "three", "--cluster", address) == 0
    assert products(tmp_path / "one") == products(tmp_path / "three")
    kill_when_half_done(beat, tmp_path / "four")
    assert transcribe(beat, "--out", tmp_path / "four") == 0
    assert products(tmp_path / "one") == products(tmp_path / "four")


def kill_when_half_done(songs, out):
    """Start the command as a process and kill it, without a chance to tidy up, when the first song is written."""
    command = [sys.executable, "-m", "offline", "transcribe", str(songs), "--out", str(out), "--quiet"]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], env={**os.environ})
    until = time.monotonic() + 200
    while not list(out.rglob("provenance.yaml")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(out.rglob("provenance.yaml"))
    shutil.rmtree(out / "two", ignore_errors=True)

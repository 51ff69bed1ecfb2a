"""``dataset build --audio``: bars that were heard in songs beside bars of notes, each with its second."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from offline.__main__ import main
from offline.dataset.store import BARS_FILE, load_bars, save
from offline.transcription import parts
from tests.offline.pictures import leave_out_pictures
from tests.offline.songbook import library
from tests.offline.test_transcription_cli import licensed
from tests.offline.transcription_fakes import REASON, fake_ears, four_on_the_floor, song

BASS = [(2 * bar + 0.1, 2 * bar + 1.4, 36 + bar % 3) for bar in range(6)]


@pytest.fixture(autouse=True)
def fakes(monkeypatch):
    ears = fake_ears()
    monkeypatch.setattr(parts, "ears", lambda choice: ears)
    leave_out_pictures(monkeypatch)
    return ears


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    song(folder / "one.wav", four_on_the_floor(6), BASS, 13.0)
    song(folder / "two.wav", four_on_the_floor(4), length_s=9.0)
    licensed(folder, ("one.wav", "Ada", "CC0 1.0"), ("two.wav", "Bo", "CC BY 4.0"))
    return folder


def build(*words):
    return main(["dataset", "build", *map(str, words), "--quiet"])


def test_the_kept_bars_of_songs_come_in_with_their_seconds(album, tmp_path, capsys):
    assert build("--audio", album, "--out", tmp_path / "set") == 0
    bars = load_bars(tmp_path / "set")
    assert len(bars) == 5 + 3
    assert set(bars.origin.tolist()) == {"audio"}
    one = bars.take(bars.file == "album/one.wav")
    assert one.second.tolist() == [0, 4, 6, 8, 10]
    assert one.has_bass.all()
    assert set(one.author.tolist()) == {"Ada"}
    assert set(bars.song.tolist()) == {"album/one", "album/two"}
    assert np.allclose(bars.tempo_bpm, 120)
    with np.load(tmp_path / "set" / "songs" / "one" / "rolls.npz") as file:
        assert np.array_equal(np.round(file["rolls"] * 127), one.rolls)
    assert "8 bars with drums (8 of them heard in recordings)" in capsys.readouterr().out


def test_songs_and_notes_make_one_data_set(album, tmp_path):
    notes = library(tmp_path / "notes", 3)
    assert build(notes, "--out", tmp_path / "notes_only") == 0
    assert build(notes, "--audio", album, "--out", tmp_path / "both") == 0
    alone, both = load_bars(tmp_path / "notes_only"), load_bars(tmp_path / "both")
    assert len(both) == len(alone) + 8
    old = both.take(both.origin == "midi")
    assert np.array_equal(old.rolls, alone.rolls)
    assert set(old.second.tolist()) == {-1.0}
    assert {row["file"]: row["author"] for row in both.facts["sources"]}["album/two.wav"] == "Bo"


def test_folders_that_transcribe_wrote_are_taken_as_they_are(album, tmp_path, fakes):
    assert main(["transcribe", str(album), "--out", str(tmp_path / "heard"), "--quiet"]) == 0
    calls = fakes.drums.calls
    shutil.move(tmp_path / "heard", tmp_path / "elsewhere")
    assert build("--audio", tmp_path / "elsewhere", "--out", tmp_path / "one") == 0
    assert fakes.drums.calls == calls
    assert build("--audio", album, "--out", tmp_path / "two") == 0
    for name in ("bars.npz", "bars.csv", "sources.json", "report.md", "report.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_song_that_is_there_as_sound_and_transcribed_comes_in_once(album, tmp_path, fakes):
    for out in ("heard", "heard_again"):
        assert main(["transcribe", str(album / "one.wav"), "--out", str(tmp_path / out), "--quiet"]) == 0
    calls = fakes.drums.calls
    assert build("--audio", album, tmp_path / "heard", tmp_path / "heard_again", "--out", tmp_path / "set") == 0
    assert fakes.drums.calls == calls + 1
    assert len(load_bars(tmp_path / "set")) == 5 + 3


def test_a_transcribed_song_of_which_no_bar_is_kept_is_skipped_with_the_reason(album, tmp_path, capsys):
    song(album / "untrusted.wav", [(2.5, Lane.KICK), (3.9, Lane.KICK)], length_s=5.0)
    words = ["transcribe", str(album), "--out", str(tmp_path / "heard"), "--quiet", "--own-licence", "CC0"]
    assert main(words) == 1
    assert build("--audio", tmp_path / "heard", "--out", tmp_path / "set") == 0
    assert "skipped album/untrusted.wav: of the bars that were found in it none is kept" in capsys.readouterr().err


def test_the_report_says_who_heard_what_and_why_bars_are_left_out(album, tmp_path, capsys):
    song(album / "beatless.wav", [], [(0.5, 2.0, 40)], 3.0)
    assert build("--audio", album, "--out", tmp_path / "set", "--json", "--own-licence", "CC0") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["bars of audio"] == 8
    audio = report["audio"]
    assert (audio["songs"], audio["bars found"], audio["bars kept"]) == (2, 10, 8)
    assert audio["left out"] == {REASON: 2}
    assert (audio["separator"], audio["drums"], audio["bass"]) == ({"apart": 2}, {"read drums": 2}, {"read bass": 2})
    assert report["skipped"] == [["album/beatless.wav", "no beat was found in it."]]
    page = (tmp_path / "set" / "report.md").read_text()
    assert "drums by read drums (2)" in page
    assert f"| {REASON} | 2 |" in page


def test_the_licence_gate_stands_before_the_songs_too(album, tmp_path, capsys, fakes):
    song(album / "found.wav", four_on_the_floor(2))
    assert build("--audio", album, "--out", tmp_path / "set") == 1
    assert "found.wav" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()
    assert fakes.drums.calls == 0
    assert build("--audio", album, "--out", tmp_path / "set", "--allow-unknown") == 0
    assert load_bars(tmp_path / "set").facts["unknown licences allowed"] is True
    assert main(["transcribe", str(album), "--out", str(tmp_path / "heard"), "--quiet", "--allow-unknown"]) == 0
    assert build("--audio", tmp_path / "heard", "--out", tmp_path / "again") == 1, "what is unknown stays unknown"


def test_a_transcription_that_was_changed_by_hand_is_not_used(album, tmp_path, capsys):
    assert main(["transcribe", str(album), "--out", str(tmp_path / "heard"), "--quiet"]) == 0
    bars = tmp_path / "heard" / "two" / "bars.json"
    bars.write_text(bars.read_text().replace('"kept": false', '"kept": true'))
    assert build("--audio", tmp_path / "heard", "--out", tmp_path / "set") == 0
    assert "skipped album/two.wav: bars.json is not the file that was transcribed" in capsys.readouterr().err
    assert set(load_bars(tmp_path / "set").file.tolist()) == {"album/one.wav"}


@pytest.mark.parametrize(("words", "told"), [((), "--audio"), (("--audio", "nowhere"), "nowhere")])
def test_nothing_to_build_from_is_said(tmp_path, capsys, words, told):
    assert build(*words, "--out", tmp_path / "set") == 2
    assert told in capsys.readouterr().err


def test_a_data_set_from_before_there_were_songs_is_read(album, tmp_path):
    assert build(library(tmp_path / "notes", 1), "--out", tmp_path / "set") == 0
    bars = load_bars(tmp_path / "set")
    with np.load(tmp_path / "set" / BARS_FILE) as file:
        old = {name: file[name] for name in file.files if name not in {"bars/origin", "bars/second"}}
    np.savez_compressed(tmp_path / "set" / BARS_FILE, **old)
    again = load_bars(tmp_path / "set")
    save(tmp_path / "again", again)
    assert again.origin.tolist() == bars.origin.tolist() == ["midi"] * len(bars)
    assert again.second.tolist() == bars.second.tolist()
    assert len(load_bars(tmp_path / "again").take(np.array([0]))) == 1

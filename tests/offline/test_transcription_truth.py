"""The truth of judged songs: tempo from any track, lanes, one note at a time, bars; songs found in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from hitloopd.core.errors import ArgumentError
from hitloopd.core.pattern import Lane
from offline.audio import RATE
from offline.dataset.midi import read_midi
from offline.transcription.heard import BassNote
from offline.transcription.judging.judged import judged_songs
from offline.transcription.judging.truth import bass_line_of, even_truth, midi_truth, seconds_of, table_onsets
from tests.offline.songbook import CRASH, HAT, SNARE, TOM, hit, meter, tempo, track, write

BASS = {"channel": 1, "program": 38, "name": "bass"}


def song(folder: Path, drums, bass=((0, 1, 40, 90),), extra=()) -> Path:
    """A song whose tempo stands on the second track."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "truth.mid", track(bass, **BASS), track(drums, extra=extra, until=8))
    write(folder / "truth_bass.mid", track(bass, **BASS), track((), extra=extra, until=8))
    return folder


def truth_of(folder: Path):
    return midi_truth(folder / "truth.mid", folder / "truth_bass.mid")


def test_tempo_counts_from_whatever_track_it_stands_on(tmp_path) -> None:
    folder = song(tmp_path, [hit(0), hit(4, SNARE)], [(2, 3, 40, 100)], [tempo(60), tempo(120, 2)])
    truth = truth_of(folder)
    assert truth.times(Lane.SNARE) == pytest.approx([3.0])  # two beats of a second, two of half
    assert truth.bass is not None
    assert truth.bass[0].start_s == pytest.approx(2.0)
    assert truth.bass[0].end_s == pytest.approx(2.5)
    assert truth.bpm == pytest.approx(120)  # it lasts longer


def test_before_the_first_tempo_it_is_120(tmp_path) -> None:
    folder = song(tmp_path, [hit(2)], extra=[tempo(60, 1)])
    at = seconds_of(read_midi(folder / "truth.mid"))
    assert [at(0), at(480), at(960)] == pytest.approx([0.0, 0.5, 1.5])


def test_hits_go_to_the_lanes_of_the_general_midi_map_and_doubles_are_one(tmp_path) -> None:
    drums = [
        hit(0),
        hit(0, 35, 60),
        hit(1, SNARE),
        hit(1, CRASH),
        hit(2, HAT),
        hit(2, 44),
        hit(3, TOM),
        hit(3.5, 46, 5),
    ]
    truth = truth_of(song(tmp_path, drums, extra=[tempo(120)]))
    assert {lane: truth.times(lane) for lane in truth.lanes} == {
        Lane.KICK: [0.0],
        Lane.SNARE: [0.5],
        Lane.HIHAT: [1.0],
        Lane.CYMBAL: [0.5],  # the open hihat is too faint to sound
    }
    assert truth.others_s == pytest.approx([1.5])
    assert truth.merged == 2
    assert truth.hits[0].velocity == pytest.approx(100 / 127)  # the louder of the two


def test_a_bass_doubled_at_the_octave_is_one_line() -> None:
    notes = [BassNote(start, start + 1, pitch, 1.0, 1.0) for start in (0.0, 0.5) for pitch in (52, 40)]
    line = bass_line_of(notes)
    assert [(note.start_s, note.end_s, note.pitch) for note in line] == [(0.0, 0.5, 40), (0.5, 1.5, 40)]


def test_bars_follow_the_meter_and_say_which_are_no_whole_ones(tmp_path) -> None:
    truth = truth_of(song(tmp_path, [hit(0), hit(7)], extra=[tempo(120), meter(3, 4), meter(4, 4, 3)]))
    assert [bar.start_s for bar in truth.bars] == pytest.approx([0.0, 1.5, 3.5])
    assert [len(bar.beats_s) for bar in truth.bars] == [3, 4, 4]
    assert [bool(bar.reason) for bar in truth.bars] == [True, False, True]


def test_an_even_song_knows_only_the_lanes_of_its_table(tmp_path) -> None:
    table = tmp_path / "drum_elements.csv"
    table.write_text("time_s,class\n1.5,kick\n0.25,closed_hat\n0.5,kick\n")
    truth = even_truth(120, 2, table_onsets(table))
    assert truth.lanes == (Lane.KICK, Lane.HIHAT)
    assert truth.times(Lane.KICK) == [0.5, 1.5]
    assert truth.bass is None
    assert [bar.start_s for bar in truth.bars] == pytest.approx([0.0, 2.0])
    assert truth.end_s == pytest.approx(4.0)


def test_a_table_of_something_else_is_refused_in_one_line(tmp_path) -> None:
    table = tmp_path / "drum_elements.csv"
    table.write_text("time_s,class\n1.5,gong\n")
    with pytest.raises(ArgumentError, match=r"time_s and class"):
        table_onsets(table)


@pytest.fixture
def folder(tmp_path) -> Path:
    """One rendered song and one electronic song with a table of its elements; two kits of one-shots."""
    rendered = song(tmp_path / "songs" / "one", [hit(0), hit(1, SNARE), hit(2, HAT)], [(0, 1, 40, 90)], [tempo(120)])
    write(rendered / "truth_drums.mid", track([hit(0), hit(1, SNARE), hit(2, HAT)], extra=[tempo(120)], until=8))
    noise = np.random.default_rng(1).normal(0, 0.05, 2 * RATE).astype(np.float32)
    electronic = tmp_path / "songs" / "two"
    electronic.mkdir()
    for place, names in ((rendered, ("mix.ogg", "drums.ogg", "bass.ogg")), (electronic, ("mix.ogg", "drums.ogg"))):
        for name in names:
            soundfile.write(place / name, noise, RATE)
    soundfile.write(electronic / "drum_elements.flac", noise, RATE)
    (electronic / "drum_elements.csv").write_text("time_s,class\n0.5,kick\n")
    (tmp_path / "songs" / "MANIFEST.csv").write_text(
        "path,licence,note\n" + "".join(f"two/{name},CC0,bpm=120;1 bars\n" for name in ("mix.ogg", "drum_elements.csv"))
    )
    for kit in ("lm-2", "tr-505"):
        for kind in ("kick", "snare", "rim", "clap", "closed_hat", "open_hat", "cymbal", "tom", "perc"):
            place = tmp_path / "sounds" / kind / f"{kit}_{kind}.flac"
            place.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(place, noise[: RATE // 10], RATE)
    return tmp_path


def test_every_group_of_songs_is_found_and_rendered_once(folder) -> None:
    arguments = folder / "songs", folder / "sounds", folder / "work"
    songs = judged_songs(*arguments)
    assert [(one.name, one.group) for one in songs] == [
        ("one", "rendered"),
        ("one (lm-2)", "unseen"),
        ("one (tr-505)", "unseen"),
        ("two", "electronic"),
        ("two elements", "elements"),
        ("two elements in the mix", "elements in the mix"),
    ]
    assert songs[1].mix.parent != songs[2].mix.parent
    made = {path: path.stat().st_mtime_ns for path in (folder / "work").rglob("*.flac")}
    assert len(made) == 6
    judged_songs(*arguments)
    assert made == {path: path.stat().st_mtime_ns for path in (folder / "work").rglob("*.flac")}


def test_a_folder_without_truth_is_told(tmp_path) -> None:
    with pytest.raises(ArgumentError, match="no song with a known truth"):
        judged_songs(tmp_path, tmp_path, tmp_path / "work", ["rendered"])

from __future__ import annotations

import mido
import pytest

from hitloopd.core.errors import DeviceError, RangeError
from hitloopd.core.pattern import LANES, Lane, Note, Pattern
from hitloopd.core.request import Request
from hitloopd.core.routes import PRESETS, Curve, Route
from hitloopd.core.score import Score, ScoreNote
from hitloopd.generate.midifile import write_midi
from hitloopd.generate.rules import Rules


def read(path) -> dict[str, list[tuple[int, str, int, int]]]:
    """Track name -> (tick, kind, note, velocity)."""
    out = {}
    for track in mido.MidiFile(path).tracks:
        at, rows = 0, []
        for message in track:
            at += message.time
            if not message.is_meta:
                rows.append((at, message.type, message.note, message.velocity))
        out[track.name] = rows
    return out


def test_a_bar_reads_back_note_by_note(tmp_path):
    path = tmp_path / "a.mid"
    bar = Pattern((Note(0, Lane.KICK, velocity=1.0), Note(486, Lane.SNARE, velocity=0.5), Note(0, Lane.BASS, 7, 200)))
    write_midi(path, [bar, bar], bpm=174.0)
    tracks = read(path)
    assert tracks["kick"] == [
        (0, "note_on", 36, 127),
        (60, "note_off", 36, 0),
        (1920, "note_on", 36, 127),
        (1980, "note_off", 36, 0),
    ]
    assert tracks["snare"][:2] == [(486, "note_on", 38, 64), (546, "note_off", 38, 0)]
    assert tracks["bass"][:2] == [(0, "note_on", 43, 102), (200, "note_off", 43, 0)]


def test_the_file_says_tempo_metre_resolution_and_names(tmp_path):
    path = tmp_path / "a.mid"
    write_midi(path, [Pattern((Note(0, Lane.KICK),))] * 3, bpm=174.0)
    file = mido.MidiFile(path)
    assert (file.type, file.ticks_per_beat) == (1, 480)
    assert [track.name for track in file.tracks] == ["hitloopd", "kick", "snare", "hihat", "cymbal", "bass"]
    metas = {message.type: message for message in file.tracks[0]}
    assert mido.tempo2bpm(metas["set_tempo"].tempo) == pytest.approx(174.0, abs=1e-3)
    assert (metas["time_signature"].numerator, metas["time_signature"].denominator) == (4, 4)
    assert {sum(message.time for message in track) for track in file.tracks} == {3 * 1920}
    assert {m.channel for t in file.tracks for m in t if not m.is_meta} == {9}


@pytest.mark.parametrize("style", Rules.styles)
def test_no_note_is_lost_none_sticks_and_off_comes_before_on(style, tmp_path):
    bars = [Rules().generate(Request("rules", seed, style)).at(0.9) for seed in range(4)]
    path = tmp_path / "a.mid"
    write_midi(path, bars, bpm=124.0)
    tracks = read(path)
    for lane in LANES:
        wanted = {
            (max(index * 1920 + note.start_ticks, 0), bar.root + note.pitch if lane is Lane.BASS else 0)
            for index, bar in enumerate(bars)
            for note in bar.lane(lane)
        }
        got = [
            (tick, note if lane is Lane.BASS else 0) for tick, kind, note, _ in tracks[lane.value] if kind == "note_on"
        ]
        assert sorted(got) == sorted(wanted)
        sounding: set[int] = set()
        for _, kind, note, _ in tracks[lane.value]:
            if kind == "note_on":
                assert not sounding  # one voice a lane: the last one was let go
                sounding.add(note)
            else:
                sounding.remove(note)
        assert not sounding


def test_overlapping_notes_are_cut_and_doubles_are_one(tmp_path):
    path = tmp_path / "a.mid"
    long = Note(0, Lane.BASS, 0, 4000)
    bar = Pattern((long, Note(480, Lane.BASS, 0, 100), Note(480, Lane.BASS, 0, 100, 0.4)))
    write_midi(path, [bar], bpm=120.0)
    assert read(path)["bass"] == [
        (0, "note_on", 36, 102),
        (480, "note_off", 36, 0),
        (480, "note_on", 36, 102),
        (580, "note_off", 36, 0),
    ]


def test_a_note_ahead_of_the_first_bar_line_is_kept(tmp_path):
    path = tmp_path / "a.mid"
    bar = Pattern((Note(-10, Lane.KICK),))
    write_midi(path, [bar, bar], bpm=120.0)
    assert [row[0] for row in read(path)["kick"] if row[1] == "note_on"] == [0, 1910]


def test_a_score_is_written_with_its_groove(tmp_path):
    path = tmp_path / "a.mid"
    score = Score((ScoreNote(0, Lane.BASS, 0.8, 40, 100), ScoreNote(147, Lane.HIHAT, 0.6, 0, 60)), "x")
    write_midi(path, [score], bpm=120.0)
    tracks = read(path)
    assert tracks["bass"][0] == (0, "note_on", 40, 102)
    assert tracks["hihat"][0] == (147, "note_on", 42, 76)


def test_routes_give_channel_note_gate_curve_and_transpose(tmp_path):
    path = tmp_path / "a.mid"
    routes = {
        Lane.KICK: Route(3, 60, gate=0.5, curve=Curve.FIXED),
        Lane.BASS: Route(2, transpose=-12),
    }
    write_midi(path, [Pattern((Note(0, Lane.KICK), Note(0, Lane.BASS), Note(0, Lane.SNARE)))], bpm=120.0, routes=routes)
    tracks = read(path)
    assert tracks["kick"] == [(0, "note_on", 60, 100), (30, "note_off", 60, 0)]
    assert tracks["bass"][0] == (0, "note_on", 24, 102)
    assert "snare" not in tracks
    assert [m.channel for m in mido.MidiFile(path).tracks[1] if not m.is_meta] == [2, 2]


def test_no_bars_is_an_empty_song(tmp_path):
    path = tmp_path / "a.mid"
    write_midi(path, [], bpm=120.0, routes=PRESETS["live"])
    assert all(not rows for rows in read(path).values())


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(DeviceError, match="can't be written"):
        write_midi(tmp_path / "no" / "such" / "a.mid", [], bpm=120.0)
    with pytest.raises(RangeError, match="bpm"):
        write_midi(tmp_path / "a.mid", [], bpm=10.0)

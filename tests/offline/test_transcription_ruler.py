"""Bars that were found as a MIDI file: its bar lines are theirs, and what was heard lies where it was heard."""

from __future__ import annotations

from itertools import pairwise

import mido
import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from hitloopd.core.time import TICKS_PER_BAR
from offline.dataset.bars import bar_grid
from offline.dataset.encoder import cut_song
from offline.dataset.midi import read_midi
from offline.transcription.heard import BassNote, DrumHit, FoundBar
from offline.transcription.midi_out import midi_file
from offline.transcription.ruler import ruler

NEAREST_S = 0.0006  # half a tick at 100 BPM


def bars_from(start_s: float, count: int, beat_s: float = 0.48, drift_s: float = 0.0, beats: int = 4) -> list[FoundBar]:
    """Bars one after the other, each slower by ``drift_s`` a beat."""
    found, at = [], start_s
    for number in range(count):
        own_s = beat_s + drift_s * number
        found.append(FoundBar(at, at + beats * own_s, tuple(at + beat * own_s for beat in range(beats)), 1.0))
        at = found[-1].end_s
    return found


def written(path, bars, hits=(), notes=(), length_s=None):
    lines = ruler(bars, bars[-1].end_s + 1 if length_s is None else length_s)
    path.write_bytes(midi_file("a song für ü", lines, hits, notes))
    return lines


def seconds_of_notes(path, channel):
    """When a player plays the notes of a channel: (start, end, pitch, velocity)."""
    now, held, played = 0.0, {}, []
    for message in mido.MidiFile(path, charset="utf-8"):
        now += message.time
        if message.type == "note_on" and message.channel == channel and message.velocity:
            held[message.note] = (now, message.velocity)
        elif message.type in {"note_on", "note_off"} and message.channel == channel:
            start, velocity = held.pop(message.note)
            played.append((start, now, message.note, velocity))
    return played


CASES = {
    "from the first sample": bars_from(0.0, 6),
    "nearly from the first sample": bars_from(0.004, 6),
    "an upbeat before": bars_from(0.2, 6),
    "half a beat and a bit before": bars_from(0.37, 6),
    "a free intro": bars_from(17.77, 6),
    "getting slower": bars_from(1.3, 40, drift_s=0.002),
    "a break between": bars_from(0.3, 5) + bars_from(0.3 + 5 * 1.92 + 7.31, 5, 0.5),
    "a breath between": bars_from(0.0, 5) + bars_from(5 * 1.92 + 0.013, 5),
    "a bar of three between": bars_from(0.0, 4) + bars_from(4 * 1.92, 1, beats=3) + bars_from(4 * 1.92 + 1.44, 4),
}


@pytest.mark.parametrize("bars", CASES.values(), ids=CASES)
def test_every_bar_found_is_a_bar_of_the_file_and_sounds_where_it_was_found(tmp_path, bars):
    hits = [DrumHit(at, Lane.KICK, 0.8, 1.0) for bar in bars for at in bar.beats_s]
    lines = written(tmp_path / "x.mid", bars, hits)
    song = read_midi(tmp_path / "x.mid")
    grid = bar_grid(song)
    for tick, bar in zip(lines.bar_ticks, bars, strict=True):
        own = grid.bars[grid.at(tick)]
        assert own.start == tick
        assert own.length == len(bar.beats_s) * TICKS_PER_BAR / 4
        assert own.usable == (len(bar.beats_s) == 4)
    heard = np.array([start for start, *_ in seconds_of_notes(tmp_path / "x.mid", 9)])
    first = bars[0].beats_s[0]
    wanted = np.array([hit.time_s for hit in hits])
    shifted = first if 0 < first < 0.004 + 1e-9 else 0.0  # too short to be counted: it goes to the first beat
    assert np.abs(heard - wanted).max() <= NEAREST_S + shifted


def test_the_tempo_is_that_of_the_beats_and_near_it_where_nothing_was_found(tmp_path):
    bars = CASES["a break between"]
    written(tmp_path / "x.mid", bars, [DrumHit(bars[0].start_s, Lane.KICK, 0.8, 1.0)])
    tempos = [bpm for _, bpm in read_midi(tmp_path / "x.mid").tempos]
    assert {round(bpm, 1) for bpm in tempos} >= {125.0, 120.0}
    assert all(110 < bpm < 140 for bpm in tempos)


def test_rounding_never_adds_up():
    bars = bars_from(0.0, 4000, 60 / 174.3)
    lines = ruler(bars, bars[-1].end_s)
    ticks = [*(tempo.tick for tempo in lines.tempos()), lines.end]
    spans = zip(pairwise(ticks), lines.tempos(), strict=True)
    whole_us = sum((after - before) / 480 * tempo.beat_us for (before, after), tempo in spans)
    assert abs(whole_us / 1e6 - bars[-1].end_s) < 2e-6


def test_the_lanes_are_named_tracks_with_general_midi_notes(tmp_path):
    bars = bars_from(0.0, 2)
    hits = [DrumHit(0.1 * n, lane, 0.2 * (n + 1), 1.0) for n, lane in enumerate(list(Lane)[:4])]
    written(tmp_path / "x.mid", bars, hits, [BassNote(0.5, 0.75, 33, 0.5, 1.0)])
    file = mido.MidiFile(tmp_path / "x.mid", charset="utf-8")
    assert file.type == 1
    assert [track.name for track in file.tracks] == ["a song für ü", "kick", "snare", "hihat", "cymbal", "bass"]
    drums = seconds_of_notes(tmp_path / "x.mid", 9)
    assert sorted((note, velocity) for _, _, note, velocity in drums) == [(36, 25), (38, 51), (42, 76), (46, 102)]
    ((start, end, pitch, velocity),) = seconds_of_notes(tmp_path / "x.mid", 0)
    assert (round(start, 2), round(end, 2), pitch, velocity) == (0.5, 0.75, 33, 64)
    assert read_midi(tmp_path / "x.mid").program_at(0, 0) == 33


def test_micro_timing_is_kept_to_the_tick(tmp_path):
    bars = bars_from(0.0, 3, 0.5)
    late = [DrumHit(0.5 * beat + 0.017, Lane.HIHAT, 0.8, 1.0) for beat in range(12)]
    early = [DrumHit(2.0 - 0.012, Lane.KICK, 0.8, 1.0)]
    written(tmp_path / "x.mid", bars, sorted(late + early))
    song = cut_song(read_midi(tmp_path / "x.mid"))
    assert {hit.start_ticks % 480 for bar in song.bars for hit in bar.hits if hit.row == 2} == {16}
    assert [(bar.index, hit.step, hit.start_ticks) for bar in song.bars for hit in bar.hits if hit.row == 0] == [
        (1, 0, -12)
    ]


def test_hits_of_one_tick_are_one_and_none_lasts_into_the_next(tmp_path):
    hits = [DrumHit(at, Lane.SNARE, velocity, 1.0) for at, velocity in ((0.1, 0.3), (0.1001, 0.9), (0.13, 0.5))]
    written(tmp_path / "x.mid", bars_from(0.0, 1), hits)
    played = seconds_of_notes(tmp_path / "x.mid", 9)
    assert [velocity for *_, velocity in played] == [114, 64]
    assert played[0][1] <= played[1][0]


def test_what_lies_beyond_the_bars_is_in_the_file_too(tmp_path):
    bars = bars_from(4.0, 2, 0.5)
    hits = [DrumHit(at, Lane.KICK, 0.8, 1.0) for at in (0.0, 1.111, 8.7, 11.5)]
    lines = written(tmp_path / "x.mid", bars, hits, length_s=12.0)
    heard = [start for start, *_ in seconds_of_notes(tmp_path / "x.mid", 9)]
    assert np.allclose(heard, [0.0, 1.111, 8.7, 11.5], atol=NEAREST_S)
    assert mido.MidiFile(tmp_path / "x.mid").length == pytest.approx(12.0, abs=0.001)
    assert lines.tick(99.0) == lines.end

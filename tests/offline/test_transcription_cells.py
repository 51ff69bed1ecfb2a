"""Cells: the same as the data sets' encoder draws them, and bars that are found in the wrong place."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.pattern import LANES, Lane
from offline.dataset.encoder import cut_song
from offline.dataset.midi import read_midi
from offline.dataset.store import draw
from offline.grid import grid
from offline.transcription.cells import cell_tally, cells_of, found_bars_tally, lane_tallies
from offline.transcription.heard import BassNote, DrumHit, FoundBar
from offline.transcription.judging.scores import Tally
from offline.transcription.judging.truth import midi_truth
from tests.offline.songbook import CRASH, HAT, SNARE, STEP, hit, tempo, track, write

FOUR_BARS = [FoundBar(2.0 * n, 2.0 * n + 2, tuple(2.0 * n + 0.5 * beat for beat in range(4)), 1.0) for n in range(4)]


def marked(cells) -> list[tuple[int, int, str]]:
    return [(int(bar), int(cell), LANES[lane].value) for bar, cell, lane in np.argwhere(cells)]


def test_cells_are_those_that_the_encoder_draws(tmp_path) -> None:
    draw_at = np.random.default_rng(5)
    beats = np.sort(draw_at.uniform(0, 14.5, 40))
    drums = [hit(float(beat), int(draw_at.choice([36, SNARE, HAT, CRASH]))) for beat in beats]
    drums += [hit(3 + 29.4 * STEP), hit(8 - STEP)]  # early for the next bar line
    bass = [
        (float(beat), float(beat) + 1.4, int(draw_at.integers(30, 44)), 90) for beat in beats[::4]
    ]  # held over bar lines, too
    line = track(bass, channel=1, name="bass", program=38)
    path = write(tmp_path / "song.mid", track(drums, extra=[tempo(93)], until=16), line)
    truth = midi_truth(path, write(tmp_path / "bass.mid", line, track((), extra=[tempo(93)], until=16)))
    drawn = cut_song(read_midi(path))
    cells = cells_of(truth.hits, _as_written(bass, 93), truth.bars)
    assert [bar.index for bar in drawn.bars] == [0, 1, 2, 3]
    np.testing.assert_array_equal(cells, grid(draw([bar.hits for bar in drawn.bars])))


def _as_written(bass, bpm: float) -> list[BassNote]:
    return [BassNote(start * 60 / bpm, end * 60 / bpm, pitch, 1.0, 1.0) for start, end, pitch, _ in bass]


def test_a_hit_just_before_the_bar_line_is_the_next_downbeat() -> None:
    hits = [DrumHit(1.97, Lane.KICK, 1.0, 1.0), DrumHit(1.9, Lane.SNARE, 1.0, 1.0)]
    assert marked(cells_of(hits, [], FOUR_BARS)) == [(0, 15, "snare"), (1, 0, "kick")]


def test_beats_may_last_differently() -> None:
    slow = [FoundBar(0.0, 4.0, (0.0, 1.5, 2.0, 3.0), 1.0)]
    hits = [DrumHit(time, Lane.KICK, 1.0, 1.0) for time in (0.75, 1.5, 3.5)]
    assert marked(cells_of(hits, [], slow)) == [(0, 2, "kick"), (0, 4, "kick"), (0, 14, "kick")]


def test_a_held_bass_note_begins_every_bar_it_reaches() -> None:
    notes = [BassNote(1.0, 5.0, 40, 1.0, 1.0), BassNote(5.0, 6.0, 41, 1.0, 1.0)]
    assert marked(cells_of([], notes, FOUR_BARS)) == [(0, 8, "bass"), (1, 0, "bass"), (2, 0, "bass"), (2, 8, "bass")]


def test_what_lies_outside_all_bars_has_no_cell() -> None:
    hits = [DrumHit(0.5, Lane.KICK, 1.0, 1.0), DrumHit(9.0, Lane.KICK, 1.0, 1.0)]
    assert not cells_of(hits, [BassNote(0.1, 0.2, 40, 1.0, 1.0)], FOUR_BARS[1:]).any()


@pytest.fixture
def cells():
    drawn = np.zeros((3, 16, 5), np.bool_)
    drawn[:, ::4, 0] = True
    return drawn


def test_cells_are_counted_lane_by_lane(cells) -> None:
    other = cells.copy()
    other[0, 0, 0] = False
    other[0, 1, 4] = True
    assert cell_tally(cells, other) == Tally(12, 12, 11)
    assert lane_tallies(cells, other)[Lane.BASS] == Tally(1, 0, 0)


def test_bars_that_begin_elsewhere_are_false_and_missed(cells) -> None:
    starts = [0.0, 2.0, 4.0]
    assert found_bars_tally(cells, starts, cells, [0.05, 1.95, 4.0]) == Tally(12, 12, 12)
    assert found_bars_tally(cells, starts, cells, [0.5, 2.5, 4.5]) == Tally(12, 12, 0)
    assert found_bars_tally(cells, starts, cells[:2], [0.0, 2.0]) == Tally(8, 12, 8)
    assert found_bars_tally(cells, starts, cells[:0], []) == Tally(0, 12, 0)

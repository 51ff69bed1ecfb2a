"""Every rule of the encoding, on songs of a few notes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitloopd.generate.roll import BASS_ROW, MIN_DRUM_STEPS
from offline.dataset.encoder import CutSong, Hit, cut_file, cut_song
from offline.dataset.midi import Heard, MidiSong
from offline.dataset.store import draw
from offline.grid import FAINTEST, onsets, sounding
from offline.measures import unqualified_notes
from tests.offline.songbook import CRASH, HAT, KICK, SNARE, STEP, TOM, hit, meter, tempo, track, write


def cut(tmp_path: Path, *tracks, ticks: int = 480) -> CutSong:
    return cut_file(write(tmp_path / "song.mid", *tracks, ticks=ticks))


def drums(tmp_path: Path, *hits, until: float = 8.0, extra=()) -> CutSong:
    return cut(tmp_path, track(hits, until=until, extra=extra))


def spans(song: CutSong, bar: int = 0) -> list[tuple[int, int]]:
    return [(h.step, h.step + h.steps) for h in song.bars[bar].hits]


def with_bass(tmp_path: Path, *line, until: float = 8.0, **voice) -> CutSong:
    voice = {"channel": 1, "program": 33, **voice}
    beats = [hit(beat, KICK) for beat in range(int(until))]
    return cut(tmp_path, track(beats, until=until), track(line, **voice))


def bass_of(song: CutSong, bar: int = 0) -> list[tuple[int, int, int]]:
    return [(h.step, h.step + h.steps, h.row - BASS_ROW) for h in song.bars[bar].hits if h.row >= BASS_ROW]


# --- drum lanes -------------------------------------------------------------------------------------------------------


def test_the_lanes_follow_the_drum_map_and_the_rest_is_counted(tmp_path):
    lanes = {0: (35, 36), 1: (37, 38, 39, 40), 2: (42, 44), 3: (46, 49, 51, 52, 53, 55, 57, 59)}
    for row, pitches in lanes.items():
        for pitch in pitches:
            song = drums(tmp_path, hit(1, pitch))
            assert [h.row for h in song.bars[0].hits] == [row], pitch
    song = drums(tmp_path, hit(0), hit(1, TOM), hit(2, TOM), hit(3, 56))
    assert song.dropped == {TOM: 2, 56: 1}
    assert len(song.bars[0].hits) == 1


def test_other_channels_are_no_drums(tmp_path):
    song = cut(tmp_path, track([hit(0)], until=4), track([hit(1, SNARE)], channel=3))
    assert [h.row for h in song.bars[0].hits] == [0]


# --- where and how long ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("beat", "step"), [(0, 0), (0.5 * STEP - 0.001, 0), (0.5 * STEP + 0.001, 1), (2.25, 72)])
def test_a_hit_goes_to_its_nearest_step(tmp_path, beat, step):
    assert drums(tmp_path, hit(beat)).bars[0].hits[0].step == step


def test_a_hit_lasts_four_steps_or_as_written(tmp_path):
    song = drums(tmp_path, hit(0, length=STEP), hit(1, length=9 * STEP))
    assert spans(song) == [(0, 4), (32, 41)]


def test_a_hit_ends_one_step_before_the_next_where_that_leaves_four(tmp_path):
    song = drums(tmp_path, hit(0, length=1), hit(5 * STEP, 35, length=1), hit(12 * STEP, CRASH))
    assert spans(song) == [(0, 4), (5, 37), (12, 16)]
    song = drums(tmp_path, hit(0, length=1), hit(12 * STEP, 35))
    assert spans(song) == [(0, 11), (12, 16)]


def test_a_roll_of_32nds_runs_through_as_one_note_that_is_long_enough(tmp_path):
    song = drums(tmp_path, *(hit(4 * STEP * index, velocity=40 + index) for index in range(4)))
    assert spans(song) == [(0, 4), (4, 8), (8, 12), (12, 16)]
    assert unqualified_notes(draw([song.bars[0].hits])).tolist() == [0]


def test_hits_less_than_two_steps_apart_are_one_as_loud_as_the_louder(tmp_path):
    song = drums(tmp_path, hit(0, velocity=30), hit(STEP, velocity=90), hit(1), hit(1 + 2 * STEP))
    assert [(h.step, h.velocity) for h in song.bars[0].hits] == [(0, 90), (32, 100), (34, 100)]
    assert song.bars[0].hits[0].start_ticks == 15, "it is timed as the louder"
    assert song.counts["hits merged"] == 1


def test_two_instruments_of_a_lane_are_one_hit_and_two_lanes_are_two(tmp_path):
    song = drums(tmp_path, hit(0, 35), hit(0, 36), hit(0, SNARE), hit(0, HAT), hit(0, CRASH))
    assert [h.row for h in song.bars[0].hits] == [0, 1, 2, 3]


def test_a_faint_hit_is_drawn_as_the_faintest_note_and_kept_as_played(tmp_path):
    song = drums(tmp_path, hit(0, velocity=3))
    assert song.bars[0].hits[0].velocity == 3
    assert draw([song.bars[0].hits])[0, 0, 0] == FAINTEST
    assert sounding(draw([song.bars[0].hits]))[0, 0, 0]


# --- around the bar line ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps_early", [1, 2, 3])
def test_a_hit_in_the_last_three_steps_is_the_next_downbeat(tmp_path, steps_early):
    song = drums(tmp_path, hit(0), hit(4 - steps_early * STEP))
    assert [h.step for h in song.bars[0].hits] == [0]
    assert [(h.step, h.start_ticks) for h in song.bars[1].hits] == [(0, -15 * steps_early)]
    assert song.counts["early downbeats"] == 1


def test_the_fourth_step_before_the_line_still_belongs_to_its_bar(tmp_path):
    song = drums(tmp_path, hit(4 - 4 * STEP, length=2))
    assert len(song.bars) == 1
    assert spans(song) == [(124, 128)], "and is cut at the line"


def test_a_drum_held_over_the_bar_line_is_no_hit_of_the_next_bar(tmp_path):
    song = drums(tmp_path, hit(3, CRASH, length=3), hit(5, KICK))
    assert spans(song) == [(96, 128)]
    assert [h.row for h in song.bars[1].hits] == [0]


def test_a_bass_note_held_over_the_bar_line_begins_the_next_bar(tmp_path):
    song = with_bass(tmp_path, hit(3, 40, length=6.5), until=12)
    assert [bass_of(song, bar) for bar in range(3)] == [[(96, 128, 0)], [(0, 128, 0)], [(0, 48, 0)]]
    assert [h.start_ticks for h in song.bars[1].hits if h.row >= BASS_ROW] == [0]
    assert [h.length_ticks for h in song.bars[2].hits if h.row >= BASS_ROW] == [720]


def test_a_bass_note_that_ends_on_the_line_stays_in_its_bar(tmp_path):
    song = with_bass(tmp_path, hit(3, 40, length=1.0 + 0.4 * STEP))
    assert song.bars[0].root == 40
    assert song.bars[1].root == -1


def test_an_early_downbeat_with_no_bar_to_go_to_is_counted(tmp_path):
    song = drums(tmp_path, hit(0), hit(4 - STEP), until=4.0)
    assert len(song.bars) == 1
    assert song.counts["drum hits outside 4/4"] == 1


# --- bass ------------------------------------------------------------------------------------------------------------


def test_repeated_bass_notes_stay_apart_and_different_ones_may_touch(tmp_path):
    song = with_bass(tmp_path, hit(0, 40, length=1), hit(1, 40, length=1), hit(2, 43, length=0.5))
    assert bass_of(song) == [(0, 31, 0), (32, 64, 0), (64, 80, 3)]


def test_a_short_bass_note_stays_short(tmp_path):
    assert bass_of(with_bass(tmp_path, hit(0, 40, length=2 * STEP))) == [(0, 2, 0)]


def test_the_root_is_what_the_bar_stands_on_and_lower_notes_are_folded_up(tmp_path):
    song = with_bass(tmp_path, hit(0, 45, length=2), hit(2, 43, length=0.5), hit(3, 45 + 17, length=0.5))
    assert song.bars[0].root == 45
    assert [row for _, _, row in bass_of(song)] == [0, 5, 10], "a tone below becomes ten above, seventeen above five"
    assert song.counts["bass notes folded"] == 2


def test_the_first_note_counts_twice_for_the_root_and_the_octave_is_the_lowest(tmp_path):
    song = with_bass(tmp_path, hit(0, 52, length=0.6), hit(1, 43, length=1), hit(3, 40, length=0.1))
    assert song.bars[0].root == 40
    assert sorted(row for _, _, row in bass_of(song)) == [0, 3, 12]


@given(st.lists(st.integers(0, 127), min_size=1, max_size=12))
def test_every_line_folds_into_the_sixteen_rows_with_its_notes_kept(pitches):
    song = MidiSong(480, end=1920)
    song.programs[1] = [(0, 33)]
    song.notes = [Heard(0, 10, KICK, 90, 9, 0)]
    song.notes += [Heard(120 * index, 120 * index + 100, pitch, 90, 1, 1) for index, pitch in enumerate(pitches)]
    bar = cut_song(song).bars[0]
    bass = [h for h in bar.hits if h.row >= BASS_ROW]
    assert bar.root in pitches
    assert all(BASS_ROW <= h.row < 20 for h in bass)
    assert sorted((bar.root + h.row - BASS_ROW) % 12 for h in bass) == sorted(p % 12 for p in pitches)


@pytest.mark.parametrize(
    ("voice", "rule"),
    [
        ({"program": 32}, "name or program"),
        ({"program": 39}, "name or program"),
        ({"program": 81, "name": "Sub 1"}, "name or program"),
        ({"program": 81, "name": "BooBass (MIDI)"}, "name or program"),
        ({"program": None, "channel": 1}, "channel"),
    ],
)
def test_a_bass_is_known_by_program_name_or_channel(tmp_path, voice, rule):
    song = with_bass(tmp_path, hit(0, 40, length=1), **voice)
    assert song.bass_rule == rule
    assert song.bars[0].root == 40


@pytest.mark.parametrize("name", ["Bassoon", "bass drum", "Lead", "absurd"])
def test_other_names_are_no_bass(tmp_path, name):
    song = with_bass(tmp_path, hit(0, 60, length=1), program=81, channel=4, name=name)
    assert song.bass_rule == ""
    assert song.bars[0].root == -1


def test_a_melody_on_channel_2_is_no_bass(tmp_path):
    assert with_bass(tmp_path, hit(0, 56, length=1), program=None, channel=1).bass_rule == ""
    assert with_bass(tmp_path, hit(0, 55, length=1), program=None, channel=1).bass_rule == "channel"


def test_without_any_sign_the_lowest_single_voice_is_the_bass(tmp_path):
    low = track([hit(beat, 38, length=0.9) for beat in range(8)], channel=4, program=81)
    high = track([hit(beat, 50, length=0.9) for beat in range(8)], channel=5, program=81)
    chords = [hit(beat, pitch, length=0.9) for beat in range(8) for pitch in (24, 28, 31)]
    song = cut(tmp_path, track([hit(0), hit(4)], until=8), high, track(chords, channel=6, program=81), low)
    assert song.bass_rule == "lowest"
    assert song.bars[0].root == 38


def test_the_name_of_a_file_of_one_track_is_no_voice(tmp_path):
    every = track([hit(beat, 60, length=0.9) for beat in range(8)], channel=4, program=81, name="Bassline blues")
    every[:0] = [message for message in track([hit(0)]) if message.type.startswith("note")]
    assert cut(tmp_path, every).bass_rule == ""


# --- bars, meters, tempo ----------------------------------------------------------------------------------------------


def test_only_whole_bars_of_four_four_are_taken_and_the_grid_follows_the_meter(tmp_path):
    changes = [meter(4, 4), meter(3, 4, 4.0), meter(4, 4, 7.0)]
    song = drums(tmp_path, hit(0), hit(4, SNARE), hit(5, SNARE), hit(7), hit(8, HAT), until=11, extra=changes)
    assert [bar.index for bar in song.bars] == [0, 2]
    assert [(h.row, h.step) for h in song.bars[1].hits] == [(0, 0), (2, 32)]
    assert song.counts["odd bars"] == 1
    assert song.counts["drum hits outside 4/4"] == 2


def test_a_bar_that_a_meter_change_cuts_short_is_not_taken(tmp_path):
    song = drums(tmp_path, hit(0), hit(4), hit(6), until=10, extra=[meter(4, 4), meter(2, 4, 6.0), meter(4, 4, 10.0)])
    assert [bar.index for bar in song.bars] == [0]


def test_a_repeated_meter_changes_nothing(tmp_path):
    song = drums(tmp_path, hit(0), hit(5), until=8, extra=[meter(4, 4), meter(4, 4, 2.0)])
    assert [bar.index for bar in song.bars] == [0, 1]


def test_a_last_bar_counts_when_the_file_goes_on_into_its_last_beat(tmp_path):
    assert len(drums(tmp_path, hit(0), hit(3.5), until=3.6).bars) == 1
    assert not drums(tmp_path, hit(0), hit(2.5), until=2.6).bars


def test_bars_without_drums_are_counted(tmp_path):
    song = drums(tmp_path, hit(0), hit(8), until=12)
    assert [bar.index for bar in song.bars] == [0, 2]
    assert song.counts["bars without drums"] == 1


def test_the_tempo_may_stand_in_any_track(tmp_path):
    late = track(channel=2, extra=[tempo(90), tempo(150, 4.0)])
    song = cut(tmp_path, track([hit(0), hit(4)], until=8), late)
    assert [round(bar.bpm) for bar in song.bars] == [90, 150]


def test_another_time_base_gives_the_same_bars(tmp_path):
    fine = cut(tmp_path, track([hit(0), hit(1.5, SNARE), hit(3, length=0.5)], until=4))
    coarse = MidiSong(96, end=4 * 96)
    beats = ((0, 0.125, KICK), (1.5, 1.625, SNARE), (3, 3.5, KICK))
    coarse.notes = [Heard(round(a * 96), round(b * 96), pitch, 100, 9, 0) for a, b, pitch in beats]
    assert cut_song(coarse).bars[0].hits == fine.bars[0].hits


@pytest.mark.parametrize(
    ("pitches", "key"), [((48, 50, 52, 53, 55, 57, 59, 48, 48), "C"), ((57, 59, 60, 62, 64, 65, 67, 57, 57, 64), "Am")]
)
def test_the_key_is_estimated_where_the_file_says_none(tmp_path, pitches, key):
    tune = [hit(0.5 * index, pitch, length=0.5) for index, pitch in enumerate(pitches * 2)]
    assert cut(tmp_path, track([hit(0)], until=16), track(tune, channel=3, program=81)).key == key


# --- what comes out is what went in ----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 120), st.integers(1, 40), st.integers(1, 127)),
        min_size=1,
        max_size=40,
    )
)
def test_the_roll_shows_every_hit_and_none_too_short(notes):
    song = MidiSong(480, end=1920)
    pitches = (KICK, SNARE, HAT, CRASH)
    song.notes = [Heard(15 * s, 15 * (s + n), pitches[row], v, 9, 0) for row, s, n, v in sorted(notes)]
    hits = cut_song(song).bars[0].hits
    roll = draw([hits])
    assert unqualified_notes(roll).tolist() == [0]
    starts = {(h.row, h.step) for h in hits}
    assert {(row, step) for row, step, _, _ in notes} >= starts
    shown = {(int(row), int(step)) for _, step, row in zip(*onsets(roll).nonzero(), strict=True)}
    assert shown <= starts
    apart = {(h.row, h.step) for h in hits if not _near(h, hits)}
    assert shown >= apart, "a hit with room before it is an onset of the roll"
    assert all(roll[0, h.step, h.row] == max(h.velocity, FAINTEST) for h in hits)


def _near(one: Hit, hits: tuple[Hit, ...]) -> bool:
    return any(h.row == one.row and 0 < one.step - h.step <= MIN_DRUM_STEPS for h in hits)

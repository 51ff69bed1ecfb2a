"""Lessons in drum parts, and that they teach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hitloopd.core.pattern import DRUM_LANES, Lane
from offline.transcription.drums.alike import SEEN
from offline.transcription.drums.bar_grid import CELLS, CHANNELS, LANES, NONE, SURE, BarGrid, laid
from offline.transcription.drums.part_lessons import (
    ODDS,
    SIZE,
    THERE,
    PartLesson,
    bars_of,
    batch,
    bent,
    part_lesson,
    true_cells,
)
from offline.transcription.drums.sounds import LENGTH, as_array
from offline.transcription.heard import DrumHit, DrumsHeard, FoundBar
from offline.transcription.judging.scores import Tally
from offline.transcription.learn_parts import (
    LEASTS,
    clearly_better,
    compared,
    least_likely,
    likely,
    seen_again,
    strangers,
    teach,
    untaught,
    worth,
)
from offline.transcription.learning import Course
from offline.transcription.lessons.make import Lesson
from offline.transcription.lessons.score import DrumNote, Score
from offline.transcription.lessons.whole import with_hands

ROWS = 10


def lesson(seed: int, rows: int = ROWS) -> PartLesson:
    """Snares on the second and fourth beat, and as many candidates as likely that are none."""
    draw = np.random.default_rng(seed)
    truth = np.zeros((LANES, rows, CELLS), np.bool_)
    truth[0, :, [0, 24]] = True
    truth[1, :, [12, 36]] = True
    there = truth | (draw.random(truth.shape) < 0.05)
    odds = np.where(there, draw.normal(0.0, 1.0, truth.shape), -SURE)
    sight = np.concatenate([odds / SURE, there, np.where(there, 0.7, 0.0)]).astype(np.float32)
    unheard = np.full((rows, CELLS), NONE)
    return PartLesson(sight, unheard, as_array([]), truth, (0,) * LANES, (Tally(40, 20, 15),) * LANES)


def sounding(one: PartLesson, seed: int = 0) -> PartLesson:
    """The lesson with sounds: one of snares, and one of what was taken for snares."""
    draw = np.random.default_rng(seed)
    kinds = draw.integers(0, 120, (2, LENGTH))
    cells = np.flatnonzero(one.sight[THERE][1])
    numbers = np.full(one.sounding.size, NONE)
    numbers[cells] = np.arange(len(cells))
    true = one.truth[1].reshape(-1)[cells].astype(int)
    sounds = kinds[true] + draw.integers(0, 30, (len(cells), LENGTH))
    return replace(one, sounding=numbers.reshape(one.sounding.shape), sounds=sounds.astype(np.uint8))


def test_a_course_teaches_the_places_of_the_bar(tmp_path: Path) -> None:
    lessons = [lesson(seed) for seed in range(4)]
    net, cpu_s = teach(lessons, Course(25, 1e-2, 0.0), tmp_path / "net.pt")
    least = least_likely(net, [lesson(9)])
    heard = compared(net, [lesson(9)], least)
    assert cpu_s > 0
    for lane in ("kick", "snare"):
        assert heard[lane][0] == [Tally(40, 20, 15)]
        assert worth(heard[lane][1]) > 0.9 > worth(heard[lane][0])
    assert set(least) == {lane.value for lane in DRUM_LANES}
    assert all(bound in LEASTS for bound in least.values())
    told = likely(net, lesson(9))
    assert told.shape == (LANES, ROWS, CELLS)
    assert not told[lesson(9).sight[THERE] == 0].any()


def test_the_same_course_gives_the_same_weights(tmp_path: Path) -> None:
    lessons = [lesson(1)]
    nets = [teach(lessons, Course(2), tmp_path / name)[0] for name in ("one", "two")]
    for one, two in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, two)


def test_what_no_candidate_answers_to_counts_as_missed() -> None:
    one = lesson(1)
    net = untaught().eval()
    heard = compared(net, [replace(one, missed=(0, 5, 0, 0))], {lane.value: 0.5 for lane in DRUM_LANES})
    assert heard["snare"][1][0].true == one.truth[1].sum() + 5
    assert heard["kick"][1][0].true == one.truth[0].sum()


def test_a_batch_is_decided_by_its_seed_and_has_stretches_of_one_length() -> None:
    lessons = [lesson(seed, rows) for seed, rows in ((1, 9), (2, 14), (3, 50))]
    for seed in range(6):
        one, two = (batch(lessons, np.random.default_rng(seed)) for _ in range(2))
        assert len(one) == len(two) == SIZE
        for part, other in zip(one, two, strict=True):
            assert np.array_equal(part.sight, other.sight)
            assert np.array_equal(part.truth, other.truth)
            assert np.array_equal(part.sounding, other.sounding)
            assert part.sight.shape == (CHANNELS, *one[0].sounding.shape)
            assert part.sight.dtype == np.float32


def test_what_is_moved_stays_together() -> None:
    one = sounding(lesson(6))
    moved = one.moved(12)
    assert np.array_equal(moved.sight[:, :, 12:], one.sight[:, :, :-12])
    assert np.array_equal(moved.truth[:, 1:, :12], one.truth[:, :-1, -12:])
    assert np.array_equal(moved.sounding[1:, :12], one.sounding[:-1, -12:])
    assert np.array_equal(moved.sounding[0, :12], one.sounding[-1, -12:])


def test_pages_that_were_heard_before_are_seen_with_what_their_sounds_say() -> None:
    parts = [sounding(lesson(seed, 24), seed) for seed in (1, 2)]
    net = untaught().eval()
    once, again = seen_again(net, parts, 0), seen_again(net, parts, 1)
    assert once.shape == again.shape == (2, SEEN, 24, CELLS)
    assert torch.equal(once[:, :CHANNELS], again[:, :CHANNELS])
    assert not once[:, CHANNELS:].any()
    asked = again[:, -1] > 0
    assert torch.equal(asked, once[:, THERE][:, 1] > 0)
    assert not again[:, CHANNELS:][:, :, ~asked[0]][0].any()


def test_bent_odds_are_odds_still() -> None:
    sight = lesson(4).sight
    others = [bent(sight, np.random.default_rng(seed)) for seed in range(20)]
    for other in others:
        assert np.abs(other[ODDS]).max() <= 1.0
        assert (other[ODDS][other[THERE] == 0] == -1.0).all()
        assert set(np.unique(other[THERE])) <= {0.0, 1.0}
    assert any((other[THERE] > sight[THERE]).any() for other in others), "a lane is heard where another plays"
    assert any((other[THERE] < sight[THERE]).any() for other in others), "a candidate is lost"


def test_a_lane_is_clearly_better_where_most_songs_gain() -> None:
    before = [Tally(20, 20, fit) for fit in (10, 12, 14, 16, 11, 13)]
    assert clearly_better(before, [tally._replace(fit=tally.fit + 2) for tally in before[:-1]] + [before[-1]])
    by_chance = [
        tally._replace(fit=tally.fit + gain) for tally, gain in zip(before, (4, -3, 4, -3, 4, -3), strict=True)
    ]
    assert not clearly_better(before, by_chance)


def test_lessons_of_strangers_are_the_same_songs_with_other_odds() -> None:
    one = lesson(4)
    (other,) = strangers([one])
    assert np.array_equal(other.truth, one.truth)
    assert not np.array_equal(other.sight[ODDS], one.sight[ODDS])


def hits(times: dict[Lane, list[float]]) -> tuple[DrumHit, ...]:
    return tuple(sorted(DrumHit(at, lane, 0.7, 0.6) for lane, every in times.items() for at in every))


def test_truth_is_of_candidates_and_what_is_not_among_them_is_counted() -> None:
    candidates = list(hits({Lane.KICK: [0.01, 1.0], Lane.SNARE: [0.5], Lane.HIHAT: [0.52]}))
    page = laid(BarGrid.of([FoundBar(0.0, 2.0, (0.0, 0.5, 1.0, 1.5), 1.0)]), candidates)
    true = hits({Lane.KICK: [0.0, 1.5], Lane.SNARE: [0.53], Lane.CYMBAL: [0.0]})
    truth, missed = true_cells(page, candidates, true)
    assert [tuple(map(int, at)) for at in np.argwhere(truth)] == [(0, 0), (12, 1)]
    assert missed == (1, 0, 0, 1)


class Hears:
    """Says what it is told to hear."""

    name = "hears"

    def __init__(self, candidates: tuple[DrumHit, ...]) -> None:
        self.candidates = candidates

    def hear_drums(self, stems: object) -> DrumsHeard:
        del stems
        return DrumsHeard(tuple(hit for hit in self.candidates if hit.confidence > 0.5), self.candidates)


def test_a_song_becomes_a_page_of_its_bars_and_is_kept_whole(tmp_path: Path) -> None:
    silence = np.zeros(100, np.float32)
    beats = tuple(0.5 * beat for beat in range(20))
    true = hits({Lane.KICK: [1.0, 3.0], Lane.SNARE: [1.5]})
    song = Lesson(silence, silence, silence, silence, (), true, (), beats, (1.0, 3.0, 5.0), "a test")
    assert [bar.beats_s for bar in bars_of(song)] == [(1.0, 1.5, 2.0, 2.5), (3.0, 3.5, 4.0, 4.5)]
    heard = [hit._replace(sound=bytes([number] * LENGTH)) for number, hit in enumerate(true)]
    one = part_lesson(song, Hears((*heard, DrumHit(0.5, Lane.KICK, 0.5, 0.5))))
    assert one.sight.shape == (CHANNELS, 2, CELLS)
    assert [tuple(map(int, at)) for at in np.argwhere(one.truth)] == [(0, 0, 0), (0, 1, 0), (1, 0, 12)]
    assert one.before[:2] == (Tally(2, 2, 2), Tally(1, 1, 1))
    assert [tuple(map(int, at)) for at in np.argwhere(one.sounding != NONE)] == [(0, 0), (0, 12), (1, 0)]
    assert one.sounds[one.sounding[[0, 0, 1], [0, 12, 0]], 0].tolist() == [0, 1, 2]
    path = tmp_path / "lesson.npz"
    path.write_bytes(one.packed())
    back = PartLesson.unpacked(path)
    assert (back.missed, back.before) == (one.missed, one.before)
    assert np.array_equal(back.truth, one.truth)
    assert np.array_equal(back.sounding, one.sounding)
    assert np.array_equal(back.sounds, one.sounds)
    np.testing.assert_allclose(back.sight, one.sight, atol=1e-3)


def test_percussion_plays_in_the_bars_and_leaves_the_drums_alone() -> None:
    beats = tuple(0.3 + 0.5 * beat for beat in range(34))
    drums = tuple(DrumNote(at, 36, 0.8) for at in beats[::4])
    score = Score(drums, (), beats, beats[1::4], 17.0)
    others = [with_hands(score, np.random.default_rng(seed)) for seed in range(8)]
    for other in others:
        assert [note for note in other.drums if note.pitch == 36] == list(drums)
        assert other.drums == tuple(sorted(other.drums))
        cells = [(note.time_s - beats[1]) / 0.125 for note in other.drums if note.pitch != 36]
        assert min(cells) > -1e-6
        assert np.abs(np.array(cells) - np.round(cells)).max() < 1e-6
    first = [note for note in others[0].drums if note.pitch != 36]
    bars = [
        [(round(note.time_s - at, 6), note.pitch) for note in first if at <= note.time_s < at + 2]
        for at in beats[1:17:4]
    ]
    assert bars[0] == bars[1] == bars[2] == bars[3], "a bar repeats"

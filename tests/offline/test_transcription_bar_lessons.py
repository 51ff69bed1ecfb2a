"""Lessons in bar lines, and that they teach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hitloopd.core.pattern import Lane
from offline.transcription.beats import bar_lessons as module
from offline.transcription.beats.bar_lessons import BEATS, BarLesson, bar_lesson, bar_lessons, batch, true_places
from offline.transcription.beats.bar_lines import ODD_BAR
from offline.transcription.beats.bar_sight import CHANNELS, LANES
from offline.transcription.beats.features import beat_features
from offline.transcription.beats.lessons import BeatLesson
from offline.transcription.heard import BassNote, DrumHit
from offline.transcription.learn_bars import right, teach, unlikely
from offline.transcription.learning import Course
from tests.offline.beat_songs import song, steady


def lesson(bpm: float = 120.0, bars: int = 12) -> BeatLesson:
    beats_s = steady(bpm, 4 * bars, 0.25)
    hits = tuple(DrumHit(float(at), Lane.KICK, 0.8, 1.0) for at in beats_s[:-1:2])
    notes = tuple(BassNote(float(at), float(at) + 0.4, 33 + n % 3, 0.8, 1.0) for n, at in enumerate(beats_s[:-1:4]))
    features = beat_features(song(beats_s, [4] * bars)).astype(np.float16)
    return BeatLesson(features, beats_s[:-1], beats_s[:-1:4], hits, notes)


def test_a_lesson_is_kept_whole(tmp_path: Path) -> None:
    one = lesson(bars=3)
    path = tmp_path / "lesson.npz"
    path.write_bytes(one.packed())
    back = BeatLesson.unpacked(path)
    assert (back.hits, back.notes) == (one.hits, one.notes)
    for name in ("features", "beats_s", "bars_s"):
        np.testing.assert_array_equal(getattr(back, name), getattr(one, name))


def test_places_are_those_of_the_true_bars_of_four() -> None:
    beats_s = np.arange(14) * 0.5
    bars_s = beats_s[[1, 5, 8]]  # a pickup, a bar of four, one of three, one of six
    found = np.append(beats_s + 0.02, 7.3)
    assert true_places(found, beats_s, bars_s).tolist() == [-1, 0, 1, 2, 3, *[-1] * 10]


def test_the_beats_of_a_lesson_get_their_true_places() -> None:
    told = bar_lesson(lesson())
    assert told is not None
    assert told.sight.shape == (CHANNELS, len(told.places))
    known = told.places[told.places >= 0]
    assert len(known) > 40
    assert (np.diff(known) % 4 == 1).all()


def test_beats_at_half_the_tempo_teach_nothing() -> None:
    one = lesson()
    twice = np.sort(np.concatenate([one.beats_s, one.beats_s + 0.25]))
    fooled = BeatLesson(one.features, twice, twice[::4], one.hits, one.notes)
    assert list(bar_lessons([fooled])) == []


def regular(seed: int) -> BarLesson:
    """The first lane sounds on first beats, all else is noise."""
    draw = np.random.default_rng(seed)
    places = (np.arange(200) + seed) % 4
    sight = draw.normal(size=(CHANNELS, 200)).astype(np.float32)
    sight[0] = np.where(places == 0, 3.0, 0.0)
    return BarLesson(sight, places)


def test_a_batch_says_what_is_possible_and_takes_cues_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEAF", 1.0)
    one = regular(0)
    half_known = BarLesson(one.sight, np.where(np.arange(200) < 100, -1, one.places))
    sights, possible = batch([half_known], np.random.default_rng(3))
    assert not sights[:, LANES[0]].any()
    assert possible.shape[2] == BEATS
    counts = possible.sum(axis=1)
    assert set(counts.ravel().tolist()) == {1, 4}


def test_what_is_right_is_likely() -> None:
    places = torch.arange(32) % 4
    odds = 2.0 * torch.nn.functional.one_hot(places, 4).T[None].float()
    truth = torch.nn.functional.one_hot(places, 4).T[None].bool()
    turned = torch.roll(truth, 2, dims=1)
    assert float(unlikely(odds, truth)) < 0.1
    assert float(unlikely(odds, turned)) > ODD_BAR
    assert float(unlikely(odds, torch.ones_like(truth))) == pytest.approx(0.0, abs=1e-4)


def test_a_cue_that_tells_is_learned(tmp_path: Path) -> None:
    net, _ = teach([regular(seed) for seed in range(8)], Course(40, 0.05, 1.0), tmp_path / "bars.pt")
    assert right(net.eval(), [regular(9)]) > 0.95
    weights = net.each.weight[0, :, 0].abs()
    assert int(weights.argmax()) == 0

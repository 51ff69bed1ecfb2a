"""The path through tempo and place in the bar, over probabilities that are made up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from offline.transcription.beats import path as module
from offline.transcription.beats.features import FPS
from offline.transcription.beats.path import Beat, beat_path
from tests.offline.beat_songs import drifting, steady

Tracks = tuple[np.ndarray, np.ndarray]


def sensed(beats_s: np.ndarray, meters: Sequence[int], *, between: float = 0.02, seed: int = 0) -> Tracks:
    """Probabilities as the network tells them: clear beats, less clear bar lines, some doubt everywhere."""
    draw = np.random.default_rng(seed)
    frames = round(beats_s[-1] * FPS) + 100
    beat, down = draw.uniform(0.01, 0.04, frames), np.full(frames, 0.01)
    places = [place for meter in meters for place in range(meter)]
    for at, after, place in zip(beats_s[:-1], beats_s[1:], places, strict=False):
        _mark(beat, at, draw.uniform(0.5, 0.9))
        _mark(beat, (at + after) / 2, between)
        _mark(down, at, draw.uniform(0.3, 0.7) if place == 0 else draw.uniform(0.01, 0.2))
    return beat.astype(np.float32), np.minimum(down, beat).astype(np.float32)


def _mark(track: np.ndarray, at_s: float, value: float) -> None:
    frame = round(at_s * FPS)
    track[frame - 1 : frame + 2] = np.maximum(track[frame - 1 : frame + 2], np.array([0.5, 1.0, 0.5]) * value)


def assert_beats(path: list[Beat], beats_s: np.ndarray, meters: Sequence[int]) -> None:
    """Each true beat is found within a frame, in its place."""
    places = [place for meter in meters for place in range(meter)]
    found = {beat.frame: beat.place for beat in path}
    for at, place in zip(beats_s, places, strict=False):
        near = [found[frame] for frame in range(round(at * FPS) - 1, round(at * FPS) + 2) if frame in found]
        assert near == [place], f"at {at:.2f} s"


@pytest.mark.parametrize("bpm", [70, 97, 120, 128.5, 150, 174, 190])
def test_a_steady_tempo(bpm: float) -> None:
    beats_s = steady(bpm, 64, 0.31)
    path = beat_path(*sensed(beats_s, [4] * 16))
    assert_beats(path, beats_s[:-1], [4] * 16)


def test_a_drifting_tempo() -> None:
    beats_s = drifting(105, 135, 160, 0.2)
    assert_beats(beat_path(*sensed(beats_s, [4] * 40)), beats_s[:-1], [4] * 40)


@pytest.mark.parametrize("bpm", [80, 95])
def test_weak_strokes_between_the_beats_do_not_double_the_tempo(bpm: float) -> None:
    beats_s = steady(bpm, 48, 0.1)
    path = beat_path(*sensed(beats_s, [4] * 12, between=0.12))
    assert len(path) == pytest.approx(48, abs=3)


def test_a_pickup_comes_before_the_first_bar_line() -> None:
    beats_s, meters = steady(120, 41, 0.5), [1, *[4] * 10]
    beat, down = sensed(beats_s, meters)
    down[:80] = 0.01  # the pickup is no first beat
    path = [beat for beat in beat_path(beat, down) if beat.frame >= 45]
    assert [beat.place for beat in path[:6]] == [3, 0, 1, 2, 3, 0]


def test_a_bar_of_two_beats_moves_the_bar_lines() -> None:
    meters = [4] * 10 + [2] + [4] * 10
    beats_s = steady(126, sum(meters), 0.2)
    assert_beats(beat_path(*sensed(beats_s, meters)), beats_s[:-1], meters)


def test_three_four_is_told_from_four_four() -> None:
    meters = [4] * 8 + [3] * 16 + [4] * 8
    beats_s = steady(118, sum(meters), 0.2)
    path = beat_path(*sensed(beats_s, meters))
    assert_beats(path, beats_s[:-1], meters)
    waltz = [beat.frame / FPS for beat in path if beat.waltz]
    assert min(waltz) == pytest.approx(beats_s[32], abs=0.02)
    assert max(waltz) == pytest.approx(beats_s[79], abs=0.02)


def test_the_tempo_may_jump() -> None:
    first = steady(100, 40, 0.2)
    beats_s = np.concatenate([first[:-1], steady(140, 40, float(first[-1]))])
    path = beat_path(*sensed(beats_s, [4] * 20))
    assert_beats(path, beats_s[:-1], [4] * 20)


def test_the_beat_goes_on_through_a_break() -> None:
    beats_s = steady(128, 128, 0.2)
    beat, down = sensed(beats_s, [4] * 32)
    quiet = slice(round(beats_s[48] * FPS) - 10, round(beats_s[64] * FPS) - 10)
    beat[quiet], down[quiet] = 0.02, 0.01
    assert_beats(beat_path(beat, down), beats_s[:-1], [4] * 32)


def test_pieces_of_a_long_song_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    beats_s = drifting(118, 130, 160, 0.2)
    tracks = sensed(beats_s, [4] * 40)
    whole = beat_path(*tracks)
    monkeypatch.setattr(module, "_PIECE", 20 * FPS)
    monkeypatch.setattr(module, "_AHEAD", 15 * FPS)
    assert beat_path(*tracks) == whole


@pytest.mark.parametrize("frames", [0, 1, 20, 150])
def test_next_to_nothing_is_no_error(frames: int) -> None:
    path = beat_path(np.full(frames, 0.3, np.float32), np.full(frames, 0.1, np.float32))
    assert len(path) <= frames

"""What hits and notes say of beats."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from offline.transcription.beats.cues import Grid, on_grid, place_evidence
from offline.transcription.beats.features import FPS
from offline.transcription.heard import BassNote, DrumHit
from tests.offline.beat_songs import steady


def hit(at_s: float, lane: Lane = Lane.KICK, confidence: float = 1.0) -> DrumHit:
    return DrumHit(at_s, lane, 0.8, confidence)


def votes(drums: list[DrumHit], bass: list[BassNote], beats_s: np.ndarray) -> list[int]:
    """For each rotation of the bar, which one the evidence at the beats is for; 0 is the true one."""
    evidence = place_evidence(drums, bass, round(float(beats_s[-1] + 1) * FPS))
    at = evidence[np.round(beats_s * FPS).astype(int)]
    sums = [sum(at[n, (n + turn) % 4] for n in range(len(beats_s))) for turn in range(4)]
    return sorted(range(4), key=lambda turn: -sums[turn])


def test_a_backbeat_tells_two_and_four_from_one_and_three() -> None:
    beats_s = steady(120, 32)
    drums = [hit(at, Lane.SNARE if n % 2 else Lane.KICK) for n, at in enumerate(beats_s)]
    assert set(votes(drums, [], beats_s)[:2]) == {0, 2}


def test_a_bass_that_changes_with_the_bar_tells_its_first_beat() -> None:
    beats_s = steady(128, 32)
    bass = [BassNote(at, at + 0.3, 36 + 5 * (n // 4 % 2), 0.8, 1.0) for n, at in enumerate(beats_s)]
    assert votes([], bass, beats_s)[0] == 0


def test_four_kicks_on_the_floor_tell_nothing() -> None:
    beats_s = steady(124, 16)
    evidence = place_evidence([hit(at) for at in beats_s], [], 1000)
    at = evidence[np.round(beats_s * FPS).astype(int)]
    assert at == pytest.approx(np.repeat(at[:1], len(at), axis=0))


def test_where_nothing_plays_nothing_is_said() -> None:
    assert not place_evidence([], [], 500).any()
    assert not place_evidence([hit(1.0)], [], 5000)[3000:].any()


def test_what_lies_on_sixteenths_keeps_to_the_grid() -> None:
    beats_s = steady(120, 9)
    straight = [hit(at + step * 0.125) for at in beats_s[:8] for step in range(4)]
    assert on_grid(beats_s, straight, []).kept(slice(0, 8), 24) == pytest.approx(1.0)
    between = [hit(one.time_s + 0.06) for one in straight]
    assert on_grid(beats_s, between, []).kept(slice(0, 8), 24) == 0.0


def test_few_hits_prove_no_grid() -> None:
    beats_s = steady(120, 9)
    assert on_grid(beats_s, [hit(at) for at in beats_s[:8]], []).kept(slice(0, 8), 24) == 0.0


def test_what_lies_before_and_after_the_beats_counts_for_none() -> None:
    grid = on_grid(np.array([1.0, 1.5, 2.0]), [hit(0.5), hit(2.5)], [])
    assert isinstance(grid, Grid)
    assert grid.struck.tolist() == [0.0, 0.0]

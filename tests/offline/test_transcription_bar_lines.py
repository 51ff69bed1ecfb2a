"""Which beats begin bars: what the network is shown, and the decision over the whole song."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from offline.transcription.beats.bar_lines import ODD_BAR, bar_lines, opening_place, place_odds
from offline.transcription.beats.bar_sight import CHANNELS, bar_sight
from offline.transcription.beats.features import COLUMNS, FPS
from offline.transcription.beats.sense import Sense
from offline.transcription.heard import BassNote, DrumHit
from tests.offline.beat_songs import steady


def hit(at_s: float, lane: Lane) -> DrumHit:
    return DrumHit(float(at_s), lane, 0.8, 1.0)


def sight_of(drums: list[DrumHit], bass: list[BassNote], beats_s: np.ndarray) -> np.ndarray:
    """Of hits and notes alone: the sound says nothing."""
    frames = round(float(beats_s[-1] + 1) * FPS)
    nothing = np.full(frames, 0.1, np.float32)
    return bar_sight(beats_s, Sense(nothing, nothing), np.full((frames, COLUMNS), 0.1, np.float32), drums, bass)


def told(drums: list[DrumHit], bass: list[BassNote], beats_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = len(beats_s)
    lines = bar_lines(place_odds(sight_of(drums, bass, beats_s)), [0] * count, [False] * count)
    return lines.places, lines.sure


def backbeat(beats_s: np.ndarray, shift: int) -> list[DrumHit]:
    """Kick and snare in turn, hats between: the second half of a bar is played as the first."""
    step = beats_s[1] - beats_s[0]
    drums = [hit(at, Lane.SNARE if (n - shift) % 2 else Lane.KICK) for n, at in enumerate(beats_s)]
    drums += [hit(at + off * step, Lane.HIHAT) for at in beats_s for off in (0.0, 0.5)]
    return sorted(drums)


@pytest.mark.parametrize("shift", range(4))
def test_a_bass_that_changes_tells_which_half_of_a_symmetric_pattern_is_first(shift: int) -> None:
    beats_s = steady(124, 96, 0.5)
    roots = (36, 41, 43, 38)
    line = [BassNote(float(at), float(at) + 0.4, roots[(n - shift) // 4 % 4], 0.8, 1.0) for n, at in enumerate(beats_s)]
    places, sure = told(backbeat(beats_s, shift), line, beats_s)
    assert (places == (np.arange(len(beats_s)) - shift) % 4).mean() > 0.95
    assert np.median(sure) > 0.7


def test_where_nothing_tells_one_beat_from_another_no_bar_line_is_sure() -> None:
    beats_s = steady(128, 64)
    drums = [hit(at, Lane.KICK) for at in beats_s]
    _, sure = told(drums, [], beats_s)
    assert np.median(sure) < 0.75


def test_each_song_of_a_long_mix_keeps_its_own_bar_lines() -> None:
    draw = np.random.default_rng(5)
    shifts = draw.integers(4, size=12)
    right = np.concatenate([(np.arange(300) + shift) % 4 for shift in shifts])
    odds = draw.normal(0.0, 1.0, (len(right), 4))
    odds[np.arange(len(right)), right] += 1.5
    lines = bar_lines(odds, [0] * len(right), [False] * len(right))
    assert (lines.places == right).mean() > 0.95
    assert np.median(lines.sure) > 0.9


def test_a_sight_tells_what_is_struck_on_which_sixteenth() -> None:
    beats_s = steady(120, 8)
    sight = sight_of([hit(1.0, Lane.KICK), hit(1.125 - 0.01, Lane.KICK), hit(1.5 - 0.01, Lane.SNARE)], [], beats_s)
    assert sight.shape == (CHANNELS, len(beats_s))
    assert sight[:4, 2].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert sight[4:8, 3].tolist() == [1.0, 0.0, 0.0, 0.0]  # a little early is still on the beat


def test_a_sight_depends_on_neither_level_nor_key() -> None:
    beats_s = steady(120, 32)
    draw = np.random.default_rng(1)
    features = draw.uniform(-60, -20, (round(beats_s[-1] * FPS) + 100, COLUMNS)).astype(np.float32)
    features[:, 36:] = draw.dirichlet(np.ones(12), (len(features), 2)).reshape(-1, 24)
    line = [BassNote(float(at), float(at) + 0.3, int(draw.integers(30, 50)), 0.8, 1.0) for at in beats_s]
    none = np.full(len(features), 0.1, np.float32)
    louder, higher = features.copy(), [note._replace(pitch=note.pitch + 5) for note in line]
    louder[:, :36] += 12.0
    louder[:, 36:48] = np.roll(features[:, 36:48], 5, axis=1)
    louder[:, 48:] = np.roll(features[:, 48:], 5, axis=1)
    one = bar_sight(beats_s, Sense(none, none), features, [], line)
    np.testing.assert_allclose(bar_sight(beats_s, Sense(none, none), louder, [], higher), one, atol=1e-3)


def odds_of(places: np.ndarray, much: float, wrong: dict[int, int] | None = None) -> np.ndarray:
    odds = np.zeros((len(places), 4))
    odds[np.arange(len(places)), places] = much
    for beat, place in (wrong or {}).items():
        odds[beat] = np.eye(4)[place] * much
    return odds


def test_a_song_whose_bars_agree_is_sure_of_all_of_them_whatever_some_say() -> None:
    places = np.arange(64) % 4
    lines = bar_lines(odds_of(places, 0.6, {n: (n + 2) % 4 for n in range(24, 40)}), places.tolist(), [False] * 64)
    assert lines.places.tolist() == places.tolist()
    assert lines.sure.min() > 0.8
    assert np.median(lines.sure) > 0.95


def test_a_song_whose_halves_contradict_each_other_is_not_sure() -> None:
    places = np.arange(64) % 4
    every_other = {n: (n + 2) % 4 for n in range(64) if n // 4 % 2}
    lines = bar_lines(odds_of(places, 0.6, every_other), places.tolist(), [False] * 64)
    assert lines.sure.max() < 0.6


def test_a_long_song_is_hardly_surer_than_a_short_one_that_says_the_same() -> None:
    sure = []
    for beats in (64, 640):
        places = np.arange(beats) % 4
        draw = np.random.default_rng(2)
        odds = odds_of(places, 0.05) + 0.02 * draw.normal(size=(beats, 4))
        sure.append(float(np.median(bar_lines(odds, places.tolist(), [False] * beats).sure)))
    assert 0.5 < sure[1] < sure[0] + 0.1 < 1.0


def test_a_bar_that_is_cut_short_moves_the_lines_where_much_speaks_for_it() -> None:
    places = np.concatenate([np.arange(42) % 4, np.arange(40) % 4])
    lines = bar_lines(odds_of(places, 2.0), places.tolist(), [False] * len(places))
    assert lines.places.tolist() == places.tolist()
    little = bar_lines(odds_of(places, 0.1 * ODD_BAR / 40), places.tolist(), [False] * len(places))
    assert (np.diff(little.places) % 4 == 1).all()


@pytest.mark.parametrize(("start_s", "place"), [(0.01, 0), (0.49, 1), (1.02, 2), (0.2, None), (4.5, None)])
def test_a_song_that_begins_with_a_beat_begins_with_a_bar(start_s: float, place: int | None) -> None:
    assert opening_place(steady(120, 16, start_s)) == place


def test_how_a_song_begins_decides_where_nothing_else_does_and_not_where_much_does() -> None:
    places = (np.arange(64) + 1) % 4
    none, one = np.zeros((64, 4)), odds_of(places, 0.4)
    alike, clear = (bar_lines(odds, places.tolist(), [False] * 64, 3) for odds in (none, one))
    assert alike.places[:5].tolist() == [3, 0, 1, 2, 3]
    assert 0.5 < alike.sure[0] < 0.8
    assert clear.places.tolist() == places.tolist()


def test_bars_of_three_beats_stay_as_they_were_found() -> None:
    places = [0, 1, 2] * 4 + [0, 1, 2, 3] * 4
    waltz = [True] * 12 + [False] * 16
    odds = odds_of(np.concatenate([np.zeros(12, np.int64), (np.arange(16) + 2) % 4]), 2.0)
    lines = bar_lines(odds, places, waltz)
    assert lines.places[:12].tolist() == places[:12]
    assert lines.places[12:].tolist() == ((np.arange(16) + 2) % 4).tolist()

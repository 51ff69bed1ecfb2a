"""Bars found in songs whose beats are known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import Lane
from offline.audio import RATE
from offline.transcription.beats import bars as beats_module
from offline.transcription.beats import sense as beat_sense
from offline.transcription.beats.bars import find_bars, found_beats
from offline.transcription.beats.features import COLUMNS, FPS, HOP, REACH_S, beat_features
from offline.transcription.beats.path import PERIODS
from offline.transcription.beats.sense import sense_beats
from offline.transcription.beats.times import Struck, beat_times
from offline.transcription.heard import BassNote, DrumHit, FoundBar
from tests.offline.beat_songs import drifting, song, steady
from tests.offline.extraction_sounds import kick

PRECISE_S = 0.006


def found(sound: np.ndarray) -> list[FoundBar]:
    return list(find_bars(beat_features(sound), [], [], len(sound) / RATE))


def strays(bars: list[FoundBar], beats_s: np.ndarray) -> np.ndarray:
    """How far each found beat is from a true one."""
    heard = np.array([beat for bar in bars if not bar.reason.startswith("the song") for beat in bar.beats_s])
    return np.abs(heard[:, None] - beats_s).min(axis=1)


def test_features_of_a_stretch_are_those_of_the_whole() -> None:
    sound = song(steady(120, 16), [4] * 4)
    whole = beat_features(sound)
    first, reach = 200, round(REACH_S * FPS)
    part = beat_features(sound[first * HOP :])
    assert part.shape == (1 + (len(sound) - first * HOP) // HOP, COLUMNS)
    slow_sound_lies_elsewhere = 0.02
    np.testing.assert_allclose(part[reach:400], whole[first + reach : first + 400], atol=slow_sound_lies_elsewhere)


@pytest.mark.parametrize(
    ("bpm", "start_s", "floor"), [(120, 0.0, True), (128, 0.437, True), (140, 0.2, False), (110, 0.3, False)]
)
def test_steady_songs_are_found_at_their_tempo_and_bar_lines(bpm: float, start_s: float, floor: bool) -> None:
    beats_s = steady(bpm, 64, start_s)
    bars = found(song(beats_s, [4] * 16, floor=floor))
    whole = [bar for bar in bars if not bar.reason]
    assert len(whole) >= 12
    for bar in whole:
        assert len(bar.beats_s) == 4
        assert np.abs(beats_s[:-1:4] - bar.start_s).min() < PRECISE_S
        assert bar.end_s - bar.start_s == pytest.approx(240 / bpm, abs=PRECISE_S)


def test_beats_follow_a_drifting_tempo() -> None:
    beats_s = drifting(110, 130, 96, 0.2)
    bars = found(song(beats_s, [4] * 24))
    assert len(bars) >= 23
    assert np.percentile(strays(bars, beats_s), 95) < PRECISE_S


def test_a_bar_of_two_beats_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    meters = [4] * 10 + [2] + [4] * 10
    beats_s = steady(124, sum(meters), 0.2)
    sound = song(beats_s, meters)
    beats = found_beats(beat_features(sound), [], [])
    assert beats is not None
    places = np.array([place for meter in meters for place in range(meter)])
    nearest = np.abs(beats.times[:, None] - beats_s[:-1]).argmin(axis=1)
    monkeypatch.setattr(beats_module, "place_odds", lambda _: 3.0 * np.eye(4)[places[nearest]])
    odd = [bar for bar in found(sound) if "beats are" in bar.reason]
    assert [len(bar.beats_s) for bar in odd] == [2]
    assert odd[0].start_s == pytest.approx(beats_s[40], abs=PRECISE_S)


def test_bars_lie_one_behind_the_other_and_tell_their_beats() -> None:
    beats_s = steady(126, 48, 0.4)
    bars = found(song(beats_s, [4] * 12))
    for bar, after in pairwise(bars):
        assert bar.end_s == after.start_s
    for bar in bars:
        assert bar.beats_s[0] == bar.start_s
        assert 0.0 <= bar.confidence <= 1.0


def test_what_the_song_cuts_off_is_no_whole_bar() -> None:
    beats_s = steady(125, 48)
    sound = song(beats_s, [4] * 12)
    cut = round((beats_s[2] - 0.1) * RATE)
    bars = found(sound[cut : round(beats_s[46] * RATE)])
    assert "begins" in bars[0].reason
    assert "ends" in bars[-1].reason


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_has_no_bars(level: float) -> None:
    assert found(np.random.default_rng(1).normal(0, level, 20 * RATE).astype(np.float32)) == []


def _rain() -> np.ndarray:
    draw = np.random.default_rng(3)
    sound = draw.normal(0, 0.01, 30 * RATE)
    for at in draw.integers(0, len(sound) - 2000, 400):
        sound[at : at + 2000] += draw.normal(0, 0.2) * draw.normal(0, 1, 2000) * np.exp(-np.arange(2000) / 200)
    return sound.astype(np.float32)


def _murmur() -> np.ndarray:
    """Syllables of uneven length, as speech has them."""
    draw = np.random.default_rng(4)
    sound, at = np.zeros(30 * RATE), 0
    while at < len(sound) - RATE:
        length = int(draw.uniform(0.08, 0.4) * RATE)
        tone = np.sign(np.sin(2 * np.pi * draw.uniform(90, 160) * np.arange(length) / RATE))
        sound[at : at + length] += 0.2 * tone * np.hanning(length)
        at += length + int(draw.exponential(0.1) * RATE)
    return sound.astype(np.float32)


@pytest.mark.parametrize("make", [_rain, _murmur])
def test_sound_without_a_beat_gives_no_bar_to_use(make) -> None:
    assert [bar for bar in found(make()) if not bar.reason] == []


@pytest.mark.parametrize("length", [0, 1, RATE // 10, RATE])
def test_what_is_too_short_has_no_bars(length: int) -> None:
    assert found(np.ones(length, np.float32)) == []


def test_a_song_in_pieces_is_sensed_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    features = beat_features(song(steady(124, 96), [4] * 24))
    whole = sense_beats(features)
    monkeypatch.setattr(beat_sense, "PIECE", 11 * FPS)
    np.testing.assert_allclose(sense_beats(features).beat, whole.beat, atol=1e-3)


def test_beats_are_timed_by_what_is_struck() -> None:
    beats_s = steady(121, 40, 0.25)
    frames = np.round(beats_s * FPS).astype(np.int64)
    hits = [DrumHit(float(at) + 0.004, Lane.KICK, 1.0, 1.0) for at in beats_s]
    hits[7] = hits[7]._replace(time_s=hits[7].time_s + 0.03)  # one that is late does not move the beat
    struck = Struck.of([hit.time_s for hit in hits], [hit.confidence for hit in hits])
    times = beat_times(frames, np.zeros(frames[-1] + 100, np.float32), struck)
    np.testing.assert_allclose(times, beats_s + 0.004, atol=0.002)


def test_beats_ascend_where_the_tempo_jumps_as_between_the_songs_of_a_mix():
    for seed in range(40):
        draw = np.random.default_rng(seed)
        periods = draw.integers(PERIODS[0], PERIODS[-1] + 1, 12)
        frames = 10 + np.cumsum(np.repeat(periods, draw.integers(1, 12, 12)))
        rise = (draw.random(frames[-1] + 50) ** 8).astype(np.float32)
        times = beat_times(frames, rise, Struck.of([], []))
        assert np.diff(times).min() > 0.1
        assert np.abs(times - frames / FPS).max() < 0.1


@pytest.mark.parametrize("card", [None, "kind: drum-ear", "kind: beat-ear\nsha256: 00", "{"])
def test_a_damaged_network_is_named(tmp_path: Path, card: str | None) -> None:
    if card is not None:
        (tmp_path / "card.yaml").write_text(card)
        (tmp_path / "model.onnx").write_bytes(b"none")
    with pytest.raises(UnavailableError):
        sense_beats(np.zeros((300, COLUMNS), np.float32), tmp_path)


def clear_song(bpm: float, bars: int, start_s: float = 0.0) -> tuple[np.ndarray, list[DrumHit], list[BassNote]]:
    """Sound with what is heard in it: kick and snare in turn, a bass that changes with the bar."""
    beats_s = steady(bpm, 4 * bars, start_s)
    sound = song(beats_s, [4] * bars)
    step = 60 / bpm
    drums = [DrumHit(float(at), (Lane.KICK, Lane.SNARE)[n % 2], 0.8, 1.0) for n, at in enumerate(beats_s[:-1])]
    drums += [DrumHit(float(at) + off, Lane.HIHAT, 0.6, 1.0) for at in beats_s[:-1] for off in (0.0, step / 2)]
    pitches = (33, 33, 36, 31)
    bass = [BassNote(float(at), float(at) + 0.4, pitches[n % 4], 0.8, 1.0) for n, at in enumerate(beats_s[:-1:4])]
    return sound, sorted(drums), bass


@pytest.mark.parametrize("bpm", [105, 128, 145])
def test_all_bars_of_a_song_whose_bar_lines_are_clear_are_kept(bpm: float) -> None:
    sound, drums, bass = clear_song(bpm, 24, 0.35)
    bars = find_bars(beat_features(sound), drums, bass, len(sound) / RATE)
    lines_s = steady(bpm, 96, 0.35)[::4]
    kept = [bar for bar in bars if not bar.reason]
    assert len(kept) >= 23
    assert max(np.abs(lines_s - bar.start_s).min() for bar in kept) < PRECISE_S


@pytest.mark.parametrize("bpm", [96, 124, 150])
def test_a_loop_of_a_quarter_of_a_minute_has_bars(bpm: float) -> None:
    bars_played = int(15 * bpm / 240)
    sound, drums, bass = clear_song(bpm, bars_played)
    loop = sound[: round(bars_played * 240 / bpm * RATE)]
    kept = [bar for bar in find_bars(beat_features(loop), drums, bass, len(loop) / RATE) if not bar.reason]
    assert len(kept) >= bars_played - 1
    lines_s = steady(bpm, 4 * bars_played)[::4]
    assert max(np.abs(lines_s - bar.start_s).min() for bar in kept) < PRECISE_S


def alike(beats_s: np.ndarray) -> list[FoundBar]:
    """Nothing but a kick on every beat."""
    sound = np.zeros(round((beats_s[-1] + 1) * RATE), np.float32)
    for at in beats_s[:-1]:
        one = kick()
        sound[round(at * RATE) :][: len(one)] += 0.8 * one
    drums = [DrumHit(float(at), Lane.KICK, 0.8, 1.0) for at in beats_s[:-1]]
    return list(find_bars(beat_features(sound), drums, [], len(sound) / RATE))


def test_where_all_beats_are_alike_bars_are_left_out_for_their_bar_line() -> None:
    reasons = [bar.reason for bar in alike(steady(126, 96, 0.21))]
    assert reasons.count("the bar line is not clear") > 0.8 * len(reasons)


def test_where_all_beats_are_alike_a_song_that_begins_with_one_begins_with_a_bar() -> None:
    beats_s = steady(126, 96)
    kept = [bar for bar in alike(beats_s) if not bar.reason]
    assert len(kept) >= 20
    assert max(np.abs(beats_s[::4] - bar.start_s).min() for bar in kept) < PRECISE_S

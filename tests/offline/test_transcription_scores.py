"""Scores of hand-made cases, and that the tallies say what mir_eval says."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import mir_eval
import numpy as np
import pytest

from hitloopd.core.pattern import Lane
from offline.transcription.heard import BassNote, DrumHit, FoundBar
from offline.transcription.judging.scores import (
    Tally,
    bar_lines,
    bass_tallies,
    drum_tallies,
    early_or_late_ms,
    false_hits,
    line_tally,
    octaves,
    onset_tally,
    pooled,
    tempo_fits,
    tempo_found,
)
from offline.transcription.judging.truth import Truth, even_truth

END_S = 8.0


def hits(lane: Lane, *times: float) -> list[DrumHit]:
    return [DrumHit(time, lane, 1.0, 1.0) for time in times]


def notes(*told: tuple[float, int]) -> tuple[BassNote, ...]:
    return tuple(BassNote(start, start + 0.2, pitch, 1.0, 1.0) for start, pitch in told)


def truth(drums=(), bass=None, others=(), lanes=(Lane.KICK, Lane.SNARE, Lane.HIHAT)) -> Truth:
    return Truth(lanes, tuple(sorted(drums)), tuple(others), bass, even_truth(120, 4, {}).bars, 120.0, END_S)


def bars(*lines: float) -> list[FoundBar]:
    return [
        FoundBar(start, end, tuple(np.linspace(start, end, 4, endpoint=False)), 1.0) for start, end in pairwise(lines)
    ]


def test_onsets_fit_one_to_one_within_50_ms() -> None:
    tally = onset_tally([1.0, 2.0, 3.0], [1.04, 1.01, 2.06, 5.0], END_S)
    assert tally == Tally(found=4, true=3, fit=1)
    assert tally.precision == pytest.approx(1 / 4)
    assert tally.recall == pytest.approx(1 / 3)
    assert tally.f == pytest.approx(2 / 7)


def test_the_tally_is_mir_evals_f_measure() -> None:
    draw = np.random.default_rng(3)
    true, found = np.sort(draw.uniform(0, 8, 40)), np.sort(draw.uniform(0, 8, 50))
    tally = onset_tally(true, found, END_S)
    f, precision, recall = mir_eval.onset.f_measure(true, found)
    assert (tally.f, tally.precision, tally.recall) == pytest.approx((f, precision, recall))
    assert 0 < tally.fit < 40


def test_nothing_found_is_no_hit_and_nothing_to_find_no_miss() -> None:
    assert onset_tally([1.0], [], END_S).f == 0.0
    assert onset_tally([], [1.0], END_S).f == 0.0
    assert onset_tally([], [], END_S).f == 1.0


def test_what_is_found_behind_the_end_is_not_judged() -> None:
    assert onset_tally([1.0], [1.0, 8.3], END_S) == Tally(1, 1, 1)


def test_pooled_tallies_are_sums() -> None:
    assert pooled([Tally(1, 2, 1), Tally(3, 2, 1)]) == Tally(4, 4, 2)


def test_lanes_that_are_not_known_are_not_judged() -> None:
    tallies = drum_tallies(truth(hits(Lane.KICK, 1.0), lanes=(Lane.KICK,)), hits(Lane.SNARE, 1.0))
    assert tallies == {Lane.KICK: Tally(0, 1, 0)}


def test_an_octave_too_high_is_right_only_where_octaves_are_ignored() -> None:
    known = truth(bass=notes((1.0, 40), (2.0, 41), (3.0, 42)))
    told = bass_tallies(known, notes((1.02, 40), (2.0, 53), (3.0, 43), (4.0, 30)))
    assert told == {"onset": Tally(4, 3, 3), "onset + pitch": Tally(4, 3, 1), "octave ignored": Tally(4, 3, 2)}
    assert octaves(known, notes((1.02, 40), (2.0, 53), (3.0, 43))) == Counter({0: 1, 12: 1, 1: 1})


def test_a_bass_line_that_is_not_known_has_no_figures() -> None:
    assert bass_tallies(truth(), notes((1.0, 40))) == {}
    assert bass_tallies(truth(bass=notes((1.0, 40))), [])["onset + pitch"] == Tally(0, 1, 0)


def test_bar_lines_include_where_a_bar_ends_and_none_begins() -> None:
    assert bar_lines([*bars(0.0, 2.0, 4.0), *bars(6.0, 8.0)]) == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_bar_lines_off_by_a_beat_are_all_wrong_and_half_bars_half() -> None:
    assert line_tally(truth(), bars(0.05, 2.0, 3.95, 6.0, 8.0)).f == 1.0
    assert line_tally(truth(), bars(0.5, 2.5, 4.5, 6.5)).fit == 0
    doubled = line_tally(truth(), bars(0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0))
    assert (doubled.recall, doubled.precision) == (1.0, 0.5)


def test_tempo_is_that_of_the_beats_and_double_is_wrong() -> None:
    assert tempo_found(bars(0.0, 2.0, 4.0)) == pytest.approx(120)
    assert tempo_found([]) == 0.0
    assert tempo_fits(truth(), 122.0)
    assert not tempo_fits(truth(), 123.0)
    assert not tempo_fits(truth(), 240.0)


def test_bias_is_the_median_of_what_fits() -> None:
    assert early_or_late_ms([1.0, 2.0, 3.0], [1.01, 2.01, 3.02, 6.0]) == pytest.approx(10.0)
    assert early_or_late_ms([1.0], []) is None


def test_a_false_hit_is_explained_by_what_was_there() -> None:
    known = truth([*hits(Lane.KICK, 1.0), *hits(Lane.SNARE, 2.0)], notes((3.0, 40)), others=[4.0])
    told = false_hits(known, hits(Lane.KICK, 1.0, 1.03, 2.0, 3.0, 4.0, 5.0))
    assert told[Lane.KICK] == Counter({"double": 1, "snare": 1, "bass": 1, "no lane": 1, "nothing": 1})
    assert told[Lane.SNARE] == Counter()

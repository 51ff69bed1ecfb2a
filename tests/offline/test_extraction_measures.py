"""Planted recordings and what is counted on them."""

from __future__ import annotations

import numpy as np
import pytest

from offline.extraction.classes import References, load_references
from offline.extraction.folds import folds
from offline.extraction.found import Found
from offline.extraction.listener import neighbours
from offline.extraction.measures import mean_of, onset_errors_ms, pooled, proportion, summary, tally
from offline.extraction.onset_method import OnsetFinder
from offline.extraction.planted import Event, loudest, plant, trimmed
from offline.extraction.question import Jury
from offline.extraction.trials import looked_through, trial, truth
from tests.offline.extraction_sounds import RATE, hat, kick, noise, references, snare


def _cut(at_s: float, lane: str) -> Found:
    return Found(round(at_s * RATE), 100, lane, lane, 0.5, 0, np.ones(1, np.float32))


def test_a_tally_counts_hits_lanes_doubles_and_the_best():
    events = [Event(1.0, "kick", "k", 12), Event(2.0, "snare", "s", 12), Event(3.0, "hihat", "h", 12)]
    cuts = [_cut(1.01, "kick"), _cut(5.0, "kick"), _cut(1.02, "kick"), _cut(2.04, "hihat"), _cut(3.2, "hihat")]
    found = tally("street", 12, events, cuts)
    assert (found.planted, found.hits, found.right, found.true_first, found.doubles) == (3, 2, 1, 1, 1)
    assert found.errors_s == pytest.approx((0.01, 0.04), abs=1e-4)
    assert found.lanes == {"kick": (1, 1, 1), "snare": (1, 1, 0), "hihat": (1, 0, 0)}
    assert summary([found])["hit_rate"].value == pytest.approx(2 / 3)
    assert onset_errors_ms([found])["median"] == pytest.approx(25, abs=0.1)


def test_only_twice_as_many_cuts_as_events_count():
    found = tally("street", 12, [Event(1.0, "kick", "k", 12)], [_cut(5, "kick"), _cut(6, "kick"), _cut(1, "kick")])
    assert found.hits == 0


def test_intervals_hold_the_figure():
    few, many = proportion([True] * 9 + [False]), proportion([True] * 900 + [False] * 100)
    assert few.low < 0.9 < few.high
    assert many.high - many.low < few.high - few.low
    assert mean_of([0.5, 0.5, 0.5]).as_list() == [0.5, 0.5, 0.5]


def test_planted_sounds_have_the_level_they_should(tmp_path):
    sounds = load_references(references(tmp_path)).items
    field = noise(20.0, 0.01)
    planted = plant(field, "hiss", sounds, 12.0, seed=3, every_s=1.6)
    assert planted.events == plant(field, "hiss", sounds, 12.0, seed=3, every_s=1.6).events
    assert {event.lane for event in planted.events} == {"kick", "snare", "hihat", "cymbal", "bass"}
    alone = (planted.sound - field)[round(planted.events[0].at_s * RATE) :][: round(0.1 * RATE)]
    assert 20 * np.log10(loudest(alone) / 0.01) == pytest.approx(12.0, abs=1.0)


def test_a_trial_with_good_references_finds_nearly_all(tmp_path):
    items = load_references(references(tmp_path)).items
    known = References(tmp_path, items)
    listener = neighbours([(trimmed(item.sound), item.kind) for item in items])
    sets = [plant(noise(25.0, 0.01, seed), f"hiss {seed}", items, 18.0, seed, every_s=1.2) for seed in (1, 2)]
    told = summary(trial(lambda: OnsetFinder(known, listener), sets))
    assert told["hit_rate"].value > 0.9
    assert told["lane_accuracy"].value > 0.9
    assert told["doubles_per_event"].value == 0


def test_nothing_is_lost_or_doubled_where_stretches_meet(tmp_path, monkeypatch):
    items = load_references(references(tmp_path)).items
    known = References(tmp_path, items)
    listener = neighbours([(trimmed(item.sound), item.kind) for item in items])
    sound = plant(noise(20.0, 0.01), "hiss", items, 18.0, 1, every_s=1.0).sound
    whole = [one.start for one in looked_through(OnsetFinder(known, listener), sound) if one.strength > 15]
    monkeypatch.setattr("offline.extraction.trials.STRETCH", 4 * 88_064)
    parts = [one.start for one in looked_through(OnsetFinder(known, listener), sound)]
    assert all(min(abs(start - other) for other in parts) < 60 for start in whole)
    assert len(set(parts)) == len(parts)


def test_every_kit_and_every_recording_has_its_turn_once(tmp_path):
    sounds = load_references(references(tmp_path)).items
    rounds = folds(sounds, {name: noise(length) for name, length in (("a", 2.0), ("b", 1.0), ("c", 0.5))})
    assert sorted(group for fold in rounds for group in fold.fields) == ["a", "b", "c"]
    assert [fold.kit for fold in rounds] == ["one.wav", "two.wav"]


def test_the_jury_prefers_kicks_as_kicks_and_different_ones(tmp_path):
    jury = Jury(load_references(references(tmp_path)))
    good = jury.judge([("kick", kick(52)), ("kick", kick(58)), ("snare", snare(4)), ("hihat", hat(5))])
    wrong = jury.judge([("kick", hat()), ("kick", hat()), ("snare", kick()), ("hihat", snare())])
    assert min(good.surely) > 0.5 > max(wrong.surely)
    assert good.varied[0] > wrong.varied[0] == 0
    assert good.filled == pytest.approx(0.6)
    assert good.as_mapping()["cohesion"] > 0.5
    assert jury.judge([]).as_mapping() == {"cohesion": None, "variety": None, "filled": 0.0}


def test_the_jury_hears_true_sounds_out_of_a_recording(tmp_path):
    items = load_references(references(tmp_path)).items
    true = truth(plant(noise(20.0, 0.01), "hiss", items, 18.0, seed=3, every_s=1.6))
    drawn = [(lane, sound) for (lane, _), (_, sound) in zip(true, [*true[1:], true[0]], strict=True)]
    jury = Jury(References(tmp_path, items))
    assert np.mean(jury.judge(true).surely) > 0.7
    assert np.mean(jury.judge(drawn).surely) < 0.4


def test_means_are_pooled_over_recordings_and_empty_ones_have_no_say():
    assert pooled([(1.0, 0.0), (), (1.0, 1.0, 1.0)]).value == pytest.approx(0.8)
    assert pooled([(0.5,), (0.5, 0.5)]).as_list() == [0.5, 0.5, 0.5]

"""What is asked of generators, and how well they follow."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitloopd.core.errors import ArgumentError, UnavailableError
from hitloopd.core.pattern import ALL_LANES, Lane, Note, Pattern
from hitloopd.generate.registry import load
from offline.evaluation import control
from offline.evaluation.reference import build
from offline.evaluation.sources import Source, fingerprint, parse, requests, rolls, style_for
from offline.evaluation.speed import speed
from tests.offline.evaluation_bars import bars, held

RULES = Source("rules", "generator", "rules")


class Stubborn:
    """Does what it likes, whatever energy is asked for."""

    name, styles, model_hash = "stubborn", (), "x"

    def generate(self, request):
        rng = np.random.default_rng([request.seed, round(100 * request.energy)])
        return Pattern(
            tuple(Note(120 * int(cell), Lane.HIHAT) for cell in rng.choice(16, int(rng.integers(1, 16)), False))
        )


def test_rank_correlation():
    assert control.spearman(np.array([1, 2, 3]), np.array([4, 5, 9])) == pytest.approx(1.0)
    assert control.spearman(np.array([1, 2, 3]), np.array([9, 5, 4])) == pytest.approx(-1.0)
    assert control.spearman(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])) == pytest.approx(0.8)
    assert control.spearman(np.array([1, 2, 3]), np.array([1, 1, 1])) == 0.0


def test_a_generator_that_follows_is_told_from_one_that_does_not():
    follows = control.energy_figures(load("rules"), RULES)
    stubborn = control.energy_figures(Stubborn(), RULES)
    assert follows["monotone"] == 1.0
    assert follows["spearman"] > 0.99
    assert stubborn["spearman"] < 0.4
    assert stubborn["monotone"] < 0.8


def test_only_one_lane_of_a_bar_is_drawn_anew():
    original = held().material.unseen[:20]
    completed = control.complete(load("rules"), RULES, original, 0)
    lanes = [*(slice(row, row + 1) for row in range(4)), slice(4, None)]
    for index, (before, after) in enumerate(zip(original, completed, strict=True)):
        for lane, rows in enumerate(lanes):
            if lane != index % 5:
                assert np.array_equal(before[:, rows], after[:, rows])
    assert any(not np.array_equal(a, b) for a, b in zip(original, completed, strict=True))


def test_morphing_note_by_note_is_smooth_and_the_same_seed_is_the_same_bar():
    found = control.morph_figures(load("rules"), RULES)
    assert found["own"] is False
    assert found["smooth"] <= found["largest"] < found["far"]
    assert control._same(RULES)


def test_drums_alone_are_asked_for_as_often_as_the_data_have_them():
    table = bars()
    silent = table.rolls.copy()
    silent[::2, :, 4:] = 0
    reference = build(replace(table, rolls=silent, has_bass=(silent[:, :, 4:] > 0).any(axis=(1, 2))), "all")
    asked = requests(RULES, ("house", "techno"), reference, 400, 0)
    share = np.mean([request.lanes == ALL_LANES for request in asked])
    assert share == pytest.approx(reference.bass.mean(), abs=0.08)
    assert len({request.seed for request in asked}) == 400
    assert {request.style for request in asked} == {"house", "techno"}


def test_a_style_is_itself_or_its_family_or_one_by_chance():
    rng = np.random.default_rng(0)
    assert style_for("rock/slow", ("rock", "rock/slow"), rng) == "rock/slow"
    assert style_for("rock/fast", ("rock", "rock/slow"), rng) == "rock"
    assert style_for("polka", ("rock",), rng) == "rock"


def test_plain_requests_are_all_alike(tmp_path):
    plain = parse("rules", temperature=0.5, ask="plain", dataset=tmp_path)
    asked = requests(plain, ("house", "techno"), held(), 20, 0)
    assert {(request.style, request.energy, request.temperature) for request in asked} == {("house", 0.5, 0.5)}


def test_rolls_of_a_file_are_drawn_by_seed(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, rolls=held().material.unseen.astype(np.float32) / 127)
    mine = parse(str(path), temperature=1.0, ask="data", dataset=tmp_path)
    first, again, other = (rolls(mine, held(), 30, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    np.savez(path, bars=np.zeros(3))
    with pytest.raises(UnavailableError, match="no array 'rolls'"):
        rolls(mine, held(), 30, 0)


@pytest.mark.parametrize("word", ["rulez", "somewhere"])
def test_what_is_nobody_is_told_by_name(word, tmp_path):
    (tmp_path / "somewhere").mkdir()
    with pytest.raises(ArgumentError, match=r"rules|card\.yaml"):
        parse(str(tmp_path / word) if word == "somewhere" else word, temperature=1.0, ask="data", dataset=Path())


def test_a_fingerprint_follows_the_temperature_but_not_the_name():
    assert fingerprint(RULES) == fingerprint(replace(RULES, name="others"))
    assert fingerprint(RULES) != fingerprint(replace(RULES, temperature=0.3))


def test_speed_is_measured_in_a_process_of_its_own():
    found = speed(Source("random", "generator", "random"), 20)
    assert 0 < found["p50_ms"] <= found["p99_ms"] < 1000
    assert found["bars_per_s"] > 10
    with pytest.raises(UnavailableError, match="nobody"):
        speed(Source("nobody", "generator", "nobody"), 5)


def test_who_is_called_like_a_baseline_is_told_from_it(tmp_path):
    assert parse("rowmix", temperature=1.0, ask="data", dataset=tmp_path).name == "rowmix (generator)"


def test_a_deaf_model_is_drawn_once_for_all_references(monkeypatch):
    """Its bars without a bass are its whole bars with the bass taken out."""
    from offline.evaluation import sources

    monkeypatch.setattr(sources, "is_model_of", lambda source, kinds: kinds == sources.DEAF)
    reference = held()
    silent = replace(reference, bass=np.arange(len(reference.bass)) % 2 == 0)
    whole, mixed = (rolls(RULES, one, 40, 5) for one in (reference, silent))
    bass = silent.bass[silent.asked(40, 5)]
    assert np.array_equal(mixed[bass], whole[bass])
    assert np.array_equal(mixed[:, :, :4], whole[:, :, :4])
    assert not mixed[~bass, :, 4:].any()

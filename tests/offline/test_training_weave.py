from __future__ import annotations

import numpy as np
import pytest
import torch

from offline.training.muon import orthogonal
from offline.training.weave import Config, build
from tests.offline.training_helpers import tiny_bars

SMALL = Config(
    width=64,
    layers=1,
    reader_layers=1,
    heads=2,
    hit_width=64,
    dropout=0.1,
    learning_rate=3e-3,
    epochs=20,
    fine_weight=1.0,
)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(2)
    yield
    torch.set_num_threads(threads)


def learn(recipe, steps):
    for _ in range(steps):
        recipe.step(torch.arange(recipe.items), 0.0)


def test_it_learns_and_goes_on_bit_by_bit():
    recipe = build(SMALL, tiny_bars(), CPU)
    before = recipe.validate()["nats"]
    learn(recipe, 30)
    assert recipe.validate()["nats"] < 0.92 * before
    kept = recipe.state_dict()
    other = build(SMALL, tiny_bars(), CPU)
    other.load_state_dict(torch.load(_stored(kept), weights_only=True))
    for one in (recipe, other):
        torch.manual_seed(9)
        learn(one, 2)
    same = zip(recipe.net.state_dict().values(), other.net.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)


def _stored(state):
    import io

    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return file


def test_it_draws_rolls_of_its_seed_without_touching_chance():
    recipe = build(SMALL, tiny_bars(), CPU)
    held = torch.get_rng_state()
    rolls = recipe.sample(4, 3)
    assert rolls.shape == (4, 128, 20)
    assert rolls.dtype == np.float32
    assert np.array_equal(rolls, recipe.sample(4, 3))
    assert not np.array_equal(rolls, recipe.sample(4, 4))
    assert torch.equal(held, torch.get_rng_state())


def test_bars_that_repeat_others_count_less_and_bars_with_bass_can_count_more():
    bars = tiny_bars()
    rows = int((bars.split == "train").sum())
    basses = int(((bars.split == "train") & bars.has_bass & ~bars.duplicate).sum())
    assert build(SMALL, bars, CPU).items == rows - 1
    assert build(Config(width=64, heads=2, hit_width=64, bass_times=3), bars, CPU).items == rows - 1 + 2 * basses


def test_orthogonal_steps_have_singular_values_of_about_one():
    found = torch.linalg.svdvals(orthogonal(torch.randn(40, 24)))
    assert found.min() > 0.5
    assert found.max() < 1.4

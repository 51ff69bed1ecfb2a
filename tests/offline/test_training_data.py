"""Which bars a run learns from."""

from __future__ import annotations

import numpy as np
import pytest

from hitloopd.core.errors import ArgumentError
from offline.training.config import TrainingConfig
from offline.training.data import choose, credit, rolls_of
from tests.offline.training_helpers import tiny_bars


def test_only_training_songs_train_and_only_validation_songs_validate():
    bars = tiny_bars()
    chosen = choose(bars, TrainingConfig())
    assert set(bars.split[chosen.train]) == {"train"}
    assert set(bars.split[chosen.valid]) == {"valid"}
    assert (len(chosen.train), chosen.available, chosen.whole) == (12, 12, 12)


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"distinct": True}, 11),
        ({"bass": True}, 6),
        ({"licences": ("by",)}, 6),
        ({"licences": ("cc0",), "bars": 4}, 4),
    ],
)
def test_filters_leave_out_bars(changes, left):
    chosen = choose(tiny_bars(), TrainingConfig(**changes))
    assert len(chosen.train) == left
    assert chosen.facts()["train_bars"] == left


def test_more_bars_include_fewer():
    few, more = (set(choose(tiny_bars(), TrainingConfig(bars=n)).train.tolist()) for n in (3, 7))
    assert few < more


def test_the_key_knows_other_bars():
    bars = tiny_bars()
    key = choose(bars, TrainingConfig(bars=5)).key
    assert choose(tiny_bars(), TrainingConfig(bars=5)).key == key
    assert choose(bars, TrainingConfig(bars=6)).key != key
    bars.rolls[choose(bars, TrainingConfig(bars=5)).train[0], 0, 0] += 1
    assert choose(bars, TrainingConfig(bars=5)).key != key


def test_no_bar_left_is_said():
    with pytest.raises(ArgumentError, match="licences mit"):
        choose(tiny_bars(), TrainingConfig(licences=("mit",)))


def test_credits_name_everyone_learnt_from_and_nobody_else():
    bars = tiny_bars()
    told = credit(bars, choose(bars, TrainingConfig()).train)
    assert [(work["author"], work["licence"], work["bars"], work["songs"]) for work in told] == [
        ("Ada", "CC0 1.0", 6, ["Song 0"]),
        ("Bo", "CC BY 4.0", 6, ["Song 1"]),
    ]


def test_rolls_become_velocities():
    bars = tiny_bars()
    rolls = rolls_of(bars, np.array([1]))
    assert rolls.dtype == np.float32
    assert rolls.max() == np.float32(bars.rolls[1].max()) / np.float32(127)

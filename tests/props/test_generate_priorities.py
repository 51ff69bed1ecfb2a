"""The energy knob on a thousand random bars of each generator."""

from __future__ import annotations

import random

import pytest

from hitloopd.core.energy import measured
from hitloopd.core.pattern import Pattern
from hitloopd.core.request import MAX_SEED, Request
from hitloopd.generate.places import Places
from hitloopd.generate.registry import load
from hitloopd.generate.rules import Rules
from hitloopd.generate.scales import SCALES
from tests.generate.tiny_model import write_dataset, write_model

BARS = 1000
PRESS = 0.1


def bars(name: str, places: Places) -> list[Pattern]:
    """Bars of random styles, seeds, temperatures and scales; the same ones in every run."""
    dice = random.Random(20_26)
    generator = load(name, places)
    return [
        generator.generate(
            Request(
                name,
                dice.randrange(MAX_SEED + 1),
                dice.choice(Rules.styles),
                energy=dice.random(),
                temperature=dice.choice((0.0, 0.3, 1.0, 1.0, 1.0, 1.6, 2.0)),
                scale=dice.choice(tuple(SCALES)),
            )
        )
        for _ in range(BARS)
    ]


@pytest.fixture(scope="module", params=["rules", "random", "rowmix", "tiny"])
def thousand(request, tmp_path_factory) -> list[Pattern]:
    folder = tmp_path_factory.mktemp("generators")
    write_model(folder / "models" / "tiny")
    write_dataset(folder / "data", n=40)
    return bars(request.param, Places((folder / "models",), folder / "data"))


def pressed(knob: float, by: float) -> float:
    return round(min(max(knob + by, 0.0), 1.0), 9)


def test_a_press_never_moves_the_measured_energy_the_wrong_way(thousand):
    dice = random.Random(5)
    for bar in thousand:
        knob = round(dice.random(), 3)
        before = measured(bar, knob)
        assert measured(bar, pressed(knob, PRESS)) >= before
        assert measured(bar, pressed(knob, -PRESS)) <= before


def test_ten_presses_reach_the_end_from_anywhere_and_back(thousand):
    dice = random.Random(6)
    for bar in thousand[::5]:
        knob = dice.random()
        for _ in range(10):
            knob = pressed(knob, PRESS)
        assert bar.at(knob) == bar
        for _ in range(10):
            knob = pressed(knob, -PRESS)
        assert knob == 0.0
        assert bar.at(knob).notes == tuple(note for note in bar.notes if note.priority == 0)


def test_calmer_after_energetic_gives_back_the_same_notes(thousand):
    for bar in thousand[::5]:
        for tenth in range(10):
            knob = tenth / 10
            assert bar.at(pressed(pressed(knob, PRESS), -PRESS)).notes == bar.at(knob).notes


def test_something_always_sounds_and_something_is_always_left(thousand):
    for bar in thousand:
        calm, middle, hard = (measured(bar, knob) for knob in (0.0, 0.5, 1.0))
        assert bar.at(0.0).notes
        assert calm <= middle <= hard
        assert hard > calm + 0.04
        assert len(bar.at(1.0).notes) >= len(bar.at(0.5).notes) + 4


def test_every_press_of_a_usual_bar_is_heard_within_three():
    """With the knob's tenths a bar of the rules changes often: no dead stretch of the knob at temperature 1."""
    generator = Rules()
    for style in generator.styles:
        for seed in range(10):
            bar = generator.generate(Request("rules", seed, style))
            counts = [len(bar.at(tenth / 10).notes) for tenth in range(11)]
            assert len(set(counts)) >= 5, (style, seed, counts)

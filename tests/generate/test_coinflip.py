from __future__ import annotations

import pytest

from hitloopd.core.errors import UnknownNameError
from hitloopd.core.pattern import ALL_LANES, LANES, Lane
from hitloopd.core.request import Request
from hitloopd.generate.coinflip import CoinFlip

RANDOM = CoinFlip()


def bar(seed: int, **more):
    return RANDOM.generate(Request("random", seed, **more))


def test_every_cell_of_the_grid_has_its_coin():
    made = bar(1)
    assert [(note.lane, note.cell) for note in sorted(made.notes, key=lambda n: (LANES.index(n.lane), n.cell))] == [
        (lane, cell) for lane in LANES for cell in range(16)
    ]


def test_in_the_middle_of_the_knob_it_is_a_fair_coin_for_every_cell():
    bars = 400
    heads = dict.fromkeys([(lane, cell) for lane in LANES for cell in range(16)], 0)
    for seed in range(bars):
        for note in bar(seed).at(0.5).notes:
            heads[note.lane, note.cell] += 1
    assert abs(sum(heads.values()) / (80 * bars) - 0.5) < 0.01
    assert all(abs(count / bars - 0.5) < 0.11 for count in heads.values())  # 4.4 standard deviations


def test_the_knob_is_the_coins_bias():
    for knob, share in ((0.25, 0.25), (0.8, 0.8), (1.0, 1.0)):
        sounding = sum(len(bar(seed).at(knob).notes) for seed in range(100)) / 8000
        assert abs(sounding - share) < 0.02


def test_the_calmest_end_is_one_note_and_not_silence():
    assert all(len(bar(seed).at(0.0).notes) == 1 for seed in range(60))
    assert all(len(bar(seed, lanes=frozenset((Lane.HIHAT,))).at(0.0).notes) == 1 for seed in range(50))


def test_a_lane_made_alone_has_the_coins_of_the_whole_bar():
    whole = bar(8).lane(Lane.SNARE)
    alone = bar(8, lanes=frozenset((Lane.SNARE,))).notes
    assert len(alone) == 16
    assert sum(a != b for a, b in zip(whole, alone, strict=True)) <= 1  # the lowest coin counts as 0


def test_bass_pitches_are_on_the_scale_and_spread():
    pitches = {note.pitch for seed in range(20) for note in bar(seed, scale="minor-pentatonic").lane(Lane.BASS)}
    assert pitches == {0, 3, 5, 7, 10, 12, 15}


def test_style_temperature_and_energy_change_no_note():
    assert bar(4, style="none at all", temperature=2.0, energy=0.9).notes == bar(4).notes


def test_unknown_scale():
    with pytest.raises(UnknownNameError, match="Did you mean 'minor'"):
        bar(1, scale="minr")


def test_provenance():
    told = bar(99, lanes=ALL_LANES).provenance
    assert (told.generator, told.seed, told.model) == ("random", 99, RANDOM.model_hash)
    assert told.parameters["lanes"] == "kick,snare,hihat,cymbal,bass"

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from hitloopd.core.energy import Meter, measure, measured, prioritise
from hitloopd.core.pattern import LANES, Lane, Note, Pattern


def some_notes(count: int, seed: int = 1) -> list[Note]:
    dice = random.Random(seed)
    return [
        Note(dice.randrange(1900), dice.choice(LANES), 0, dice.randrange(20, 900), dice.randrange(20, 128) / 127)
        for _ in range(count)
    ]


def test_silence_has_no_energy_and_every_note_adds_some():
    notes = some_notes(60)
    levels = [measure(notes[:count]).value for count in range(61)]
    assert levels[0] == 0.0
    assert all(after > before for before, after in pairwise(levels))
    assert levels[-1] < 1.0


def test_the_parts_hear_what_they_are_named_for():
    hats = measure([Note(tick, Lane.HIHAT, velocity=0.5) for tick in range(0, 1920, 120)])
    kicks = measure([Note(tick, Lane.KICK, velocity=0.5) for tick in range(0, 1920, 120)])
    loud = measure([Note(tick, Lane.HIHAT, velocity=1.0) for tick in range(0, 1920, 120)])
    offbeat = measure([Note(120 + tick, Lane.HIHAT, velocity=0.5) for tick in range(0, 1920, 480)])
    onbeat = measure([Note(tick, Lane.HIHAT, velocity=0.5) for tick in range(0, 1920, 480)])
    assert (hats.low_end, hats.density) == (0.0, kicks.density)
    assert kicks.low_end > 0.5
    assert loud.velocity > hats.velocity
    assert offbeat.syncopation > onbeat.syncopation == 0.0


def test_a_meter_reads_on_the_way_what_measuring_the_part_gives():
    notes = some_notes(20)
    meter = Meter()
    for count, note in enumerate(notes, 1):
        meter.add(note)
        assert meter.read() == measure(notes[:count])


@pytest.mark.parametrize("seed", range(5))
def test_energy_follows_the_knob_in_a_straight_line_to_within_a_note(seed):
    notes = some_notes(50, seed)
    bar = Pattern(prioritise(notes, skeleton=5))
    low, high = measured(bar, 0.0), measured(bar, 1.0)
    levels = [measure(notes[:count]).value for count in range(5, 51)]
    one_note = max(after - before for before, after in pairwise(levels))
    for tenth in range(11):
        wanted = low + (high - low) * tenth / 10
        assert wanted - one_note <= measured(bar, tenth / 10) <= wanted + 1e-5


def test_with_a_typical_count_that_many_sound_in_the_middle():
    notes = some_notes(50)
    ranked = prioritise(notes, skeleton=5, typical=20)
    bar = Pattern(ranked)
    assert [len(bar.at(knob).notes) for knob in (0.0, 0.5, 1.0)] == [5, 20, 50]
    assert [note.priority for note in ranked] == sorted(note.priority for note in ranked)


@pytest.mark.parametrize(("skeleton", "typical"), [(0, None), (0, 0), (9, 2), (50, 50), (50, None), (3, 3)])
def test_odd_counts_are_kept_within_the_notes(skeleton, typical):
    bar = Pattern(prioritise(some_notes(10), skeleton=skeleton, typical=typical))
    assert len(bar.at(0.0).notes) >= 1
    assert len(bar.at(1.0).notes) == 10


def test_no_notes_no_priorities():
    assert prioritise([], skeleton=3) == ()
    assert prioritise([], skeleton=3, typical=2) == ()

"""The small parts of the engine: lateness, tap, tempo map, ledger, deck."""

from __future__ import annotations

import random

from hitloopd.core.score import Score
from hitloopd.core.time import NS_PER_S, TICKS_PER_CLOCK, Timeline
from hitloopd.engine.clock_follower import FollowedTime, TempoEstimate
from hitloopd.engine.deck import Deck
from hitloopd.engine.lateness import Lateness
from hitloopd.engine.ledger import Ledger, Planned
from hitloopd.engine.tap import Tap
from hitloopd.engine.tempo_map import TempoMap, next_clock


def test_lateness_percentiles_are_good_to_nine_percent() -> None:
    lateness = Lateness()
    draw = random.Random(1)
    values = sorted(draw.lognormvariate(3, 2) for _ in range(5000))
    for value in values:
        lateness.add(round(value * 1000))
    for share in (0.5, 0.9, 0.99):
        exact = values[int(share * len(values))]
        assert exact * 0.98 <= lateness.percentile(share) <= exact * 1.1
    assert lateness.percentile(1.0) == lateness.max_us
    assert sum(count for _, count in lateness.table()) == 5000


def test_lateness_of_nothing_is_nothing_and_early_is_not_late() -> None:
    lateness = Lateness()
    assert lateness.percentile(0.99) == 0.0
    lateness.add(-5000)
    assert lateness.max_us == 0.0


def test_tap_gives_the_tempo_of_the_taps_and_forgets_after_a_pause() -> None:
    tap = Tap()
    taps = [tap.tap(round(index * NS_PER_S * 60 / 130)) for index in range(5)]
    assert taps[0] is None
    assert taps[1:] == [130.0] * 4
    assert tap.tap(60 * NS_PER_S) is None
    assert tap.tap(60 * NS_PER_S + 1000) is None  # faster than 300 BPM is no tempo


def test_a_ramp_that_is_overtaken_is_dropped() -> None:
    tempo = TempoMap(Timeline(120.0, 0, 0))
    tempo.change(180.0, from_tick=1, ramp_beats=16)
    tempo.change(90.0, from_tick=100)
    assert tempo.target_bpm == 90.0
    assert tempo.bpm_at(100) == 90.0
    assert 120.0 < tempo.bpm_at(99) < 125.0


def test_a_tempo_map_forgets_what_lies_far_behind() -> None:
    tempo = TempoMap(Timeline(120.0, 0, 0))
    for index in range(500):
        tempo.change(100.0 + index % 50, from_tick=index * 40)
    assert tempo.reach(tempo.ns_at(500 * 40)) == 500 * 40
    assert len(tempo.take_joined()) == 500
    assert tempo.take_joined() == []


def test_next_clock_is_the_tick_itself_or_the_one_after() -> None:
    assert [next_clock(tick) for tick in (-19, 0, 1, 20)] == [0, 0, 20, 20]


def test_a_shortened_note_ends_once() -> None:
    ledger = Ledger()
    note = Planned(0, 400, 0, 36, 100)
    ledger.begin(note)
    ledger.shorten(note, 100)
    ledger.shorten(note, 300)  # later than it ends: nothing to do
    assert ledger.next_end() == 100
    ledger.end(ledger.pop_end())
    assert ledger.next_end() is None
    assert len(ledger) == 0


def test_the_deck_decides_a_bar_once() -> None:
    deck = Deck()
    one, two = Score((), "one"), Score((), "two")
    deck.cue(one)
    assert deck.freeze(0) is one
    deck.cue(two)
    assert deck.freeze(0) is one
    assert deck.is_frozen(0)
    assert deck.freeze(1920) is two
    deck.thaw()
    assert not deck.is_frozen(0)


def test_a_pause_of_the_master_is_no_tempo() -> None:
    estimate = TempoEstimate(120.0)
    period = NS_PER_S * 60 / (120 * 24)
    for index in range(60):
        estimate.add(round(index * period))
    for index in range(60, 120):
        estimate.add(round(index * period) + NS_PER_S)
    assert abs(estimate.bpm - 120.0) < 0.1


def test_the_past_of_a_followed_clock_is_remembered() -> None:
    time = FollowedTime(tick=0, at_ns=0, bpm=120.0)
    arrivals = [0]
    for index in range(1, 40):
        arrivals.append(index * 20_833_333 + (index % 3) * 500_000)
        assert time.clock(arrivals[-1])
    assert [time.ns_at(index * TICKS_PER_CLOCK) for index in range(40)] == arrivals
    for index in range(40):
        assert time.reach(arrivals[index]) == index * TICKS_PER_CLOCK
    assert time.reach(-5) == -1
    assert time.ns_at(-20) < 0

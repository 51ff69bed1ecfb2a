from __future__ import annotations

from dataclasses import replace

import pytest

from hitloopd.core.errors import RangeError, UnknownNameError
from hitloopd.core.pattern import ALL_LANES, LANES, Lane, Note, Pattern
from hitloopd.core.request import Request, next_seed
from hitloopd.generate.expect import likely_next
from hitloopd.generate.pool import Pool
from hitloopd.generate.rules import Rules


class Maker:
    """Counts what it makes; refuses the style 'none'."""

    def __init__(self):
        self.made: list[Request] = []

    def __call__(self, request: Request) -> Pattern:
        if request.style == "none":
            raise UnknownNameError("no style 'none'")
        self.made.append(request)
        return Rules().generate(request)


def asks(*seeds: int, **more) -> list[Request]:
    return [Request("rules", seed, **more) for seed in seeds]


def test_a_bar_made_ahead_is_just_what_would_have_been_made():
    pool = Pool(Maker())
    (request,) = asks(5)
    pool.expect([request])
    assert pool.work()
    bar, ready = pool.take(Request("rules", 5))
    assert ready
    assert bar == Rules().generate(request)


def test_what_was_not_expected_is_made_at_once_and_kept():
    maker = Maker()
    pool = Pool(maker)
    assert pool.take(*asks(1))[1] is False
    assert pool.take(*asks(1))[1] is True
    assert len(maker.made) == 1


def test_work_makes_the_most_likely_first_and_stops_when_all_are_there():
    maker = Maker()
    pool = Pool(maker)
    pool.expect(asks(3, 1, 2, 3))
    assert [pool.work() for _ in range(4)] == [True, True, True, False]
    assert [request.seed for request in maker.made] == [3, 1, 2]
    assert pool.ready == 3


def test_a_new_expectation_replaces_the_old_and_counts_what_is_there():
    pool = Pool(Maker())
    pool.expect(asks(1, 2))
    pool.work()
    pool.expect(asks(1, 7, 8))
    assert pool.ready == 1
    while pool.work():
        pass
    assert pool.ready == 3


def test_it_is_bounded_and_the_bar_unused_for_longest_goes():
    maker = Maker()
    pool = Pool(maker, size=3)
    for request in asks(1, 2, 3):
        pool.take(request)
    pool.take(*asks(1))
    pool.take(*asks(4))
    assert [pool.take(request)[1] for request in asks(1, 3, 4)] == [True, True, True]
    assert pool.take(*asks(2))[1] is False


def test_expected_bars_outlive_others_and_more_than_fit_are_left_out():
    pool = Pool(Maker(), size=3)
    pool.expect(asks(1, 2))
    while pool.work():
        pass
    for request in asks(10, 11, 12, 13):
        pool.take(request)
    assert pool.ready == 2
    pool.expect(asks(*range(20, 30)))
    assert [pool.work() for _ in range(4)] == [True, True, True, False]


def test_the_condition_belongs_to_the_request():
    maker = Maker()
    pool = Pool(maker)
    bass = frozenset((Lane.BASS,))
    one, other = (Pattern((Note(tick, Lane.KICK),)) for tick in (0, 480))
    first, second = (Request("rules", 1, "trap", lanes=bass, condition=bar) for bar in (one, other))
    pool.take(first)
    assert pool.take(second)[1] is False
    assert pool.take(replace(first, condition=Pattern((Note(0, Lane.KICK),))))[1] is True


def test_a_refused_expectation_holds_nobody_up():
    maker = Maker()
    pool = Pool(maker)
    pool.expect([*asks(1, style="none"), *asks(2)])
    with pytest.raises(UnknownNameError):
        pool.work()
    assert [pool.work(), pool.work()] == [True, False]
    with pytest.raises(UnknownNameError):
        pool.take(*asks(1, style="none"))


def test_a_pool_holds_at_least_one():
    with pytest.raises(RangeError, match="pool size"):
        Pool(Maker(), size=0)


def test_likely_next_is_the_next_dice_and_every_lane_alone():
    request = Request("rules", 7, "techno")
    first = likely_next(request, 1)
    assert [ask.lanes for ask in first] == [ALL_LANES, *(frozenset((lane,)) for lane in LANES)]
    assert {ask.seed for ask in first} == {next_seed(7)}
    assert {ask.style for ask in first} == {"techno"}
    deep = likely_next(request, 3)
    assert deep[:6] == first
    assert [ask.seed for ask in deep[::6]] == [
        next_seed(7),
        next_seed(next_seed(7)),
        next_seed(next_seed(next_seed(7))),
    ]
    assert likely_next(request, 0) == []


def test_after_a_single_lane_the_same_lane_is_likeliest():
    hats = Request("rules", 7, lanes=frozenset((Lane.HIHAT,)))
    assert [ask.lanes for ask in likely_next(hats, 1)][:2] == [frozenset((Lane.HIHAT,)), ALL_LANES]


def test_locked_lanes_are_not_expected_and_the_rest_of_the_bar_is_the_condition():
    bar = Rules().generate(Request("rules", 1))
    locked = frozenset((Lane.KICK,))
    asked = likely_next(Request("rules", 1), 1, bar=bar, locked=locked)
    assert [ask.lanes for ask in asked] == [ALL_LANES - locked, *(frozenset((lane,)) for lane in LANES[1:])]
    assert {note.lane for note in asked[0].condition.notes} == {Lane.KICK}
    assert {note.lane for note in asked[1].condition.notes} == ALL_LANES - {Lane.SNARE}

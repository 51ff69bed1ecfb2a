"""Routes, errors, requests and feel: what they refuse and what they say."""

from __future__ import annotations

import pytest

from hitloopd.core.errors import ConfigError, RangeError, UnknownNameError, nearest, require_range
from hitloopd.core.feel import Feel
from hitloopd.core.kit import Slot
from hitloopd.core.pattern import Lane
from hitloopd.core.request import MAX_SEED, Request, next_seed
from hitloopd.core.routes import PRESETS, Curve, OutputSpec, Route, preset, velocity_byte
from hitloopd.core.transport import Position


def test_rule_20_the_presets_are_gm_live_and_the_papers() -> None:
    drums = (Lane.KICK, Lane.SNARE, Lane.HIHAT, Lane.CYMBAL)
    assert [PRESETS["gm"][lane].note for lane in drums] == [36, 38, 42, 46]
    assert [PRESETS["live"][lane].note for lane in drums] == [36, 37, 38, 39]
    assert [PRESETS["paper"][lane].note for lane in drums[:3]] == [35, 38, 42]
    for routes in PRESETS.values():
        assert {routes[lane].channel for lane in drums} == {10}
        assert routes[Lane.BASS].channel == 1


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'live'"):
        preset("liv")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Route(0),
        lambda: Route(17),
        lambda: Route(1, 128),
        lambda: Route(1, gate=0.0),
        lambda: Route(1, offset_ms=51),
        lambda: OutputSpec("x", offset_ms=-101),
        lambda: Feel({Lane.KICK: 0.8}),
        lambda: Feel(humanise=1.1),
        lambda: Request("rules", -1),
        lambda: Request("rules", MAX_SEED + 1),
        lambda: Request("rules", 1, energy=1.5),
        lambda: Slot("x", gain_db=13),
        lambda: Slot("x", pan=2),
    ],
)
def test_values_outside_their_range_can_not_be(make) -> None:
    with pytest.raises(RangeError, match="must be"):
        make()


@pytest.mark.parametrize("curve", list(Curve))
def test_every_curve_gives_a_sounding_velocity(curve: Curve) -> None:
    values = [velocity_byte(curve, share / 100) for share in range(1, 101)]
    assert values == sorted(values)
    assert min(values) >= 1
    assert max(values) <= 127


def test_seeds_follow_each_other_without_a_short_circle() -> None:
    seen = {1}
    seed = 1
    for _ in range(5000):
        seed = next_seed(seed)
        assert 0 <= seed <= MAX_SEED
        seen.add(seed)
    assert len(seen) > 4990


def test_a_position_counts_bars_beats_and_sixteenths() -> None:
    place = Position(1920 * 3 + 480 * 2 + 130)
    assert (place.bar, place.beat, place.cell, place.sixteenth) == (3, 2, 9, 57)


def test_errors_say_range_and_nearest_names() -> None:
    with pytest.raises(RangeError, match=r"tempo must be 20 to 300, got 19; nothing was changed"):
        require_range("tempo", 19, 20, 300)
    assert nearest("zzz", ["house"]) == ""
    assert ConfigError(["a", "b"]).problems == ("a", "b")

"""One contract for generators: rules, coin flip, row mix, a small learned one, and every model that ships."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hitloopd.app.resources import places
from hitloopd.core.energy import measured
from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import ALL_LANES, DRUM_LANES, LANES, Lane, pattern_from_json
from hitloopd.core.request import Request
from hitloopd.generate.places import Places
from hitloopd.generate.registry import load, models
from tests.generate.tiny_model import index_file, write_dataset, write_model

SHIPPED = tuple(models(Places((Path(__file__).parents[2] / "models",))))
BARS = 12


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory) -> Places:
    folder = tmp_path_factory.mktemp("generators")
    write_model(folder / "models" / "tiny", index=index_file())
    write_dataset(folder / "data")
    return Places((folder / "models", *places().models), folder / "data")


@pytest.fixture(scope="module", params=["rules", "random", "rowmix", "tiny", *SHIPPED])
def generator(request, everywhere):
    return load(request.param, everywhere)


def requests(generator, **changes):
    return [
        Request(generator.name, 1000 + n, energy=(n % 5) / 4, temperature=(0.0, 0.7, 1.0, 2.0)[n % 4], **changes)
        for n in range(BARS)
    ]


@pytest.fixture(scope="module")
def asked_and_drawn(generator):
    """Requests and their bars: drawn once, for a network takes most of the time of these tests."""
    return [(request, generator.generate(request)) for request in requests(generator)]


def test_same_request_same_bytes(generator, asked_and_drawn, everywhere):
    again = load(generator.name, everywhere)
    for request, bar in asked_and_drawn:
        assert again.generate(request) == bar
    for request, bar in asked_and_drawn[::-5]:
        assert generator.generate(request) == bar


def test_bars_are_named_after_who_made_them_from_what(generator, asked_and_drawn):
    for request, bar in asked_and_drawn:
        told = bar.provenance
        assert (told.generator, told.model, told.seed) == (generator.name, generator.model_hash, request.seed)
        assert told.model
        assert told.sources
        assert bar.root == request.root
        assert pattern_from_json(json.loads(json.dumps(bar.as_json()))) == bar


def test_only_the_lanes_asked_for_come_back(generator):
    for lane in LANES:
        for request in requests(generator, lanes=frozenset({lane}))[:3]:
            assert {note.lane for note in generator.generate(request).notes} <= {lane}


def test_drums_have_no_pitch(asked_and_drawn):
    for _, bar in asked_and_drawn:
        assert all(note.pitch == 0 for note in bar.notes if note.lane in DRUM_LANES)


def test_the_knob_never_moves_the_energy_the_wrong_way_and_something_is_left_at_both_ends(asked_and_drawn):
    for _, bar in asked_and_drawn:
        levels = [measured(bar, step / 20) for step in range(21)]
        assert levels == sorted(levels)
        assert bar.at(0.0).notes
        assert len(bar.at(1.0).notes) >= len(bar.at(0.5).notes) + 4
        assert levels[-1] > levels[0] + 0.04


def test_seeds_differ(asked_and_drawn):
    bars = [replace(bar, provenance=_nobody()) for _, bar in asked_and_drawn[1::4]]
    assert len({bar.id for bar in bars}) == len(bars)


def test_many_at_once_are_the_same_as_one_by_one(generator, asked_and_drawn):
    many = getattr(generator, "generate_many", None)
    if many is not None:
        pairs = zip(many([request for request, _ in asked_and_drawn]), (bar for _, bar in asked_and_drawn), strict=True)
        others = sum(bar.notes != alone.notes for bar, alone in pairs)
        assert others <= 1, "sums in another order may tip a choice once in a thousand bars, not more"


def test_a_condition_leaves_the_others_alone(generator):
    whole = generator.generate(Request(generator.name, 4))
    lanes = frozenset({Lane.HIHAT, Lane.CYMBAL})
    kept = replace(whole, notes=tuple(n for n in whole.at(0.5).notes if n.lane not in lanes), provenance=_nobody())
    request = Request(generator.name, 5, lanes=lanes, condition=kept)
    bar = generator.generate(request)
    assert {note.lane for note in bar.notes} <= lanes
    assert generator.generate(request) == bar


def test_between_two_bars_it_draws_a_third_or_says_that_it_can_not(generator):
    points = tuple(generator.generate(Request(generator.name, seed)) for seed in (1, 2))
    request = Request(generator.name, 2, points=points, morph=0.5)
    try:
        bar = generator.generate(request)
    except UnavailableError:
        return
    assert generator.generate(request) == bar
    assert {note.lane for note in bar.notes} <= ALL_LANES


def _nobody():
    from hitloopd.core.pattern import NO_PROVENANCE

    return NO_PROVENANCE

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import LANES, Lane
from hitloopd.core.request import Request
from hitloopd.generate.places import Places
from hitloopd.generate.registry import load
from hitloopd.generate.rowmix import RowMix
from tests.generate.tiny_model import write_dataset

SOURCE = re.compile(r"(\w+)( at higher energy)?: '(Song \d)' bar (\d+) by (\w+) \(CC BY 4.0\)")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bars")
    return folder, write_dataset(folder)


@pytest.fixture(scope="module")
def mixer(data):
    return RowMix(data[0])


def index_of(arrays, title, number):
    return int(np.flatnonzero((arrays["bars/title"] == title) & (arrays["bars/bar"] == number - 1))[0])


def lane_of(arrays, bar, lane):
    """(start, pitch) of a bar's lane, kept within the bar as the daemon plays it."""
    rows = arrays["events/row"]
    of_lane = rows >= 4 if lane is Lane.BASS else rows == LANES.index(lane)
    which = (arrays["events/bar"] == bar) & of_lane
    pitch = rows[which].astype(int) - 4 if lane is Lane.BASS else rows[which].astype(int) * 0
    return set(zip(np.clip(arrays["events/start_ticks"][which], -18, 1919).tolist(), pitch.tolist(), strict=True))


def test_every_lane_is_the_real_bars_that_provenance_names(mixer, data):
    for seed in range(30):
        bar = mixer.generate(Request("rowmix", seed))
        named = [SOURCE.fullmatch(source).groups() for source in bar.provenance.sources]
        plain = {lane: index_of(data[1], title, int(n)) for lane, high, title, n, _ in named if not high}
        for lane in LANES:
            sounding = {(note.start_ticks, note.pitch) for note in bar.at(0.5).lane(lane)}
            assert sounding == lane_of(data[1], plain[lane.value], lane)
            lent = [index_of(data[1], title, int(n)) for name, high, title, n, _ in named if high and name == lane]
            more = {(note.start_ticks, note.pitch) for note in bar.lane(lane)} - sounding
            assert more <= set().union(*(lane_of(data[1], other, lane) for other in lent))


def test_every_lane_is_from_another_bar_and_from_training_songs_with_a_bass_where_it_has_one(mixer, data):
    seen = set()
    for seed in range(60):
        sources = mixer.generate(Request("rowmix", seed)).provenance.sources
        named = [SOURCE.fullmatch(source).groups() for source in sources]
        bars = [index_of(data[1], title, int(n)) for _, high, title, n, _ in named if not high]
        assert len(set(bars)) == len(bars)
        assert (data[1]["bars/split"][bars] == "train").all()
        assert data[1]["bars/has_bass"][bars[-1]]
        seen |= set(bars)
    assert len(seen) == 9


def test_temperature_0_is_one_real_bar(mixer):
    bar = mixer.generate(Request("rowmix", 3, temperature=0.0))
    named = {source.partition(": ")[2] for source in bar.provenance.sources if "higher" not in source}
    assert len(named) == 1


def test_a_lane_made_alone_is_that_of_the_whole_bar(mixer):
    request = Request("rowmix", 5)
    whole = mixer.generate(request)
    alone = mixer.generate(replace(request, lanes=frozenset({Lane.SNARE})))
    assert [n.start_ticks for n in alone.at(0.5).notes] == [n.start_ticks for n in whole.at(0.5).lane(Lane.SNARE)]


def test_same_request_same_bytes(mixer, data):
    request = Request("rowmix", 9)
    assert RowMix(data[0]).generate(request) == mixer.generate(request)
    assert mixer.generate(replace(request, seed=10)).notes != mixer.generate(request).notes


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04 half"])
def test_without_a_data_set_it_says_how_to_build_one(tmp_path, content):
    if content is not None:
        (tmp_path / "bars.npz").write_bytes(content)
    with pytest.raises(UnavailableError, match="python -m offline dataset build"):
        load("rowmix", Places(dataset=tmp_path))
    with pytest.raises(UnavailableError, match=r"gen\.dataset=DATASET"):
        load("rowmix")


def test_a_data_set_of_one_bar_still_mixes(tmp_path):
    write_dataset(tmp_path, n=4)  # one of them is for training
    bar = RowMix(tmp_path).generate(Request("rowmix", 1))
    assert len(bar.notes) >= len(bar.at(0.5).notes) + 4
    assert "rowmix itself" in bar.provenance.sources[-1]

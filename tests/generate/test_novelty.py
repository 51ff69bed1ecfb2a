from __future__ import annotations

import zipfile

import numpy as np
import pytest

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import Lane, Note, Pattern
from hitloopd.generate.credits import song_credits
from hitloopd.generate.novelty import (
    CELLS,
    DRUM_CELLS,
    NO_BASS,
    PRINT_BYTES,
    Index,
    exact_distances,
    fingerprints,
    grid_of,
    index_bytes,
    load_index,
    read_index,
)
from tests.generate.tiny_model import index_file

SONGS = [{"title": "A", "author": "Ada", "licence": "CC0"}, {"title": "B", "author": "Bo", "licence": "MIT"}]


def grids(n, chance=0.25, seed=1):
    return np.random.default_rng(seed).random((n, 16, 5)) < chance


def index(bars, *, drums_only=(), song=None):
    prints, hits = fingerprints(bars, "key")
    hits[list(drums_only), 1] = NO_BASS
    places = np.arange(len(bars), dtype=np.uint16)
    song = places % 2 if song is None else np.array(song, dtype=np.uint16)
    return Index("key", np.ascontiguousarray(prints.T), hits, song, places, SONGS)


def pattern(grid):
    lanes = list(Lane)
    return Pattern(tuple(Note(int(cell) * 120, lanes[lane]) for cell, lane in zip(*np.nonzero(grid), strict=True)))


def test_a_bar_is_at_no_distance_from_itself():
    bars = grids(200)
    found = index(bars)
    for place in (0, 77, 199):
        cells, of = found.distances(bars[place])
        assert cells[place] == 0
        assert (of == CELLS).all()


def test_a_few_changed_cells_are_counted_exactly():
    dice = np.random.default_rng(5)
    bars = grids(300)
    found, off = index(bars), []
    for place in range(300):
        near = bars[place].copy()
        changed = dice.choice(CELLS, int(dice.integers(1, 5)), replace=False)
        near.reshape(-1)[changed] ^= True
        off.append(int(found.distances(near)[0][place]) - len(changed))
    assert np.mean(np.array(off) == 0) > 0.9
    assert np.abs(off).max() <= 2


def test_estimates_follow_the_exact_distance_and_its_parity():
    bars, queries = grids(500), grids(20, seed=2)
    found = index(bars)
    for query in queries:
        cells, _ = found.distances(query)
        exact = exact_distances(bars, np.ones(500, dtype=bool), query)
        assert ((cells - exact) % 2 == 0).all()
        assert np.abs(cells - exact).mean() < 5, "bars of chance are some 32 cells apart"


def test_a_bars_negative_is_far_from_it():
    bars = np.zeros((1, 16, 5), dtype=bool)
    bars[0, ::2] = True
    cells, _ = index(bars).distances(~bars[0])
    assert cells[0] >= CELLS / 3


def test_where_the_training_bar_has_no_bass_only_drums_are_compared():
    bars = grids(2)
    bars[1] = bars[0]
    found = index(bars, drums_only=[1])
    query = bars[0].copy()
    query[:, 4] ^= True
    cells, of = found.distances(query)
    assert of.tolist() == [CELLS, DRUM_CELLS]
    assert cells[0] > 0
    assert cells[1] == 0


def test_the_nearest_are_of_different_songs_nearest_first():
    bars = grids(100)
    found = index(bars, song=[0] * 90 + [1] * 10)
    first, second = found.nearest(pattern(bars[4]))
    assert (first.title, first.cells, first.bar) == ("A", 0, 4)
    assert second.title == "B"
    assert second.cells > 0


def test_an_empty_index_has_nothing_near():
    assert index(grids(0)).nearest(pattern(grids(1)[0])) == ()


def test_a_patterns_grid_is_its_cells():
    grid = grids(1)[0]
    assert (grid_of(pattern(grid)) == grid).all()


def test_an_index_is_read_as_it_was_written_and_the_same_one_has_the_same_bytes():
    found = index(grids(30))
    again = read_index(index_bytes(found))
    assert (again.prints == found.prints).all()
    assert again.songs == found.songs
    assert index_bytes(again) == index_bytes(found)
    assert again.prints.shape == (PRINT_BYTES, 30)


def test_bars_can_not_be_told_from_an_index_of_another_key():
    bars = grids(50)
    one, other = fingerprints(bars, "key")[0], fingerprints(bars, "another")[0]
    assert (one != other).any(axis=1).all()


def test_a_damaged_index_is_refused_whatever_the_damage(tmp_path):
    data = bytearray(index_file())
    dice = np.random.default_rng(3)
    for length in range(0, len(data), 97):
        with pytest.raises(UnavailableError):
            read_index(bytes(data[:length]))
    for _ in range(100):
        spoilt = bytearray(data)
        for place in dice.integers(0, len(data), 3):
            spoilt[place] ^= int(dice.integers(1, 256))
        try:
            read_index(bytes(spoilt))
        except UnavailableError:
            continue
    with pytest.raises(UnavailableError, match="can't be read"):
        load_index(tmp_path / "none.zip")


def test_credits_are_read_without_numpy_and_refused_where_they_are_not(tmp_path):
    (tmp_path / "index.zip").write_bytes(index_file())
    assert [song["author"] for song in song_credits(tmp_path)] == ["Ada", "Bo"]
    for content in ("[]", '{"songs": 3}', '{"songs": [1]}', "{"):
        with zipfile.ZipFile(tmp_path / "index.zip", "w") as file:
            file.writestr("index.json", content)
        with pytest.raises(UnavailableError, match=r"index\.zip"):
            song_credits(tmp_path)

"""A data set comes back from disk as it was, and the same bars give the same bytes."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest

from hitloopd.core.errors import RangeError, UnavailableError
from offline.dataset.build import assemble, cut_all, find
from offline.dataset.store import BARS_FILE, COLUMNS, EVENT_COLUMNS, Bars, load_bars, save
from tests.offline.songbook import library


@pytest.fixture(scope="module")
def bars(tmp_path_factory) -> Bars:
    folder = tmp_path_factory.mktemp("store")
    done, skipped = cut_all(find([library(folder / "songs")]), folder / "pieces", quiet=True)
    assert not skipped
    return assemble(done, {"licences": ["cc0"], "unknown licences allowed": False})


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS) and all(
        np.array_equal(getattr(one.events, name), getattr(other.events, name)) for name in EVENT_COLUMNS
    )


def test_what_is_saved_is_loaded(bars, tmp_path):
    save(tmp_path, bars)
    assert same(load_bars(tmp_path), bars)
    assert load_bars(tmp_path).facts == bars.facts


def test_the_same_bars_give_the_same_bytes(bars, tmp_path):
    for name in ("one", "two"):
        save(tmp_path / name, bars)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["bars.csv", "bars.npz", "sources.json"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_table_has_a_row_a_bar_for_people(bars, tmp_path):
    save(tmp_path, bars)
    with (tmp_path / "bars.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(bars)
    assert rows[0]["author"] == "author 0"
    assert {row["licence"] for row in rows} == {"CC0 1.0", "CC BY 4.0", "BSD-3-Clause"}


def test_a_selection_takes_its_events_along(bars):
    index = np.array([5, 2, 2, 9])
    some = bars.take(index)
    assert some.file.tolist() == bars.file[index].tolist()
    for place, source in enumerate(index):
        mine = some.events.bar == place
        theirs = bars.events.bar == source
        assert mine.sum() > 0
        for name in EVENT_COLUMNS[1:]:
            assert np.array_equal(getattr(some.events, name)[mine], getattr(bars.events, name)[theirs])
    mask = bars.has_bass
    assert len(bars.take(mask)) == mask.sum()
    assert not len(bars.take(np.zeros(len(bars), dtype=bool)).events)


def test_the_kinds_are_those_that_were_agreed(bars):
    kinds = {"rolls": np.uint8, "has_bass": np.bool_, "bar": np.int32, "duplicate": np.bool_}
    assert {name: getattr(bars, name).dtype.type for name in kinds} == kinds
    events = {"bar": np.int32, "row": np.uint8, "start_ticks": np.int16, "length_ticks": np.int16, "velocity": np.uint8}
    assert {name: getattr(bars.events, name).dtype.type for name in events} == events
    assert bars.rolls.shape == (len(bars), 128, 20)


def test_a_duplicate_is_marked_and_its_first_is_not(bars):
    seen = set()
    for roll, marked in zip(bars.rolls, bars.duplicate, strict=True):
        assert marked == (roll.tobytes() in seen)
        seen.add(roll.tobytes())
    assert bars.duplicate.any()


def test_no_song_lies_in_two_parts(bars):
    parts = {}
    for song, part in zip(bars.song.tolist(), bars.split.tolist(), strict=True):
        assert parts.setdefault(song, part) == part


def test_a_folder_without_a_data_set_says_how_to_build_one(tmp_path):
    with pytest.raises(UnavailableError, match="dataset build"):
        load_bars(tmp_path)


def test_a_data_set_of_another_encoding_is_refused(bars, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("offline.dataset.store.ENCODING", 0)
        save(tmp_path, bars)
    with pytest.raises(RangeError, match="build it again"):
        load_bars(tmp_path)
    assert (tmp_path / BARS_FILE).is_file()


def test_every_bar_can_be_played_again_from_its_events(bars):
    """The roll's onsets and the events are two views of one thing."""
    assert set(bars.events.bar.tolist()) == set(range(len(bars)))
    step = np.clip((bars.events.start_ticks.astype(int) + 7) // 15, 0, 127)
    assert (bars.rolls[bars.events.bar, step, bars.events.row] > 0).all()
    assert dataclasses.is_dataclass(bars)

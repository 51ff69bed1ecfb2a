"""Drums in the light of their bars: where candidates lie, and which of them are hits."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES, Lane
from offline.transcription.drums.bar_grid import CELLS, CHANNELS, LANES, NONE, SURE, BarGrid, laid
from offline.transcription.drums.part import APART_S, FEWEST, PAGE, SHIPPED, in_bars, pages
from offline.transcription.drums.sounds import LENGTH
from offline.transcription.heard import DrumHit, DrumsHeard, FoundBar

BEAT_S = 0.5


def bars(count: int, start_s: float = 1.0, beats: int = 4) -> list[FoundBar]:
    starts = [start_s + bar * beats * BEAT_S for bar in range(count)]
    return [FoundBar(at, at + beats * BEAT_S, tuple(at + BEAT_S * n for n in range(beats)), 0.9) for at in starts]


def maybe(time_s: float, lane: Lane, sure: float, velocity: float = 0.7) -> DrumHit:
    return DrumHit(time_s, lane, velocity, sure)


def test_moments_lie_in_the_cells_that_they_are_nearest_to():
    grid = BarGrid.of(bars(2))
    cell_s = BEAT_S / 12
    assert grid.rows == 2
    at = np.array([1.0, 1.0 - 0.4 * cell_s, 1.0 + 0.6 * cell_s, 1.5, 3.0 - 0.4 * cell_s, 3.0, 4.99 - cell_s])
    assert grid.cells_of(at).tolist() == [0, 0, 1, 12, 48, 48, 95]


def test_outside_of_the_bars_there_are_no_cells():
    gap = [*bars(1), *bars(1, start_s=3.4)]
    cell_s = BEAT_S / 12
    at = np.array([0.2, 1.0 - 0.6 * cell_s, 3.0 - 0.4 * cell_s, 3.2, 5.4, 9.0])
    assert BarGrid.of(gap).cells_of(at).tolist() == [NONE] * 6
    assert BarGrid.of([]).cells_of(at).tolist() == [NONE] * 6


def test_bars_of_other_lengths_begin_rows_too():
    grid = BarGrid.of([*bars(1, beats=3), *bars(1, start_s=2.5, beats=6), *bars(1, start_s=5.5)])
    assert grid.rows == 4
    assert grid.cells_of(np.array([1.0, 2.0, 2.5, 4.5, 5.0, 5.5])).tolist() == [0, 24, 48, 96, 108, 144]


def test_of_several_candidates_in_a_cell_the_likeliest_stays():
    found = [
        maybe(1.0, Lane.KICK, 0.2),
        maybe(1.01, Lane.KICK, 0.9, 0.4),
        maybe(1.0, Lane.SNARE, 0.5),
        maybe(0.1, Lane.KICK, 1),
    ]
    page = laid(BarGrid.of(bars(1)), found)
    assert page.sight.shape == (CHANNELS, CELLS)
    assert page.held[0].tolist() == [1, 2, NONE, NONE]
    odds, there, velocity = page.sight.reshape(3, LANES, CELLS)
    assert odds[:, 0] == pytest.approx([np.log(9) / SURE, 0.0, -1.0, -1.0], abs=1e-5)
    assert there[:, 0].tolist() == [1, 1, 0, 0]
    assert velocity[:, 0] == pytest.approx([0.4, 0.7, 0.0, 0.0])
    assert (page.held[1:] == NONE).all()
    assert page.sounding.tolist() == [2] + [NONE] * (CELLS - 1)


def test_a_cell_sounds_as_its_snare_or_else_as_what_is_likeliest_there():
    found = [maybe(1.0, Lane.KICK, 0.9), maybe(1.0, Lane.SNARE, 0.1), maybe(1.5, Lane.HIHAT, 0.3)]
    found.append(maybe(1.5, Lane.CYMBAL, 0.4))
    assert laid(BarGrid.of(bars(1)), found).sounding[[0, 12]].tolist() == [1, 3]


def groove(count: int) -> tuple[list[DrumHit], list[DrumHit]]:
    """A backbeat that is hardly heard under hats on every eighth, and snares that were misheard here and there."""
    draw = np.random.default_rng(5)
    sure: list[DrumHit] = []
    snares: list[DrumHit] = []
    for bar in bars(count):
        for eighth in range(8):
            at = bar.start_s + eighth * BEAT_S / 2
            sure.append(maybe(at, Lane.HIHAT, 0.95))
            if eighth in {0, 4}:
                sure.append(maybe(at, Lane.KICK, 0.95))
            if eighth in {2, 6}:
                snares.append(maybe(at + draw.normal(0, 0.004), Lane.SNARE, draw.uniform(0.3, 0.6)))
    odd = [bars(count)[bar].start_s + 0.25 * (2 * int(draw.integers(4)) + 1) for bar in range(0, count, 4)]
    return [*sure, *snares], [maybe(at, Lane.SNARE, 0.45) for at in odd]


def test_a_soft_backbeat_is_heard_and_single_snares_as_likely_are_mostly_not():
    true, misheard = groove(16)
    before = [hit for hit in true if hit.confidence > 0.7]
    found = in_bars(DrumsHeard(before, sorted([*true, *misheard])), bars(16))
    times = {lane: {hit.time_s for hit in found if hit.lane is lane} for lane in DRUM_LANES}
    wanted = {lane: {hit.time_s for hit in true if hit.lane is lane} for lane in DRUM_LANES}
    assert times[Lane.KICK] == wanted[Lane.KICK]
    assert times[Lane.HIHAT] == wanted[Lane.HIHAT]
    assert not times[Lane.CYMBAL]
    assert len(times[Lane.SNARE] & wanted[Lane.SNARE]) >= 0.9 * len(wanted[Lane.SNARE])
    assert len(times[Lane.SNARE] - wanted[Lane.SNARE]) <= 0.25 * len(misheard)


def with_ghosts(count: int) -> tuple[list[DrumHit], set[float], set[float]]:
    """The groove, faint snares and as many bells off the backbeat, with sounds; where those snares and bells are."""
    draw = np.random.default_rng(7)
    kinds = {name: draw.integers(0, 160, LENGTH) for name in ("snare", "bell", "hat")}
    true, _ = groove(count)
    faint = [bar.start_s + BEAT_S * (int(draw.integers(16)) + 0.5) / 4 for bar in bars(count) for _ in range(4)]
    sounding = [(hit, "snare" if hit.lane is Lane.SNARE else "hat") for hit in true]
    sounding += [(maybe(at, Lane.SNARE, 0.25), ("snare", "bell")[number % 2]) for number, at in enumerate(faint)]
    sounding += [(hit._replace(lane=Lane.SNARE, confidence=0.02), "hat") for hit in true if hit.lane is Lane.HIHAT]
    heard = [
        hit._replace(sound=(kinds[kind] + draw.integers(0, 60, LENGTH)).astype(np.uint8).tobytes())
        for hit, kind in sounding
    ]
    return sorted(heard), set(faint[::2]) - set(faint[1::2]), set(faint[1::2]) - set(faint[::2])


def test_what_sounds_like_the_snares_is_sooner_heard_off_the_backbeat_than_what_does_not():
    heard, snares, bells = with_ghosts(24)
    found = in_bars(DrumsHeard((), heard), bars(24))
    times = {hit.time_s for hit in found if hit.lane is Lane.SNARE}
    assert not any(hit.sound for hit in found)
    assert len(times & snares) / len(snares) > 2 * len(times & bells) / len(bells) + 0.1
    deaf = in_bars(DrumsHeard((), [hit._replace(sound=b"") for hit in heard]), bars(24))
    without = {hit.time_s for hit in deaf if hit.lane is Lane.SNARE}
    assert len(without & snares) / len(snares) < len(without & bells) / len(bells) + 0.2


def test_hits_are_candidates_by_time_and_as_sure_as_they_have_become():
    true, misheard = groove(8)
    candidates = sorted([*true, *misheard])
    found = in_bars(DrumsHeard((), candidates), bars(8))
    known = {(hit.time_s, hit.lane, hit.velocity) for hit in candidates}
    assert found == sorted(found)
    assert all((hit.time_s, hit.lane, hit.velocity) in known for hit in found)
    assert all(0.0 < hit.confidence <= 1.0 for hit in found)
    snares = [hit.confidence for hit in found if hit.lane is Lane.SNARE]
    assert np.mean(snares) > 0.6, "they were heard with 0.45 before"


def test_outside_of_the_bars_what_was_heard_before_stands():
    true, _ = groove(8)
    before, after = maybe(0.1, Lane.SNARE, 0.8), maybe(30.0, Lane.SNARE, 0.8)
    inside = maybe(1.2, Lane.SNARE, 0.8)
    found = in_bars(DrumsHeard([before, inside, after], true), bars(8))
    assert before in found
    assert after in found
    assert inside not in found, "no candidate"


@pytest.mark.parametrize("count", [0, FEWEST - 1])
def test_with_hardly_any_bars_what_was_heard_before_stands(count):
    true, _ = groove(8)
    hits = [maybe(1.0, Lane.KICK, 0.9)]
    assert in_bars(DrumsHeard(hits, true), bars(count)) == hits
    assert in_bars(DrumsHeard(hits), bars(8)) == hits


def test_hits_of_a_lane_keep_apart():
    true, _ = groove(8)
    near = [hit._replace(time_s=hit.time_s + 0.025) for hit in true if hit.lane is Lane.SNARE]
    found = in_bars(DrumsHeard((), sorted([*true, *near])), bars(8))
    snares = [hit.time_s for hit in found if hit.lane is Lane.SNARE]
    assert len(snares) >= 14
    assert min(np.diff(snares)) >= APART_S


def test_lanes_that_the_card_does_not_name_stay_as_they_were_heard(tmp_path: Path):
    true, misheard = groove(8)
    shutil.copytree(SHIPPED, tmp_path / "snares")
    path = tmp_path / "snares" / "card.yaml"
    card = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(card | {"hits": {"snare": card["hits"]["snare"]}}), encoding="utf-8")
    before = [maybe(1.2, Lane.KICK, 0.9), maybe(2.3, Lane.HIHAT, 0.9), maybe(2.4, Lane.SNARE, 0.9)]
    found = in_bars(DrumsHeard(before, sorted([*true, *misheard])), bars(8), tmp_path / "snares")
    assert [hit for hit in found if hit.lane is not Lane.SNARE] == before[:2]
    assert len([hit for hit in found if hit.lane is Lane.SNARE]) >= 14


@pytest.mark.parametrize("rows", [1, PAGE, PAGE + 1, 100, 1000])
def test_pages_tell_of_every_row_once(rows):
    told = [row for first, counts in pages(rows) for row in range(counts.start, counts.stop)]
    assert told == list(range(rows))
    for first, counts in pages(rows):
        assert first <= counts.start
        assert counts.stop <= min(first + PAGE, rows)


def test_a_network_that_is_not_what_its_card_says_is_refused(tmp_path: Path):
    true, _ = groove(8)
    heard = DrumsHeard((), true)
    with pytest.raises(UnavailableError, match="no drum part network"):
        in_bars(heard, bars(8), tmp_path)
    for name, change in {
        "other": {"sha256": "0" * 64},
        "lane": {"hits": {"clap": 0.5}},
        "bound": {"hits": {"snare": "often"}},
        "hits": {"hits": 0.5},
        "kind": {"kind": "drum-ear"},
    }.items():
        folder = tmp_path / name
        shutil.copytree(SHIPPED, folder)
        card = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
        (folder / "card.yaml").write_text(yaml.safe_dump(card | change), encoding="utf-8")
        with pytest.raises(UnavailableError, match=str(folder)):
            in_bars(heard, bars(8), folder)

"""Which candidates are hits, told by the part that the drummer plays: a stroke is heard again in the light of its bar.

What the drum network hears of a moment is often not enough to tell a snare from a hat in a dense mix. But drums repeat:
what sounds a little like a snare on the second beat of every bar is one, and what does so on one hat of sixteen is not.
A small network, taught with whole songs whose drums are known, weighs how sure each candidate is, what stands in the
same place of other bars, what sounds alike, and what drum parts are like. Nothing is made up: hits are candidates.
Outside of the bars, and in lanes that are told no better by them, what was heard before stands.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES, Lane
from hitloopd.generate.card import CARD
from hitloopd.generate.learned import Session
from offline.transcription.drums.alike import Moments, heard_again
from offline.transcription.drums.bar_grid import (
    ABOUT,
    CELLS,
    CHANNELS,
    LANES,
    NONE,
    BarGrid,
    Indices,
    Laid,
    Sight,
    laid,
)
from offline.transcription.drums.sounds import as_array
from offline.transcription.ear_files import network, read_card, shipped
from offline.transcription.heard import DrumHit, DrumsHeard, FoundBar

KIND: Final = "part-ear"
INPUT: Final = "page"
OUTPUT: Final = "odds"
SHIPPED: Final = shipped(KIND)
"""The network that comes with hitloopd."""
PAGE: Final = 48
"""Rows that are read at once: what is played changes in a song, and more so in a mix of two hours."""
TURN: Final = 24
"""Rows from one page to the next."""
FEWEST: Final = 4
"""Rows below which there is no part to speak of."""
APART_S: Final = 0.03
"""Two hits of a lane are not nearer to each other."""

Odds = NDArray[np.float32]


@threadpool_limits.wrap(limits=1, user_api="blas")  # the same sums on any number of cores
def in_bars(heard: DrumsHeard, bars: Sequence[FoundBar], folder: Path = SHIPPED) -> list[DrumHit]:
    """The hits of a song, by time; those that were heard before, where there are no candidates or hardly any bars.

    Args:
        heard: in the song, before its bars were known.
        bars: of the song, by time.
        folder: of the network.

    Raises:
        UnavailableError: the network is not there, is damaged, or can't be run.
    """
    grid = BarGrid.of(bars)
    if not heard.candidates or grid.rows < FEWEST:
        return list(heard.hits)
    page = laid(grid, heard.candidates)
    session, least = _network(folder)
    likely = 1.0 / (1.0 + np.exp(-odds(session, page, heard.candidates)))
    outside = grid.cells_of(np.array([hit.time_s for hit in heard.hits], np.float64)) == NONE
    stays = [hit for hit, out in zip(heard.hits, outside, strict=True) if out or hit.lane not in least]
    return sorted([*_hits(page, heard.candidates, likely, least), *stays])


def odds(session: Session, song: Laid, candidates: Sequence[DrumHit]) -> Odds:
    """What the network says of every cell, ``[cells, LANES]``, page by page."""
    sight, sounding = song.sight.reshape(CHANNELS, -1, CELLS), song.sounding.reshape(-1, CELLS)
    told = np.zeros((LANES, *sight.shape[1:]), np.float32)
    for first, counts in pages(sight.shape[1]):
        page, sounds = sight[:, first : first + PAGE], sounding[first : first + PAGE]
        moments = _moments(page, sounds, candidates)
        said = heard_again(lambda seen: session.run([OUTPUT], {INPUT: seen[None]})[0][0], page, moments)
        told[:, counts] = said[:, counts.start - first : counts.stop - first]
    return told.reshape(LANES, -1).T


def _moments(page: Sight, sounding: Indices, candidates: Sequence[DrumHit]) -> Moments:
    """Those of a page whose sound is known."""
    known, number = np.unique(sounding, return_inverse=True)
    sounds = [candidates[one].sound if one != NONE else b"" for one in known]
    number = np.where(np.array([bool(sound) for sound in sounds])[number], number, NONE).reshape(sounding.shape)
    return Moments(page[LANES + ABOUT] > 0, number, as_array(sounds))


def pages(rows: int) -> list[tuple[int, slice]]:
    """The first row of each page, and the rows of which it tells: of those on two pages, to the middle."""
    last = max(rows - PAGE, 0)
    firsts = [*range(0, last, TURN), last]
    middles = [(before + PAGE + after) // 2 for before, after in pairwise(firsts)]
    return [(first, slice(*span)) for first, span in zip(firsts, pairwise([0, *middles, rows]), strict=True)]


def _hits(page: Laid, candidates: Sequence[DrumHit], likely: Odds, least: Mapping[Lane, float]) -> list[DrumHit]:
    found: list[DrumHit] = []
    for lane, bound in least.items():
        number = DRUM_LANES.index(lane)
        held = page.held[:, number]
        cells = np.flatnonzero((held != NONE) & (likely[:, number] >= bound))
        those = [candidates[held[cell]]._replace(confidence=float(likely[cell, number]), sound=b"") for cell in cells]
        found += _apart(sorted(those))
    return found


def _apart(hits: Sequence[DrumHit]) -> list[DrumHit]:
    """Of hits that are too near to each other the likelier one."""
    kept: list[DrumHit] = []
    for hit in hits:
        if kept and hit.time_s - kept[-1].time_s < APART_S:
            kept[-1] = max(kept[-1], hit, key=lambda one: one.confidence)
        else:
            kept.append(hit)
    return kept


@functools.cache
def _network(folder: Path) -> tuple[Session, Mapping[Lane, float]]:
    card = read_card(folder, KIND, "drum part")
    return network(folder, card), _least(folder, card)


def _least(folder: Path, card: Mapping[str, Any]) -> Mapping[Lane, float]:
    try:
        return {Lane(lane): float(bound) for lane, bound in card["hits"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnavailableError(f"{folder / CARD} does not say how likely a hit of each lane has to be.") from error

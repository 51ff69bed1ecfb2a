"""One recording from end to end, in bounded memory: what a job of ``extract`` does."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hitloopd.core.errors import DeviceError
from offline.audio import RATE, SILENCE, open_recording, stretches
from offline.extraction.classes import References, load_references
from offline.extraction.found import Finder, Found
from offline.extraction.knn_method import NeighbourFinder
from offline.extraction.listener import SHIPPED, Listener, Network, Together, neighbours
from offline.extraction.mel import HOP, glances
from offline.extraction.onset_method import OnsetFinder
from offline.extraction.pack import LANES
from offline.extraction.planted import trimmed
from offline.extraction.window_method import WindowFinder

STRETCH: Final = 1 << 20
OVERLAP: Final = 88_064
"""172 frames of the paper's grid, 2 s: windows and shapes that reach over a stretch's end are whole in the next."""
METHODS: Final = ("onset", "knn", "threshold", "random")
MOST_PER_LANE: Final = 2_000
COLUMNS: Final = 1_200
GLANCE: Final = 2 * HOP
VERSION: Final = 1
"""Of what a job returns: a stored result of another version isn't used."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to look.

    Args:
        references: folder of labelled one-shots.
        method: one of ``METHODS``.
        threshold: of the combined distance, for ``threshold`` and ``random``; None: each reference its own.
        seed: of everything drawn.
        weights: of the listener; None: the references themselves vote.
    """

    references: Path
    method: str = "onset"
    threshold: float | None = None
    seed: int = 0
    weights: Path | None = SHIPPED


@dataclass(frozen=True, slots=True)
class Scan:
    """What a recording holds.

    Args:
        path: of the recording.
        length_s: as heard, not as its header says.
        found: best first.
        warnings: one line each.
        envelope: greatest and least value of each of at most ``COLUMNS`` columns, ``float32 [columns, 2]``.
        bands: power in each of them, ``float32 [columns, BANDS]``.
    """

    path: Path
    length_s: float
    found: tuple[Found, ...]
    warnings: tuple[str, ...]
    envelope: NDArray[np.float32]
    bands: NDArray[np.float32]


@threadpool_limits.wrap(limits=1)
def scan(path: Path, options: Options) -> Scan:
    """Look through one recording, on one core: the products are small, and threads would wait for each other.

    Raises:
        DeviceError: it can't be read, is too short, or silent.
    """
    recording = open_recording(path)
    finder = finder_for(options, path)
    found: list[Found] = []
    heard = 0
    envelope: list[NDArray[np.float32]] = []
    bands: list[NDArray[np.float32]] = []
    column = max(round(recording.length_s * RATE / COLUMNS), 64)
    for start, sound, last in stretches(recording, STRETCH, OVERLAP):
        found = _best(found + list(finder.find(sound, start, last=last)))
        own = sound if last else sound[: STRETCH - OVERLAP]
        envelope.append(_envelope(own, column))
        bands.append(_bands(own, column))
        heard = start + len(sound)
    if recording.health.peak < SILENCE:
        numbers = " (what is in it are not numbers)" if recording.health.not_numbers else ""
        raise DeviceError(f"{path}: the recording is silent{numbers}.")
    return Scan(
        path,
        heard / RATE,
        tuple(found),
        tuple(recording.health.warnings()),
        np.concatenate(envelope),
        np.concatenate(bands),
    )


def _best(found: list[Found]) -> list[Found]:
    """The best of each lane; what is left out would never be chosen, and memory has an end."""
    ranked = sorted(found, key=lambda one: (-one.confidence, one.start, one.lane))
    counts = dict.fromkeys(LANES, 0)
    kept: list[Found] = []
    for one in ranked:
        counts[one.lane] += 1
        if counts[one.lane] <= MOST_PER_LANE:
            kept.append(one)
    return kept


def _envelope(sound: NDArray[np.float32], column: int) -> NDArray[np.float32]:
    whole = len(sound) // column
    cells = sound[: whole * column].reshape(whole, column)
    return np.stack([cells.max(axis=1), cells.min(axis=1)], axis=1) if whole else np.zeros((0, 2), np.float32)


def _bands(sound: NDArray[np.float32], column: int) -> NDArray[np.float32]:
    """One glance per column, for the picture: a single window at its beginning."""
    pieces = np.lib.stride_tricks.sliding_window_view(np.pad(sound, (0, GLANCE)), GLANCE)[::column]
    return glances(pieces[: len(sound) // column])


def finder_for(options: Options, path: Path) -> Finder:
    """The method at work on one recording; draws follow from the seed and the recording's name."""
    references = _references(options.references)
    draws = int.from_bytes(hashlib.blake2b(path.name.encode(), digest_size=4).digest(), "big") + options.seed
    makers: Mapping[str, Callable[[], Finder]] = {
        "onset": lambda: OnsetFinder(references, listener_for(options)),
        "knn": lambda: NeighbourFinder(references),
        "threshold": lambda: WindowFinder(references, options.threshold),
        "random": lambda: WindowFinder(references, options.threshold, seed=draws),
    }
    return makers[options.method]()


def listener_for(options: Options) -> Listener:
    """The shipped network together with the references, or the references alone where it isn't there."""
    alone = neighbours([(trimmed(item.sound), item.kind) for item in _references(options.references).items])
    if options.weights is not None and options.weights.is_file():
        return Together(_network(options.weights), alone)
    return alone


@functools.cache
def _references(folder: Path) -> References:
    return load_references(folder)


@functools.cache
def _network(path: Path) -> Network:
    return Network.load(path)

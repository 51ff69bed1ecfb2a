"""How near a drawn bar is to the bars that its model learned from: looked up in fingerprints, not in the bars.

The fingerprint of a bar's 16 x 5 grid is seven sketches of its drums and seven of its bass. A sketch deals the
cells into groups of two (the last: of three) by a keyed hash and keeps one bit a group: whether an odd number of its
cells sounds. Grids that differ in few cells differ in about as many bits, so the bits that differ estimate the
distance; the numbers of hits, kept beside, bound it and give it its parity. Pitch, velocity, timing and length are not
in it. Each export measures the error against the exact distance and writes it into the card.

An index file is a zip: ``prints``, ``hits``, ``song`` and ``bar`` as .npy, ``index.json`` with the key and the credits
of every song (``credits`` reads those without numpy).
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES, LANES, Near, Pattern
from hitloopd.core.time import CELLS_PER_BAR
from hitloopd.generate.credits import FACTS, read_facts

GROUPS: Final = (2, 2, 2, 2, 2, 2, 3)
"""Cells that share a bit, in each sketch. Pairs are the most exact; triples also tell a bar from its negative."""
DRUM_CELLS: Final = CELLS_PER_BAR * len(DRUM_LANES)
CELLS: Final = CELLS_PER_BAR * len(LANES)
NEAREST: Final = 3  # songs that a provenance names
NO_BASS: Final = 255  # in ``hits`` of a bar with drums only
VERSION: Final = 1

Grids = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Cells = npt.NDArray[np.int16]


def grid_of(pattern: Pattern) -> Grids:
    """``bool [16, 5]``: where a note of the lane begins in the cell. Take out what does not sound first."""
    grid = np.zeros((CELLS_PER_BAR, len(LANES)), dtype=np.bool_)
    for note in pattern.notes:
        grid[note.cell, LANES.index(note.lane)] = True
    return grid


def fingerprints(grids: Grids, key: str) -> tuple[Bytes, Bytes]:
    """Prints ``uint8 [n, 34]`` and numbers of drum and bass hits ``uint8 [n, 2]`` of ``bool [n, 16, 5]``."""
    parts = _parts(grids)
    silent = np.zeros((len(grids), 1), dtype=np.uint8)  # fills the last group up
    sketches = [
        np.packbits(np.concatenate([part, silent], axis=1)[:, groups].sum(axis=2) & 1, axis=1)
        for lane, part in enumerate(parts)
        for groups in _sketches(key, lane)
    ]
    hits = np.stack([part.sum(axis=1) for part in parts], axis=1).astype(np.uint8)
    return np.concatenate(sketches, axis=1), hits


def exact_distances(grids: Grids, has_bass: npt.NDArray[np.bool_], grid: Grids) -> Cells:
    """What ``Index.distances`` estimates: the different cells, on the lanes that the training bar has."""
    drums, bass = (part.sum(axis=1, dtype=np.int16) for part in _parts(grids ^ grid))
    return drums + bass * has_bass


@dataclass(frozen=True, slots=True)
class Index:
    """Fingerprints of training bars and whose they are.

    Args:
        key: of the hash.
        prints: uint8 [34, n], a column a bar: sums over its rows are quick.
        hits: uint8 [n, 2], drum and bass hits; 255 bass hits: the bar has drums only.
        song: int [n], place in ``songs``.
        bar: int [n], index in the song.
        songs: title, author, licence and origin of each.
    """

    key: str
    prints: Bytes
    hits: Bytes
    song: npt.NDArray[np.uint16]
    bar: npt.NDArray[np.uint16]
    songs: Sequence[Mapping[str, str]]

    def distances(self, grid: Grids) -> tuple[Cells, Cells]:
        """Estimated different cells to every bar, and of how many cells."""
        prints, hits = fingerprints(grid[np.newaxis], self.key)
        bits = _ones(self.prints ^ prints.T)
        ones = np.stack([bits[rows].sum(axis=0, dtype=np.uint8) for rows in _ROWS]).astype(np.int16)
        drums, bass = (
            _estimated(
                ones[part * len(GROUPS) : (part + 1) * len(GROUPS)], self.hits[:, part], int(hits[0, part]), size
            )
            for part, size in enumerate((DRUM_CELLS, CELLS_PER_BAR))
        )
        with_bass = self.hits[:, 1] != NO_BASS
        return drums + bass * with_bass, np.where(with_bass, np.int16(CELLS), np.int16(DRUM_CELLS))

    def nearest(self, pattern: Pattern, count: int = NEAREST) -> tuple[Near, ...]:
        """The nearest bars of as many songs, nearest first.

        Args:
            pattern: what sounds (``pattern.at(knob)``).
            count: at most so many.
        """
        cells, of = self.distances(grid_of(pattern))
        share = cells / of
        found: dict[int, Near] = {}
        # a song may fill the first places with one bar again and again, so look somewhat further than asked
        reach = min(len(share), 64 * count)
        first = np.argpartition(share, reach - 1)[:reach] if reach else np.zeros(0, dtype=np.int64)
        for place in first[np.lexsort((first, share[first]))].tolist():
            song = int(self.song[place])
            if song not in found:
                facts = self.songs[song]
                found[song] = Near(
                    int(cells[place]),
                    int(of[place]),
                    facts.get("title", ""),
                    facts.get("author", ""),
                    facts.get("licence", ""),
                    int(self.bar[place]),
                )
            if len(found) == count:
                break
        return tuple(found.values())


def read_index(data: bytes) -> Index:
    """The index that ``index_bytes`` wrote.

    Raises:
        UnavailableError: it is none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            facts = read_facts(file)
            arrays = {name: _array(file, name) for name in ("prints", "hits", "song", "bar")}
        version = facts["version"]
        index = Index(key=facts["key"], songs=facts["songs"], **arrays)
    except Exception as error:  # whatever zip, zlib, JSON and numpy meet in damaged bytes
        raise UnavailableError(f"its index can't be read ({type(error).__name__}: {error})") from error
    if version != VERSION:
        raise UnavailableError(f"its index has version {version}, this program reads {VERSION}")
    _check(index)
    return index


def index_bytes(index: Index) -> bytes:
    """The index as a file; the same index gives the same bytes."""
    out = io.BytesIO()
    facts = {"version": VERSION, "key": index.key, "songs": list(index.songs)}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        _put(file, FACTS, json.dumps(facts, ensure_ascii=False, sort_keys=True).encode())
        for name in ("prints", "hits", "song", "bar"):
            npy = io.BytesIO()
            np.save(npy, getattr(index, name), allow_pickle=False)
            _put(file, f"{name}.npy", npy.getvalue())
    return out.getvalue()


def load_index(path: Path) -> Index:
    """As ``read_index``, from a file.

    Raises:
        UnavailableError: it is not there, or no index.
    """
    try:
        return read_index(path.read_bytes())
    except OSError as error:
        raise UnavailableError(f"its index {path} can't be read ({error.strerror})") from error


def _check(index: Index) -> None:
    count = len(index.hits)
    fit = (
        index.prints.dtype == np.uint8
        and index.prints.shape == (PRINT_BYTES, count)
        and index.hits.shape == (count, 2)
        and len(index.song) == len(index.bar) == count
        and (count == 0 or int(index.song.max()) < len(index.songs))
    )
    if not fit:
        raise UnavailableError("its index does not fit together")


def _array(file: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(io.BytesIO(file.read(f"{name}.npy")), allow_pickle=False)
    return array


def _put(file: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(entry, data)


def _parts(grids: Grids) -> tuple[Grids, Grids]:
    """Drums ``[n, 64]`` and bass ``[n, 16]``."""
    drums = len(DRUM_LANES)
    return grids[:, :, :drums].reshape(len(grids), DRUM_CELLS), grids[:, :, drums]


@functools.lru_cache(maxsize=16)
def _sketches(key: str, part: int) -> tuple[npt.NDArray[np.intp], ...]:
    """For each sketch of drums (0) or bass (1): the cells of each group ``[groups, 2 or 3]``; one past all is none."""
    size = CELLS_PER_BAR if part else DRUM_CELLS
    out: list[npt.NDArray[np.intp]] = []
    for sketch, group in enumerate(GROUPS):
        dealt = sorted(range(size), key=lambda cell: _turn(f"{key}:{part}:{sketch}:{cell}"))
        dealt += [size] * (-size % group)
        out.append(np.array(dealt, dtype=np.intp).reshape(-1, group))
    return tuple(out)


def _turn(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


_WIDTHS: Final = tuple(math.ceil(size / group / 8) for size in (DRUM_CELLS, CELLS_PER_BAR) for group in GROUPS)
PRINT_BYTES: Final = sum(_WIDTHS)
_ROWS: Final = tuple(slice(stop - width, stop) for stop, width in zip(accumulate(_WIDTHS), _WIDTHS, strict=True))
_ONES: Final = np.array([value.bit_count() for value in range(256)], dtype=np.uint8)


def _ones(values: Bytes) -> Bytes:
    """How many bits are set in each byte; numpy does it quickly since 2.0."""
    count: Any = getattr(np, "bitwise_count", _ONES.__getitem__)
    return count(values)


_PAIRS: Final = tuple(place for place, group in enumerate(GROUPS) if group == 2)


@functools.cache
def _guesses(size: int) -> Cells:
    """Twice the distance, by the sum of the bits that differ in the sketches of pairs.

    Of d different cells d - d (d - 1) / (size - 1) are expected to show: two that share a pair hide each other.
    """
    known = np.arange(size // 2)
    shown = known - known * (known - 1) / (size - 1)
    sums = np.arange(size // 2 * len(_PAIRS) + 1)
    guesses: Any = np.interp(sums / len(_PAIRS), shown, known)
    return np.rint(2 * guesses).astype(np.int16)


def _estimated(ones: Cells, theirs: Bytes, ours: int, size: int) -> Cells:
    """Different cells from the different bits of each sketch.

    It is what the pairs' sketches come from, and no less than any one sketch shows; it lies between the least and the
    most that the numbers of hits allow, and has their parity.
    """
    twice = np.maximum(_guesses(size)[ones[list(_PAIRS)].sum(axis=0)], 2 * ones.max(axis=0))
    hits = theirs.astype(np.int16)
    least, most = np.abs(hits - np.int16(ours)), hits + np.int16(ours)
    return np.clip(least + 2 * ((twice - 2 * least + 2) // 4), least, most)

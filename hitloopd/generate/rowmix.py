"""Generator ``rowmix``: every lane from another real bar of a data set that the user names. It says which.

Reads ``bars.npz`` as ``python -m offline dataset build`` writes it, of which it takes the hits as they were played and
whose they are. Bars of the training songs are mixed, so that a mix can be judged against the others.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.errors import UnavailableError
from hitloopd.core.pattern import DRUM_LANES, LANES, MAX_EARLY_TICKS, Lane, Note, Pattern, Provenance
from hitloopd.core.request import Request
from hitloopd.core.time import CELLS_PER_BAR, TICKS_PER_BAR
from hitloopd.generate.chance import Draw, stream
from hitloopd.generate.rank import ON_THE_BEAT, RESERVE, with_priorities

BARS: Final = "bars.npz"
BUILD: Final = "python -m offline dataset build FOLDER_OF_MIDI --out DATASET"
BASS_ROW: Final = len(DRUM_LANES)
CANDIDATE_VELOCITY: Final = 0.75
MOST_CANDIDATES: Final = 16
TRIES: Final = 24

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Songs:
    """Columns of the bars: whose they are, and which may be drawn."""

    title: Column
    author: Column
    licence: Column
    bar: Column
    any_lane: Column
    with_bass: Column


@dataclass(frozen=True, slots=True)
class _Hits:
    """Columns of the hits, by bar; ``first[b]:first[b + 1]`` are those of bar b."""

    first: Column
    row: Column
    start: Column
    length: Column
    velocity: Column


class RowMix:
    """Bars put together from real ones, lane by lane.

    Drums come from any bar, the bass from one that has a bass. With temperature 0 all lanes come from one bar, from 1
    on each from another. What joins at the energetic end comes from further bars. Style, scale and energy change
    nothing; the bass keeps its steps above the root.

    Args:
        folder: of the data set; ``None``: nobody named one.

    Raises:
        UnavailableError: there is no data set to mix; the message says how to build one.
    """

    name = "rowmix"
    styles: tuple[str, ...] = ()

    def __init__(self, folder: Path | None) -> None:
        if folder is None:
            raise UnavailableError(
                f"rowmix mixes bars of a data set, and none is named. Build one: {BUILD}. "
                "Then name it: --set gen.dataset=DATASET"
            )
        path = folder / BARS
        try:
            data = path.read_bytes()
            self._songs, self._hits = _read(data)
        except Exception as error:  # whatever zip, zlib and numpy meet in damaged bytes
            raise UnavailableError(f"{path} is no data set ({error}). Build one: {BUILD}") from error
        if not len(self._songs.any_lane):
            raise UnavailableError(f"{path} has no bars. Build another one: {BUILD}")
        self._hash = hashlib.blake2b(data, digest_size=6).hexdigest()

    @property
    def model_hash(self) -> str:
        """Hash of the data set."""
        return self._hash

    def generate(self, request: Request) -> Pattern:
        """The bar, with song, author, licence and bar of each lane. Thread: generator process. Real-time: no."""
        draw = stream("rowmix", request.seed)
        common = self._pick(Lane.BASS, draw)
        chosen: dict[Lane, int] = {}
        for lane in LANES:  # drawn for all, so that a lane made alone is that of the whole bar
            coin, own = draw(), self._other(lane, draw, chosen)
            chosen[lane] = own if coin < request.temperature else common
        lanes = [lane for lane in LANES if lane in request.lanes]
        notes = [note for lane in lanes for note in self._notes(chosen[lane], lane)]
        more, whence = self._candidates(notes, lanes, draw)
        sources = [self._told(lane.value, chosen[lane]) for lane in lanes if self._notes(chosen[lane], lane)]
        parameters = {"temperature": float(request.temperature), "lanes": ",".join(lane.value for lane in lanes)}
        provenance = Provenance(
            self.name, self._hash, request.seed, parameters, sources=(*sources, *dict.fromkeys(whence))
        )
        return Pattern(with_priorities(notes, more), request.root, provenance)

    def _pick(self, lane: Lane, draw: Draw) -> int:
        bars = self._bars_for(lane)
        return int(bars[int(draw() * len(bars))])

    def _bars_for(self, lane: Lane) -> Column:
        with_bass = self._songs.with_bass
        return with_bass if lane is Lane.BASS and len(with_bass) else self._songs.any_lane

    def _other(self, lane: Lane, draw: Draw, chosen: Mapping[Lane, int]) -> int:
        """A bar that no lane has yet, where there are so many."""
        bars = self._bars_for(lane)
        first = int(draw() * len(bars))
        following = [int(bars[(first + step) % len(bars)]) for step in range(len(LANES))]
        return next((bar for bar in following if bar not in chosen.values()), following[0])

    def _candidates(self, notes: Sequence[Note], lanes: Sequence[Lane], draw: Draw) -> tuple[list[Note], list[str]]:
        """Notes of further bars, where nothing sounds yet, and where they are from."""
        taken = {(note.lane, note.cell) for note in notes}
        found: list[Note] = []
        whence: list[str] = []
        for _ in range(TRIES):
            lane = lanes[int(draw() * len(lanes))]
            bar = self._pick(lane, draw)
            fresh = [note for note in self._notes(bar, lane) if (lane, note.cell) not in taken]
            fresh = list({note.cell: note for note in reversed(fresh)}.values())[:RESERVE]
            if fresh:
                taken |= {(lane, note.cell) for note in fresh}
                found += [replace(note, velocity=round(note.velocity * CANDIDATE_VELOCITY, 6)) for note in fresh]
                whence.append(self._told(f"{lane.value} at higher energy", bar))
            if len(found) >= MOST_CANDIDATES:
                break
        if len(found) < RESERVE:
            found += self._spare(taken, lanes)[: RESERVE - len(found)]
            whence.append("soft hits at higher energy: rowmix itself")
        return sorted(found, key=lambda note: (-note.velocity - ON_THE_BEAT[note.cell % 4], note)), whence

    def _spare(self, taken: set[tuple[Lane, int]], lanes: Sequence[Lane]) -> list[Note]:
        """Soft hits in free cells: only where the data set's bars are so alike that no other has a note to lend."""
        free = [(lane, cell) for cell in range(CELLS_PER_BAR) for lane in lanes if (lane, cell) not in taken]
        return [Note(cell * (TICKS_PER_BAR // CELLS_PER_BAR), lane, velocity=0.4) for lane, cell in free]

    def _notes(self, bar: int, lane: Lane) -> list[Note]:
        hits = self._hits
        which = slice(int(hits.first[bar]), int(hits.first[bar + 1]))
        rows = zip(
            hits.row[which].tolist(),
            hits.start[which].tolist(),
            hits.length[which].tolist(),
            hits.velocity[which].tolist(),
            strict=True,
        )
        return [
            Note(
                start_ticks=min(max(start, -MAX_EARLY_TICKS), TICKS_PER_BAR - 1),
                lane=lane,
                pitch=row - BASS_ROW if lane is Lane.BASS else 0,
                length_ticks=min(max(length, 1), 4 * TICKS_PER_BAR),
                velocity=round(max(velocity, 1) / 127, 6),
            )
            for row, start, length, velocity in rows
            if LANES[min(row, BASS_ROW)] is lane
        ]

    def _told(self, what: str, bar: int) -> str:
        songs = self._songs
        return f"{what}: '{songs.title[bar]}' bar {songs.bar[bar] + 1} by {songs.author[bar]} ({songs.licence[bar]})"


def _read(data: bytes) -> tuple[_Songs, _Hits]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        bars: dict[str, Column] = {
            name: file[f"bars/{name}"] for name in ("title", "author", "licence", "bar", "split", "has_bass")
        }
        hits: dict[str, Column] = {
            name: file[f"events/{name}"] for name in ("bar", "row", "start_ticks", "length_ticks", "velocity")
        }
    learned = bars["split"] == "train"
    drawn = learned if learned.any() else np.ones_like(learned)
    songs = _Songs(
        title=bars["title"],
        author=bars["author"],
        licence=bars["licence"],
        bar=bars["bar"],
        any_lane=np.flatnonzero(drawn),
        with_bass=np.flatnonzero(drawn & bars["has_bass"].astype(np.bool_)),
    )
    first = np.searchsorted(hits["bar"], np.arange(len(learned) + 1))
    return songs, _Hits(first, hits["row"], hits["start_ticks"], hits["length_ticks"], hits["velocity"])

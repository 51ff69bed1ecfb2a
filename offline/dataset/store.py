"""A data set on disk and in memory: bars as rolls, their hits as played, and where every bar came from.

``bars.npz`` holds everything that ``load_bars`` gives, ``sources.json`` the credits and how it was built, ``bars.csv``
the table for people. The same bars give the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hitloopd.core.errors import RangeError, UnavailableError
from hitloopd.generate.roll import SHAPE
from offline.dataset.encoder import ENCODING, NO_SECOND, Hit
from offline.grid import FAINTEST
from offline.jobs import write_atomically

BARS_FILE: Final = "bars.npz"
TABLE_FILE: Final = "bars.csv"
SOURCES_FILE: Final = "sources.json"

Array = npt.NDArray[Any]
LONGEST_TICKS: Final = int(np.iinfo(np.int16).max)


@dataclass(frozen=True, slots=True)
class Events:
    """The hits as played, one entry each, by bar, row and step.

    Args:
        bar: int32, index of the bar in the rolls.
        row: uint8, 0..19.
        start_ticks: int16, 480 per beat from the bar line, not quantised; negative is an early downbeat.
        length_ticks: int16, as written, at least 1.
        velocity: uint8, 1..127.
    """

    bar: Array
    row: Array
    start_ticks: Array
    length_ticks: Array
    velocity: Array

    def __len__(self) -> int:
        return len(self.bar)

    def of(self, bars: Array) -> Events:
        """The events of the bars at these indices, numbered by their place there."""
        bounds = np.searchsorted(self.bar, np.stack([bars, np.asarray(bars) + 1]))
        counts = bounds[1] - bounds[0]
        owner = np.repeat(np.arange(len(counts)), counts)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        take = bounds[0][owner] + offset
        others = {f.name: getattr(self, f.name)[take] for f in fields(self) if f.name != "bar"}
        return Events(bar=owner.astype(np.int32), **others)


@dataclass(frozen=True, slots=True)
class Bars:
    """A data set of n bars.

    Args:
        rolls: uint8 ``[n, 128, 20]``, velocity held over a note's steps, 0 or 13..127; ``/ 127`` is a daemon's roll.
        has_bass: bool, whether a bass plays in the bar.
        song: stable name of the song; all its versions have one.
        split: train, valid or test; whole songs.
        file: the file's name in the manifest's folder.
        bar: its index in the file.
        origin: ``midi`` or ``audio``: whether the file is notes, or a song that was transcribed.
        second: where in the song it begins, float32; -1 where the file is notes.
        root: MIDI note of bass pitch 0; -1 without bass.
        style: as the manifest names it, may be empty.
        tempo_bpm: float32.
        key: such as ``Eb`` or ``Am``, may be empty.
        author, licence, family, title: whose it is, and what that asks for.
        duplicate: bool, whether an identical roll came before it.
        events: the hits as played.
        facts: how it was built and the credits of its sources, as in ``sources.json``.
    """

    rolls: Array
    has_bass: Array
    song: Array
    split: Array
    file: Array
    bar: Array
    root: Array
    style: Array
    tempo_bpm: Array
    key: Array
    author: Array
    licence: Array
    family: Array
    title: Array
    duplicate: Array
    origin: Array
    second: Array
    events: Events
    facts: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rolls)

    def take(self, which: Array) -> Bars:
        """The bars at these indices, or where this mask is true."""
        index = np.flatnonzero(which) if which.dtype == np.bool_ else np.asarray(which)
        arrays = {name: getattr(self, name)[index] for name in COLUMNS}
        return replace(self, **arrays, events=self.events.of(index))


COLUMNS: Final = tuple(f.name for f in fields(Bars) if f.name not in {"events", "facts"})
EVENT_COLUMNS: Final = tuple(f.name for f in fields(Events))
MIDI, AUDIO = ORIGINS = ("midi", "audio")
_BARS: Final = "bars/"
_EVENTS: Final = "events/"


def draw(hits: Sequence[Sequence[Hit]]) -> Array:
    """The rolls of bars, from the hits of each.

    A hit fainter than the faintest that counts as a note is drawn as that one: none is lost, and what is a note here is
    one in the daemon too. The events keep how it was played.
    """
    rolls = np.zeros((len(hits), *SHAPE), dtype=np.uint8)
    for index, bar in enumerate(hits):
        for hit in bar:
            rolls[index, hit.step : hit.step + hit.steps, hit.row] = max(hit.velocity, FAINTEST)
    return rolls


def events_of(hits: Sequence[Sequence[Hit]]) -> Events:
    """The hits of bars as arrays."""
    rows = [
        (index, h.row, h.start_ticks, min(h.length_ticks, LONGEST_TICKS), h.velocity)
        for index, bar in enumerate(hits)
        for h in bar
    ]
    table = np.array(rows, dtype=np.int64).reshape(-1, len(EVENT_COLUMNS)).T
    kinds = (np.int32, np.uint8, np.int16, np.int16, np.uint8)
    return Events(*(column.astype(kind) for column, kind in zip(table, kinds, strict=True)))


def save(folder: Path, bars: Bars) -> None:
    """Write the data set; each file whole or not at all."""
    arrays = {_BARS + name: getattr(bars, name) for name in COLUMNS}
    arrays |= {_EVENTS + name: getattr(bars.events, name) for name in EVENT_COLUMNS}
    packed = io.BytesIO()
    np.savez_compressed(packed, encoding=np.array(ENCODING), **arrays)
    write_atomically(folder / TABLE_FILE, _table(bars).encode())
    write_atomically(folder / SOURCES_FILE, (json.dumps(bars.facts, indent=1, sort_keys=True) + "\n").encode())
    write_atomically(folder / BARS_FILE, packed.getvalue())


def load_bars(folder: Path | str) -> Bars:
    """The data set in a folder.

    Raises:
        UnavailableError: there is none; the message says how to build one.
        RangeError: it was written by another version of the encoder.
    """
    path = Path(folder) / BARS_FILE
    if not path.is_file():
        raise UnavailableError(
            f"There is no data set in {folder} (no {BARS_FILE}). "
            f"Build one: python -m offline dataset build FOLDER_OF_MIDI --out {folder}"
        )
    with np.load(path, allow_pickle=False) as file:
        if int(file["encoding"]) != ENCODING:
            raise RangeError(f"{path} has encoding {file['encoding']}, this program reads {ENCODING}: build it again.")
        columns = {name: file[_BARS + name] for name in COLUMNS if _BARS + name in file}
        events = Events(**{name: file[_EVENTS + name] for name in EVENT_COLUMNS})
    facts = json.loads((Path(folder) / SOURCES_FILE).read_text(encoding="utf-8"))
    return Bars(**_of_notes(len(columns["rolls"])) | columns, events=events, facts=facts)


def _of_notes(count: int) -> dict[str, Array]:
    """The columns that data sets lack which were built before there were songs in them: all their bars are notes."""
    return {"origin": np.full(count, MIDI), "second": np.full(count, NO_SECOND, np.float32)}


def _table(bars: Bars) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [name for name in COLUMNS if name != "rolls"]
    writer.writerow(names)
    writer.writerows(zip(*(getattr(bars, name).tolist() for name in names), strict=True))
    return text.getvalue()

"""Files become a data set: find them, check their licences, cut each into bars, mark what is the same."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from hitloopd.core.errors import UnavailableError
from offline.catalogue import Source, source_of
from offline.dataset.encoder import ENCODING, CutSong, cut_file
from offline.dataset.songs import location, song_of, split_of, united
from offline.dataset.store import AUDIO, MIDI, Array, Bars, draw, events_of
from offline.jobs import Job, Refused, file_hash, job_key, run_jobs
from offline.transcription.folder import cut_transcribed

READERS: Final[Mapping[str, Callable[[Path], CutSong]]] = {".mid": cut_file, ".midi": cut_file}
"""What turns a file of notes into bars, by its ending; a song's bars come out of the folder of its transcription."""

NOTHING: Final[Mapping[str, str]] = {
    MIDI: "no whole 4/4 bar with drums in it",
    AUDIO: "of the bars that were found in it none is kept",
}
PIECES: Final = ".pieces"
PIECE: Final = 2
"""Of what is kept of a file: a piece of another version is cut again."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read, its name in tables, and whose it is."""

    path: Path
    name: str
    source: Source
    origin: str = MIDI


@dataclass(frozen=True, slots=True)
class Cut:
    """A file that was read, and its bars."""

    found: Found
    song: CutSong


@dataclass(frozen=True, slots=True)
class Built:
    """A data set, and what did not come into it."""

    bars: Bars
    skipped: tuple[tuple[str, str], ...]
    counts: Counter[str]
    dropped: Counter[int]
    refused: tuple[Source, ...] = ()


def find(sources: Sequence[Path]) -> list[Found]:
    """All files with a reader, in and below the sources, by name.

    Raises:
        UnavailableError: a source does not exist, or there is nothing to read in any.
    """
    found: dict[Path, Found] = {}
    for source in sources:
        if not source.exists():
            raise UnavailableError(f"There is no file or folder {source}.")
        root = source if source.is_dir() else source.parent
        paths = source.rglob("*") if source.is_dir() else (source,)
        for path in paths:
            if path.suffix.lower() in READERS and path.is_file():
                found[path.resolve()] = Found(path.resolve(), location(path, root), source_of(path))
    if not found:
        raise UnavailableError(f"There is no {' or '.join(READERS)} file in {', '.join(map(str, sources))}.")
    return sorted(found.values(), key=lambda file: (file.name, str(file.path)))


def cut(path: Path, origin: str = MIDI) -> CutSong:
    """One piece of the work: the bars of a file, or of a song by its provenance."""
    return cut_transcribed(path) if origin == AUDIO else READERS[path.suffix.lower()](path)


def cut_all(
    found: Sequence[Found], store: Path, *, workers: int = 1, cluster: str | None = None, quiet: bool = False
) -> tuple[list[Cut], list[tuple[str, str]]]:
    """The bars of every file, and the files that could not be read with the reason; both in the order of the files."""
    readable, skipped = _hashed(found)
    jobs = [Job(job_key("cut", PIECE, ENCODING, mark), (file.path, file.origin)) for file, mark in readable]
    results = run_jobs(cut, jobs, store, workers=workers, cluster=cluster, label="files", quiet=quiet)
    done: list[Cut] = []
    for (file, _), (_, result) in zip(readable, results, strict=True):
        if isinstance(result, Refused):
            skipped.append((file.name, result.reason))
        elif not result.bars:
            skipped.append((file.name, NOTHING[file.origin]))
        else:
            done.append(Cut(file, result))
    return done, sorted(skipped)


def _hashed(found: Sequence[Found]) -> tuple[list[tuple[Found, str]], list[tuple[str, str]]]:
    """The files with the hash of what is in them, and those that cannot even be opened."""
    readable: list[tuple[Found, str]] = []
    closed: list[tuple[str, str]] = []
    for file in found:
        try:
            readable.append((file, file_hash(file.path)))
        except OSError as error:
            closed.append((file.name, f"cannot be opened: {error.strerror or error}"))
    return readable, closed


def build(
    found: Sequence[Found],
    out: Path,
    facts: Mapping[str, Any],
    *,
    workers: int = 1,
    cluster: str | None = None,
    quiet: bool = False,
) -> Built:
    """The data set of files that passed the gate. Nothing but finished pieces is written.

    Args:
        found: the files.
        out: the data set's folder, where the pieces are kept: started again, it goes on from them.
        facts: how it was built, to be kept with it and in every card downstream.
        workers: processes; 0 is one per core.
        cluster: address of a Dask scheduler whose workers see the same files.
        quiet: no progress line.

    Raises:
        UnavailableError: not one bar came of it.
    """
    done, skipped = cut_all(found, out / PIECES, workers=workers, cluster=cluster, quiet=quiet)
    if not done:
        why = "; ".join(f"{name}: {reason}" for name, reason in skipped[:3]) or "no file's licence is among the allowed"
        raise UnavailableError(f"Not one bar came out of {len(found)} files ({why}).")
    counts: Counter[str] = Counter()
    dropped: Counter[int] = Counter()
    for one in done:
        counts.update(one.song.counts)
        dropped.update(one.song.dropped)
        counts[f"files with bass by {one.song.bass_rule}" if one.song.bass_rule else "files without bass"] += 1
    return Built(assemble(done, facts), tuple(skipped), counts, dropped)


def assemble(done: Sequence[Cut], facts: Mapping[str, Any]) -> Bars:
    """One data set of the bars of many files, in their order."""
    hits = [bar.hits for one in done for bar in one.song.bars]
    rolls = draw(hits)
    prints = [hashlib.blake2b(roll.tobytes(), digest_size=16).digest() for roll in rolls]
    songs = _songs(done)
    sizes = [len(one.song.bars) for one in done]
    per_file: dict[str, list[Any]] = {
        "song": [songs[one.found.name] for one in done],
        "split": [split_of(songs[one.found.name]) for one in done],
        "file": [one.found.name for one in done],
        "origin": [one.found.origin for one in done],
        "style": [one.found.source.facts.get("style", "") for one in done],
        "key": [one.song.key for one in done],
        "author": [one.found.source.author for one in done],
        "licence": [one.found.source.licence for one in done],
        "family": [one.found.source.family for one in done],
        "title": [one.found.source.title for one in done],
    }
    columns = {name: np.repeat(np.array(values, dtype=np.str_), sizes) for name, values in per_file.items()}
    cut_bars = [bar for one in done for bar in one.song.bars]
    return Bars(
        rolls=rolls,
        has_bass=np.array([bar.root >= 0 for bar in cut_bars], dtype=np.bool_),
        bar=np.array([bar.index for bar in cut_bars], dtype=np.int32),
        root=np.array([bar.root for bar in cut_bars], dtype=np.int16),
        second=np.array([bar.second for bar in cut_bars], dtype=np.float32),
        tempo_bpm=np.array([bar.bpm for bar in cut_bars], dtype=np.float32),
        duplicate=_repeats(prints),
        events=events_of(hits),
        facts={**facts, "encoding": ENCODING, "bars": len(hits), "sources": _credits(done, songs)},
        **columns,
    )


def _songs(done: Sequence[Cut]) -> dict[str, str]:
    """File -> song, where songs that share their bars are one."""
    own = {one.found.name: song_of(one.found.name) for one in done}
    bars: defaultdict[str, set[Hashable]] = defaultdict(set)
    for one in done:
        bars[own[one.found.name]].update(_tellings(one.song))
    same = united(bars)
    return {name: same[song] for name, song in own.items()}


def _tellings(song: CutSong) -> set[tuple[tuple[int, ...], ...]]:
    """What tells whose the bars are: those with bass by rhythm and notes; where none has, drums exactly as played."""
    pitched = {tuple((hit.row, hit.step) for hit in bar.hits) for bar in song.bars if bar.root >= 0}
    return pitched or {tuple((hit.row, hit.start_ticks, hit.velocity) for hit in bar.hits) for bar in song.bars}


def _repeats(prints: Sequence[bytes]) -> Array:
    seen: set[bytes] = set()
    repeated = np.zeros(len(prints), dtype=np.bool_)
    for index, mark in enumerate(prints):
        repeated[index] = mark in seen
        seen.add(mark)
    return repeated


def _credits(done: Sequence[Cut], songs: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {**one.found.source.credit(), "file": one.found.name, "song": songs[one.found.name], "bars": len(one.song.bars)}
        for one in done
    ]

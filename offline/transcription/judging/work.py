"""What comes of the judged songs, one piece of work for each, kept when done.

A song goes through ``offline transcribe``'s own job, and what is judged is read back from the folder it wrote. A piece
is done again when the song, the listeners, or the code of transcription change.
"""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

import offline.transcription
from hitloopd.core.errors import HitloopError
from offline.catalogue import source_of
from offline.dataset.midi import read_midi
from offline.grid import grid
from offline.jobs import Job, Refused, file_hash, job_key, run_jobs
from offline.transcription.cells import Cells
from offline.transcription.folder import ROLLS_FILE, SONG_FILE, read_bars, read_provenance
from offline.transcription.heard import BassNote, DrumHit, FoundBar
from offline.transcription.judging.judged import JudgedSong
from offline.transcription.judging.truth import drums_of, notes_of
from offline.transcription.parts import Choice, ears
from offline.transcription.song import Task, transcribe

_NOT_HEARING: Final = ("judging", "lessons", "cells.py")
"""What only judges or teaches: a change in it makes nothing sound different."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of a song.

    Args:
        hits: of the drums.
        notes: of the bass.
        bars: every bar found; those that were left out have a reason.
        cells: of the bars that were kept, in their order.
        kept_starts_s: where those begin.
        who: separator, drums, bass, beats and the drum part, as they call themselves.
        cpu_s: processor time it took, in a process that may have been doing it for the first time.
        reason: why nothing came of it; empty where something did.
    """

    hits: tuple[DrumHit, ...]
    notes: tuple[BassNote, ...]
    bars: tuple[FoundBar, ...]
    cells: Cells
    kept_starts_s: tuple[float, ...]
    who: Mapping[str, str]
    cpu_s: float
    reason: str = ""


def nothing(reason: str) -> Outcome:
    """The outcome of a song that could not be transcribed."""
    return Outcome((), (), (), np.zeros((0, 16, 5), np.bool_), (), {}, 0.0, reason)


def heard(
    songs: Sequence[JudgedSong], choice: Choice, work: Path, *, workers: int, quiet: bool
) -> Iterator[tuple[JudgedSong, Outcome]]:
    """What comes of every song; of one that fails, an outcome with the reason."""
    jobs = [_job(song, choice, work) for song in songs]
    done = run_jobs(hear, jobs, work / "heard", workers=workers, label="songs transcribed", quiet=quiet)
    for song, (_, outcome) in zip(songs, done, strict=True):
        yield song, nothing(outcome.reason) if isinstance(outcome, Refused) else outcome


def _job(song: JudgedSong, choice: Choice, work: Path) -> Job:
    who = ears(choice)
    names = (who.separator.name, who.drums.name, who.bass.name, who.beats, who.part)
    key = job_key(code_hash(), song.name, file_hash(song.mix), choice, names)
    return Job(key, (song, choice, work / "folders" / key))


def hear(song: JudgedSong, choice: Choice, folder: Path) -> Outcome:
    """Transcribe one song and read what came of it; one without a beat has an outcome that says so."""
    task = Task(song.name, source_of(song.mix), folder, folder.parent / ".work", choice, quiet=True)
    began = time.process_time()
    try:
        transcribe(task)
    except HitloopError as error:
        return nothing(str(error))
    return read_outcome(folder, time.process_time() - began)


def read_outcome(folder: Path, cpu_s: float) -> Outcome:
    """What a folder of a transcribed song holds."""
    music = read_midi(folder / SONG_FILE)
    rows = read_bars(folder)
    kept = [row for row in rows if row["kept"]]
    with np.load(folder / ROLLS_FILE) as packed:
        cells = grid(packed["rolls"])
    facts = read_provenance(folder)
    return Outcome(
        hits=tuple(sorted(drums_of(music)[0])),
        notes=tuple(sorted(notes_of(music))),
        bars=tuple(_bar(row) for row in rows),
        cells=cells,
        kept_starts_s=tuple(row["start_s"] for row in kept),
        who={kind: str(facts[kind]) for kind in ("separator", "drums", "bass", "beats", "part")},
        cpu_s=cpu_s,
    )


def _bar(row: Mapping[str, Any]) -> FoundBar:
    return FoundBar(row["start_s"], row["end_s"], tuple(row["beats_s"]), row["confidence"], row["reason"])


@functools.cache
def code_hash() -> str:
    """Of everything in this package that has a part in hearing, and of the networks that ship."""
    digest = hashlib.blake2b(digest_size=16)
    for path in hearing_files():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def hearing_files() -> list[Path]:
    """The modules and networks that decide what is heard."""
    code = Path(offline.transcription.__path__[0])
    root = code.parents[1]
    networks = [path for place in ("models", "hitloopd/data/models") for path in (root / place).glob("*-ear*/*")]
    modules = [path for path in code.rglob("*.py") if path.relative_to(code).parts[0] not in _NOT_HEARING]
    return sorted([*modules, *networks])

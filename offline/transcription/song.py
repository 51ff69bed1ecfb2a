"""One song from sound to folder: what a job of ``transcribe`` does."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

from hitloopd import __version__
from hitloopd.core.errors import RangeError
from hitloopd.core.pattern import DRUM_LANES, Lane
from offline.audio import open_recording
from offline.catalogue import Source
from offline.dataset.bars import bar_grid
from offline.dataset.encoder import ENCODING, CutSong, cut_song
from offline.dataset.midi import read_midi
from offline.jobs import Progress, file_hash, job_key, write_atomically
from offline.transcription import parts
from offline.transcription.folder import (
    KEPT,
    PICTURE_FILE,
    PROVENANCE_FILE,
    SONG_FILE,
    Bar,
    is_transcribed,
    left_out,
    read_provenance,
    weighed,
    write_bars,
    write_provenance,
)
from offline.transcription.heard import DrumsHeard, FoundBar
from offline.transcription.listen import STEMS, Ears, Listened, listen
from offline.transcription.midi_out import midi_file
from offline.transcription.picture import draw_picture
from offline.transcription.ruler import ruler

VERSION: Final = 8
"""Of what is written: a folder of another version is written again."""
PACKAGES: Final = ("librosa", "numpy", "scipy", "soundfile", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Task:
    """A song to transcribe.

    Args:
        name: in tables, such as ``album/song.ogg``.
        source: the file and whose it is.
        folder: to write into.
        work: where what is half done is kept, for all songs.
        choice: who listens.
        stems: files of ``drums`` and ``bass`` that sound together with the song.
        quiet: no progress lines.
    """

    name: str
    source: Source
    folder: Path
    work: Path
    choice: parts.Choice = field(default_factory=parts.Choice)
    stems: Mapping[str, Path] = field(default_factory=dict[str, Path])
    quiet: bool = False

    def key(self) -> str:
        """Everything that decides what comes of it."""
        ears = parts.ears(self.choice)
        stems = sorted((name, file_hash(path)) for name, path in self.stems.items())
        names = (ears.separator.name, ears.drums.name, ears.bass.name, ears.beats, ears.part)
        song = (self.name, file_hash(self.source.path), self.source.credit())
        return job_key(VERSION, ENCODING, song, self.choice, names, stems)


def transcribe(task: Task) -> dict[str, Any]:
    """Write the song's folder, and return what its ``provenance.yaml`` says; nothing is done twice.

    Raises:
        DeviceError: the sound can't be read, is too short, or is silent.
        RangeError: no beat was found in it.
    """
    key = task.key()
    if is_transcribed(task.folder):
        facts = read_provenance(task.folder)
        if facts.get("key") == key:
            return facts
    (task.folder / PROVENANCE_FILE).unlink(missing_ok=True)  # what lies there is not of this song any more
    ears = parts.ears(task.choice)
    work = task.work / key
    heard = _listen(task, ears, work)
    found = ears.find_bars(heard.features, heard.hits, heard.notes, heard.length_s)
    if not found:
        raise RangeError(f"{task.source.path}: no beat was found in it.")
    heard = replace(heard, hits=list(ears.in_bars(DrumsHeard(heard.hits, heard.candidates), found)))
    bars, song = _write_music(task, heard, found)
    draw_picture(task.folder / PICTURE_FILE, task.name, heard, bars)
    write_provenance(task.folder, {**_facts(task, ears, heard, bars, song), "key": key})
    shutil.rmtree(work, ignore_errors=True)
    return read_provenance(task.folder)


def _listen(task: Task, ears: Ears, work: Path) -> Listened:
    seconds = round(open_recording(task.source.path).length_s)
    progress = Progress(f"{task.name}, seconds heard", seconds, quiet=task.quiet)
    heard = listen(task.source.path, ears, task.stems, work, progress.at)
    progress.close()
    return heard


def _write_music(task: Task, heard: Listened, found: Sequence[FoundBar]) -> tuple[list[Bar], CutSong]:
    """``song.mid``, and the bars that the encoder of all data sets cuts out of it."""
    lines = ruler(found, heard.length_s)
    write_atomically(task.folder / SONG_FILE, midi_file(task.source.title, lines, heard.hits, heard.notes))
    song = read_midi(task.folder / SONG_FILE)
    grid = bar_grid(song)
    cut = cut_song(song)
    bars = weighed(found, [grid.at(tick) for tick in lines.bar_ticks], cut)
    write_bars(task.folder, bars, cut)
    return bars, cut


def _facts(task: Task, ears: Ears, heard: Listened, bars: Sequence[Bar], song: CutSong) -> dict[str, Any]:
    kept = [bar.found for bar in bars if bar.reason == KEPT]
    bars_bpm = [60 * len(bar.beats_s) / (bar.end_s - bar.start_s) for bar in kept or [bar.found for bar in bars]]
    return {
        "song": task.name,
        "hash": file_hash(task.source.path),
        **task.source.credit(),
        "note": task.source.note,
        "family": task.source.family,
        "length_s": round(heard.length_s, 3),
        "confidence": round(sum(bar.confidence for bar in kept) / len(bars), 4),
        "tempo_bpm": round(median(bars_bpm), 2),
        "key_of_the_bass": song.key,
        "bars": {"found": len(bars), "kept": len(kept), "left out": left_out(bars)},
        "hits": _hits(heard),
        "separator": "given stems" if len(task.stems) == len(STEMS) else ears.separator.name,
        "drums": ears.drums.name,
        "bass": ears.bass.name,
        "beats": ears.beats,
        "part": ears.part,
        "stems": {name: {"file": path.name, "hash": file_hash(path)} for name, path in sorted(task.stems.items())},
        "asked_for": asdict(task.choice),
        "versions": {"hitloopd": __version__, **{name: version(name) for name in PACKAGES}},
        "warnings": list(heard.warnings),
    }


def _hits(heard: Listened) -> dict[str, dict[str, float]]:
    """How many sounds of each lane were heard, and how sure of them the transcriber is on average."""
    sure = {lane.value: [hit.confidence for hit in heard.hits if hit.lane is lane] for lane in DRUM_LANES}
    sure[Lane.BASS.value] = [note.confidence for note in heard.notes]
    return {
        lane: {"count": len(values), "confidence": round(fmean(values), 4) if values else 0.0}
        for lane, values in sure.items()
    }

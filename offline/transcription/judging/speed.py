"""How long transcription takes on one core: whole songs from file to folder, and where the time goes.

Processor seconds count, so that others at work on the machine matter little; the process is held on one core where
the system can do that. Imports and the first song, in which libraries get ready, are not counted.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from hitloopd.core.errors import HitloopError
from offline.audio import RATE, open_recording
from offline.catalogue import source_of
from offline.transcription.judging.figures import Told
from offline.transcription.judging.judged import JudgedSong
from offline.transcription.judging.unseen import read_whole
from offline.transcription.parts import Choice, ears
from offline.transcription.song import Task, transcribe

MINUTE_S: Final = 60.0

T = TypeVar("T")


def speed(songs: Sequence[JudgedSong], choice: Choice) -> Told:
    """Processor seconds per minute of sound, and times real time; nothing where no song could be done.

    Args:
        songs: at least two; the first is only to get ready.
        choice: who listens.
    """
    with _one_core() as alone, tempfile.TemporaryDirectory() as folder:
        _, *spent = [(song, _transcribed(song, choice, Path(folder) / song.name)) for song in songs]
        timed = [song for song, spent_s in spent if spent_s is not None]
        whole_s = sum(spent_s for _, spent_s in spent if spent_s is not None)
        stages = _stages(timed, choice)
    if not timed:
        return {}
    minutes = sum(open_recording(song.mix).length_s for song in timed) / MINUTE_S
    return {
        "songs": len(timed),
        "minutes": round(minutes, 3),
        "one core": alone,
        "cpu seconds per minute": round(whole_s / minutes, 3),
        "times real time": round(MINUTE_S * minutes / whole_s, 2),
        "stages, cpu seconds per minute": {
            **{name: round(spent_s / minutes, 3) for name, spent_s in stages.items()},
            "reading, joining, writing, picture": round((whole_s - sum(stages.values())) / minutes, 3),
        },
    }


def _transcribed(song: JudgedSong, choice: Choice, folder: Path) -> float | None:
    """The seconds it took; none where nothing came of the song, as then it was not done to the end."""
    task = Task(song.name, source_of(song.mix), folder, folder.parent / ".work", choice, quiet=True)
    try:
        return _timed(lambda: transcribe(task))[0]
    except HitloopError:
        return None


def _stages(songs: Sequence[JudgedSong], choice: Choice) -> dict[str, float]:
    who = ears(choice)
    spent = dict.fromkeys(("separation", "drums", "bass", "beat features", "bars", "drum part"), 0.0)
    for song in songs:
        mix = read_whole(song.mix)
        seconds, stems = _timed(lambda mix=mix: who.separator.separate(mix))
        spent["separation"] += seconds
        seconds, drums = _timed(lambda stems=stems: who.drums.hear_drums(stems))
        spent["drums"] += seconds
        seconds, notes = _timed(lambda stems=stems: who.bass.bass_notes(stems))
        spent["bass"] += seconds
        seconds, features = _timed(lambda mix=mix: who.beat_features(mix))
        spent["beat features"] += seconds
        heard = (features, drums.hits, notes, len(mix) / RATE)
        seconds, bars = _timed(lambda heard=heard: who.find_bars(*heard))
        spent["bars"] += seconds
        spent["drum part"] += _timed(lambda drums=drums, bars=bars: who.in_bars(drums, bars))[0]
    return spent


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    done = work()
    return time.process_time() - began, done


@contextlib.contextmanager
def _one_core() -> Iterator[bool]:
    """Hold this process on one core meanwhile; tells whether it could be done."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, cores)

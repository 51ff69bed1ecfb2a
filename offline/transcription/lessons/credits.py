"""Whose work the lessons are made of, as the cards of the networks that learn from them tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from offline.catalogue import source_of
from offline.transcription.lessons.kits import JUDGED_KITS, drum_sounds
from offline.transcription.lessons.make import Places
from offline.transcription.lessons.songs import training_files

KEPT_OUT: Final = (
    "the songs that transcription is judged on, the one-shot kits "
    + " and ".join(sorted(JUDGED_KITS))
    + ", the drum presets of the sound font"
)
RENDERED: Final = (
    "FluidR3 GM sound font, its pitched instruments, rendered by fluidsynth; Frank Wen and contributors; MIT",
    "patterns of the generator rules, kits and basses synthesised by hitloopd itself; MIT",
)
"""What no file of the folders is the source of."""


def lesson_facts(places: Places) -> dict[str, Any]:
    """For a card: what was kept out, and who made what was not; how many files of whom, under which licence."""
    folders = {
        "freedoom": training_files(places.midi / "freedoom"),
        "groove": training_files(places.midi / "groove"),
        "oneshots": [sound.path for sound in drum_sounds(places.oneshots, train=True) if sound.path.is_file()],
    }
    rows = [row for folder, files in folders.items() for row in _grouped(folder, files)]
    return {"kept_out": KEPT_OUT, "also_taught_with": list(RENDERED), "sources": rows}


def _grouped(folder: str, files: Iterable[Path]) -> list[dict[str, Any]]:
    counts = Counter((source.author, source.licence) for source in map(source_of, files))
    return [
        {"folder": folder, "author": author, "licence": licence, "files": count}
        for (author, licence), count in sorted(counts.items())
    ]

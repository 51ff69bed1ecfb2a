"""Songs as a source of bars: those that were transcribed, and those that are to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hitloopd.core.errors import UnavailableError
from offline.dataset.build import Found
from offline.dataset.store import AUDIO
from offline.transcription.folder import PROVENANCE_FILE, is_transcribed, read_provenance, song_source
from offline.transcription.songs import Song, find_songs

PARTS: Final = ("drums", "bass", "beats", "separator")
SONGS: Final = "songs"
"""Folder in a data set's folder for the songs that were transcribed for it."""


def find_audio(places: Sequence[Path], author: str = "", licence: str = "") -> tuple[list[Found], list[Song]]:
    """The transcribed songs and the sounds in files and folders; a song that is there as both is not heard again.

    Args:
        places: files, and folders to search through.
        author: of sounds whose manifest says none.
        licence: of sounds whose manifest says none.

    Raises:
        UnavailableError: a place does not exist, or there is nothing in any.
        RangeError: the provenance of a transcribed song can't be read.
    """
    songs, missing = find_songs(places, author, licence)
    if missing:
        raise UnavailableError(f"There is no file or folder {missing[0]}.")
    done = sorted({file.parent.resolve() for place in places for file in place.rglob(PROVENANCE_FILE)})
    transcribed = {one.name: one for one in map(transcription, filter(is_transcribed, reversed(done)))}
    if places and not songs and not transcribed:
        raise UnavailableError(f"There is no sound and no transcribed song in {', '.join(map(str, places))}.")
    return list(transcribed.values())[::-1], [song for song in songs if song.name not in transcribed]


def transcription(folder: Path) -> Found:
    """A transcribed song as a file of the data set, called as the song is.

    Raises:
        RangeError: its provenance can't be read.
    """
    source = song_source(folder)
    return Found(source.path, str(read_provenance(folder)["song"]), source, AUDIO)


def audio_facts(found: Sequence[Found]) -> dict[str, Any]:
    """What the transcribed songs of a data set were heard by, and what became of their bars; empty without any."""
    told = [read_provenance(file.path.parent) for file in found if file.origin == AUDIO]
    if not told:
        return {}
    left_out: Counter[str] = Counter()
    for facts in told:
        left_out.update(facts["bars"]["left out"])
    return {
        "songs": len(told),
        "minutes": round(sum(facts["length_s"] for facts in told) / 60, 1),
        "bars found": sum(facts["bars"]["found"] for facts in told),
        "bars kept": sum(facts["bars"]["kept"] for facts in told),
        "left out": dict(left_out.most_common()),
        **{part: dict(Counter(str(facts[part]) for facts in told)) for part in PARTS},
    }

"""Which songs are meant by the words of a command, what they are called, and whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from hitloopd.core.errors import ArgumentError
from offline.audio import SUFFIXES
from offline.catalogue import Source, source_of
from offline.dataset.songs import location

MIX: Final = "mix"
"""A folder with a sound file of this name is one song; the other sounds in it are its stems."""


@dataclass(frozen=True, slots=True)
class Song:
    """A song to transcribe: its name in tables and whose it is."""

    name: str
    source: Source


def find_songs(given: Sequence[Path], author: str = "", licence: str = "") -> tuple[list[Song], list[Path]]:
    """The songs in files and folders, by name; and what of it is not there.

    Args:
        given: files, taken as they are; and folders, searched through for sounds that are no stems.
        author: of songs whose manifest says none.
        licence: of songs whose manifest says none.
    """
    found: dict[Path, Song] = {}
    for place in given:
        inside = _sounds(place) if place.is_dir() else [place] * place.is_file()
        for path in inside:
            source = source_of(path)
            whose = replace(
                source,
                author=source.author or author,
                licence=source.licence or licence,
                title=path.resolve().parent.name if source.title.lower() == MIX else source.title,
            )
            found[path.resolve()] = Song(location(path, place if place.is_dir() else place.parent), whose)
    songs = sorted(found.values(), key=lambda song: (song.name, str(song.source.path)))
    return songs, [place for place in given if not place.exists()]


def folders(songs: Sequence[Song]) -> list[Path]:
    """A folder for each song, relative to that of the result: as short as tells them apart.

    Raises:
        ArgumentError: two songs have the very same name.
    """
    names = [PurePosixPath(song.name) for song in songs]
    ways = [
        [PurePosixPath(*name.with_suffix("").parts[1:]) for name in names],
        [name.with_suffix("") for name in names],
        [name.with_name(name.name.replace(".", "-")) for name in names],
    ]
    uses = [Counter(way) for way in ways]
    chosen: list[Path] = []
    for index, song in enumerate(songs):
        alone = [way[index] for way, use in zip(ways, uses, strict=True) if use[way[index]] == 1]
        if not alone:
            raise ArgumentError(f"Two songs are called {song.name}: give them in commands with different --out.")
        chosen.append(Path(alone[0]))
    return chosen


def _sounds(folder: Path) -> list[Path]:
    sounds = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    whole = {path.parent for path in sounds if path.stem.lower() == MIX}
    return [path for path in sounds if path.parent not in whole or path.stem.lower() == MIX]

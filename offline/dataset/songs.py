"""Which files are one song, and into which part of the data a song goes.

Bars of one song resemble each other, so a song lies wholly in train, valid or test, and so do its other versions:
earlier revisions of a file (a six-digit suffix), the takes of one piece in a drummer's session, and songs that turn out
to share their bars under another name. The part follows from a hash of the song's name
alone: it is the same on every machine, and other songs that come in change it only where they are versions of it.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from offline.catalogue import MANIFEST

TRAIN, VALID, TEST = SPLITS = ("train", "valid", "test")
TEST_SHARE: Final = 0.2
VALID_SHARE: Final = 0.1
SALT: Final = "hitloopd"

REVISION: Final = re.compile(r"_(?=[a-f]*\d)[0-9a-f]{6}$")
TAKE: Final = re.compile(r"^\d+_(?P<piece>.+_\d+)_(?:beat|fill)_\d+-\d+$")
EVALUATION: Final = "eval_session"  # the same pieces played by every drummer
SHARED_BARS: Final = 0.5
FEWEST_SHARED: Final = 4


def location(path: Path, root: Path) -> str:
    """The name a file has in tables: from the folder of its manifest on, or from the folder that was given."""
    path = path.resolve()
    base = next((folder for folder in path.parents if (folder / MANIFEST).is_file()), root.resolve())
    if base == path:
        base = path.parent
    return (PurePosixPath(base.name) / path.relative_to(base).as_posix()).as_posix()


def song_of(name: str) -> str:
    """The song of a file in a table.

    >>> song_of("freedoom/d_dm04_22ad99.mid")
    'freedoom/d_dm04'
    >>> song_of("groove/drummer1/session1/103_funk_95_fill_4-4.mid")
    'groove/drummer1/session1/funk_95'
    """
    path = PurePosixPath(name)
    take = TAKE.match(path.stem)
    if take is None:
        return (path.parent / REVISION.sub("", path.stem)).as_posix()
    session = path.parent.parent.parent / EVALUATION if path.parent.name == EVALUATION else path.parent
    return (session / take["piece"]).as_posix()


def split_of(song: str) -> str:
    """train, valid or test, by the song's name."""
    digest = hashlib.blake2b(f"{SALT}/{song}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    if place < TEST_SHARE:
        return TEST
    return VALID if place < TEST_SHARE + VALID_SHARE else TRAIN


def united(bars: Mapping[str, set[Hashable]]) -> dict[str, str]:
    """Song -> the song it is a version of: its own name, or the first by name of those that share its bars.

    Args:
        bars: the distinct bars of each song. Two songs are one where at least four bars, and half of the smaller
            song's, are in both.
    """
    parent = {song: song for song in bars}

    def first(song: str) -> str:
        while parent[song] != song:
            song = parent[song]
        return song

    for (one, other), count in sorted(_common(bars).items()):
        if count >= max(FEWEST_SHARED, SHARED_BARS * min(len(bars[one]), len(bars[other]))):
            low, high = sorted((first(one), first(other)))
            parent[high] = low
    return {song: first(song) for song in bars}


def _common(bars: Mapping[str, set[Hashable]]) -> dict[tuple[str, str], int]:
    owners: defaultdict[Hashable, list[str]] = defaultdict(list)
    for song in sorted(bars):
        for bar in bars[song]:
            owners[bar].append(song)
    count: defaultdict[tuple[str, str], int] = defaultdict(int)
    for songs in owners.values():
        for pair in _pairs(songs):
            count[pair] += 1
    return count


def _pairs(songs: Sequence[str]) -> list[tuple[str, str]]:
    return [(one, other) for index, one in enumerate(songs) for other in songs[index + 1 :]]

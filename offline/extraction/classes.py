"""The ten kinds of one-shots, the lanes they belong to, and folders of labelled references.

A references folder has one folder per class (``kick``, ``snare``, ``closed_hat`` … or a lane's name such as ``hihat``);
files that lie loose are labelled by a class named in their file name. Its manifest, if it has one, gives the credits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hitloopd.core.errors import DeviceError, HitloopError
from offline.audio import SUFFIXES, Wave, read_sound
from offline.extraction.pack import LANES

NONE: Final = "none"
LANE_OF: Final[Mapping[str, str]] = {
    "kick": "kick",
    "snare": "snare",
    "clap": "snare",  # both play the backbeat, and the styles of the daemon put them into the snare's lane
    "rim": "snare",
    "closed_hat": "hihat",
    "open_hat": "hihat",
    "cymbal": "cymbal",
    "bass": "bass",
    "tom": NONE,
    "perc": NONE,
}
"""Class -> lane; toms and percussion have none."""
CLASSES: Final = tuple(LANE_OF)

_SPELLINGS: Final[Sequence[tuple[str, str]]] = (
    # first match decides, so what is more particular stands first
    (r"open.?h(i.?)?hat|hat.?open|hh.?o|\boh\b|open.?hat", "open_hat"),
    (r"closed.?h(i.?)?hat|hat.?closed|\b[hc]h\b|hi.?hat|\bhats?\b", "closed_hat"),
    (r"cymbal|crash|ride|splash|\bcr\b|\brd\b", "cymbal"),
    (r"bass.?drum|kick|\bbd\b", "kick"),
    (r"clap|snap|\bcp\b", "clap"),
    (r"rim|side.?stick|\brs\b", "rim"),
    (r"snare|\bsd\b|\bsn\b", "snare"),
    (r"tom|\b[hlm]t\b", "tom"),
    (r"perc|conga|bongo|cowbell|\bcb\b|shaker|tamb|wood|clave", "perc"),
    (r"bass", "bass"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One labelled one-shot; ``name`` is its path inside the folder."""

    name: str
    kind: str
    path: Path
    sound: Wave

    @property
    def lane(self) -> str:
        """One of the five, or ``none``."""
        return LANE_OF[self.kind]


@dataclass(frozen=True, slots=True, eq=False)  # what is worked out from them is kept by identity
class References:
    """A folder's references, sorted by name, and one line for each file that could not be used."""

    folder: Path
    items: tuple[Reference, ...]
    problems: tuple[str, ...] = ()

    @property
    def lanes(self) -> tuple[str, ...]:
        """Lanes that have at least one reference."""
        have = {item.lane for item in self.items}
        return tuple(lane for lane in LANES if lane in have)

    @property
    def missing(self) -> tuple[str, ...]:
        """Lanes without a reference."""
        return tuple(lane for lane in LANES if lane not in self.lanes)


def class_named(name: str) -> str | None:
    """The class a folder or file is named after.

    >>> class_named("Closed Hats"), class_named("hihat"), class_named("BD_808"), class_named("notes")
    ('closed_hat', 'closed_hat', 'kick', None)
    """
    text = re.sub(r"[_\-.]+", " ", re.sub(r"\d+", " ", name)).lower()
    plain = text.strip().replace(" ", "_")
    if plain in LANE_OF:
        return plain
    return next((kind for pattern, kind in _SPELLINGS if re.search(pattern, text)), None)


def reference_files(folder: Path) -> list[tuple[Path, str]]:
    """Every sound below the folder with its class, sorted by path; those without a class are left out.

    Raises:
        DeviceError: there is no such folder, or nothing labelled in it.
    """
    if not folder.is_dir():
        raise DeviceError(f"{folder}: there is no such folder of references.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    labelled = [(path, label) for path in files if (label := _label(path, folder)) is not None]
    if not labelled:
        raise DeviceError(
            f"{folder}: no labelled one-shots in it. Expected folders named {', '.join(CLASSES)} "
            "or the lanes, with sound files inside."
        )
    return labelled


def _label(path: Path, folder: Path) -> str | None:
    parents = [parent.name for parent in path.parents if parent != folder and folder in parent.parents]
    return next((kind for name in [*parents, path.stem] if (kind := class_named(name)) is not None), None)


def load_references(folder: Path) -> References:
    """Read a folder of references.

    Raises:
        DeviceError: there is nothing usable in it.
    """
    found: list[Reference] = []
    problems: list[str] = []
    for path, kind in reference_files(folder):
        try:
            found.append(Reference(path.relative_to(folder).as_posix(), kind, path, read_sound(path)))
        except HitloopError as error:
            problems.append(str(error))
    if not found:
        raise DeviceError(f"{folder}: none of its sounds can be read. {problems[0]}")
    return References(folder, tuple(found), tuple(problems))

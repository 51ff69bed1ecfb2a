"""Which file is by whom and under which licence: reads ``MANIFEST.csv``, and lets through what may be used.

Conventions: a manifest row belongs to the file at its ``path``, relative to the manifest's folder. A *family* is what a
licence asks for: ``cc0`` nothing, ``by``, ``bsd`` and ``mit`` credit, ``by-sa`` credit and the same licence again.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hitloopd.core.errors import ArgumentError, nearest

MANIFEST: Final = "MANIFEST.csv"
UNKNOWN: Final = "unknown"

# First match decides, so share-alike stands before attribution; "non-commercial" and "no derivatives" match nothing.
_FAMILIES: Final[Sequence[tuple[str, str]]] = (
    (r"\bn[cd]\b|non-?commercial|no-?deriv", UNKNOWN),
    (r"by-sa|share-?alike", "by-sa"),
    (r"\bcc[ -]?by\b|attribution", "by"),
    (r"\bcc[ -]?0|public domain|unlicense", "cc0"),
    (r"\bbsd\b", "bsd"),
    (r"\bmit\b", "mit"),
)
FAMILIES: Final = ("cc0", "by", "bsd", "mit", "by-sa")
SHIPPABLE: Final = ("cc0", "by", "bsd", "mit")
"""What the models that ship may be trained on: share-alike would bind what they play."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file of somebody's work.

    Args:
        path: the file.
        author: to be credited.
        licence: as the manifest words it; empty where nobody says.
        origin: where it was published.
        note: the manifest's free text (tempo, style, key=value pairs).
        title: short name of the song or sound.
    """

    path: Path
    author: str = ""
    licence: str = ""
    origin: str = ""
    note: str = ""
    title: str = ""

    @property
    def family(self) -> str:
        """``cc0``, ``by``, ``bsd``, ``mit``, ``by-sa`` or ``unknown``."""
        return licence_family(self.licence)

    @property
    def facts(self) -> dict[str, str]:
        """The ``key=value`` pairs of the note."""
        pairs = (part.split("=", 1) for part in self.note.split(";") if "=" in part)
        return {key.strip(): value.strip() for key, value in pairs}

    def credit(self) -> dict[str, str]:
        """Author, licence, origin and title, for cards and provenance."""
        return {
            key: str(value) for key, value in asdict(self).items() if key in {"author", "licence", "origin", "title"}
        }


def licence_family(licence: str) -> str:
    """What a licence asks for; ``unknown`` for an empty or unheard-of one.

    >>> licence_family("CC BY-SA 4.0"), licence_family("Public Domain"), licence_family("all rights reserved")
    ('by-sa', 'cc0', 'unknown')
    """
    text = licence.lower()
    return next((family for pattern, family in _FAMILIES if re.search(pattern, text)), UNKNOWN)


def families(words: str) -> tuple[str, ...]:
    """The families of a ``--licence`` argument such as ``cc0,by``.

    Raises:
        ArgumentError: one of them is none; the message lists them.
    """
    named = tuple(word.strip().lower() for word in words.split(",") if word.strip())
    for name in named:
        if name not in FAMILIES:
            raise ArgumentError(
                f"There is no licence family '{name}'; there are {', '.join(FAMILIES)}.{nearest(name, FAMILIES)}"
            )
    return named


def source_of(path: Path) -> Source:
    """What the nearest manifest at or above the file's folder says of it; an empty licence where none does."""
    path = path.resolve()
    for folder in path.parents:
        if (folder / MANIFEST).is_file():
            row = _manifest(folder / MANIFEST).get(path.relative_to(folder).as_posix())
            if row is not None:
                return _source(path, row)
    return Source(path, title=path.stem)


@dataclass(frozen=True, slots=True)
class Gate:
    """What may be used and what may not, each with its source."""

    passed: tuple[Source, ...]
    refused: tuple[Source, ...]

    @property
    def unknown(self) -> tuple[Source, ...]:
        """Those whose licence nobody states."""
        return tuple(source for source in self.refused if source.family == UNKNOWN)


def gate(sources: Iterable[Source], allowed: Sequence[str], *, allow_unknown: bool = False) -> Gate:
    """Sort the sources by whether their licence is among the allowed families."""
    every = tuple(sources)
    fit = {*allowed, UNKNOWN} if allow_unknown else set(allowed)
    return Gate(
        tuple(source for source in every if source.family in fit),
        tuple(source for source in every if source.family not in fit),
    )


@functools.cache
def _manifest(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in csv.DictReader(file) if row.get("path")}


def _source(path: Path, row: dict[str, str]) -> Source:
    return Source(
        path,
        author=row.get("author") or "",
        licence=row.get("licence") or "",
        origin=row.get("source") or "",
        note=row.get("note") or "",
        title=row.get("title") or path.stem,
    )

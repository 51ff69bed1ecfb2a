"""The sample pack: a folder of WAV files with a ``pack.yaml`` that says what each is and where it comes from.

This is what the daemon loads as a kit, so the layout is fixed by ``format: 1``::

    pack.yaml
    kick-1.wav  kick-2.wav  snare-1.wav …     24-bit PCM, mono, 44 100 Hz
    pack.png  pack.html                       to look at; nothing reads them

``pack.yaml`` is one mapping:

- ``format``: 1. ``name``: of the kit. ``description``: one line.
- ``samples``: rows, at least one. A lane has as many rows as it has samples; **the first of a lane is its default**,
  the others are what "next" goes through, in order. A lane without rows is silent; ``coverage`` says why.
- ``candidates``: rows of the ranked list before the choice, best first, without a file.
- ``coverage``: one line for a person. ``lanes``: lane -> ``{samples, candidates, why}``.
- ``method``, ``seed``, ``references``, ``measures``: how it was made.

A row has

- ``file``: relative to the folder, no ``..``; null in a candidate.
- ``lane``: kick, snare, hihat, cymbal or bass. ``class``: one of the ten kinds, for people.
- ``recording``: name of the recording's file. ``start_s``, ``length_s``: where in it, from its start.
- ``confidence``: 0..1. ``reference``: the reference one-shot it resembles most. ``distances``: the paper's three cosine
  distances to that reference, ``{mel, contrast, bandwidth}``, each 0..2 (their sum is what the paper compares).
- ``licence``, ``author``, ``origin``: of the recording; empty where nobody says.
- ``sha256``: of the WAV file's bytes; null in a candidate. ``rate``: of the WAV file.
- ``loudness_lufs``: as the file is now (samples of a lane are matched). ``gain_db``: what was added to get there,
  *already in the file*: nothing is left to apply.
- ``fundamental_hz``: of a bass sample, for tuning; null where it has no pitch, and in the other lanes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast

import yaml

from hitloopd.core.errors import ConfigError, DeviceError
from hitloopd.core.pattern import Lane
from offline.jobs import write_atomically
from offline.yaml_text import read_yaml

FORMAT: Final = 1
PACK_FILE: Final = "pack.yaml"
LANES: Final = tuple(lane.value for lane in Lane)
DISTANCES: Final = ("mel", "contrast", "bandwidth")


@dataclass(frozen=True, slots=True)
class Row:
    """One sample or candidate; the fields are those of the module's description, ``kind`` is the row's ``class``."""

    lane: str
    recording: str
    start_s: float
    length_s: float
    confidence: float
    reference: str
    distances: Mapping[str, float]
    kind: str = ""
    file: str | None = None
    licence: str = ""
    author: str = ""
    origin: str = ""
    sha256: str | None = None
    rate: int | None = None
    loudness_lufs: float | None = None
    gain_db: float | None = None
    fundamental_hz: float | None = None

    def as_mapping(self) -> dict[str, Any]:
        """The row as it stands in the file."""
        return {
            "file": self.file,
            "lane": self.lane,
            "class": self.kind,
            "recording": self.recording,
            "start_s": round(self.start_s, 6),
            "length_s": round(self.length_s, 6),
            "confidence": round(self.confidence, 4),
            "reference": self.reference,
            "distances": {name: round(float(self.distances[name]), 6) for name in DISTANCES},
            "licence": self.licence,
            "author": self.author,
            "origin": self.origin,
            "sha256": self.sha256,
            "rate": self.rate,
            "loudness_lufs": _rounded(self.loudness_lufs),
            "gain_db": _rounded(self.gain_db),
            "fundamental_hz": _rounded(self.fundamental_hz),
        }


@dataclass(frozen=True, slots=True)
class Pack:
    """A whole pack; ``about`` is everything else that stands in the file (coverage, method, measures …)."""

    name: str
    samples: tuple[Row, ...]
    candidates: tuple[Row, ...] = ()
    description: str = ""
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def of_lane(self, lane: str) -> tuple[Row, ...]:
        """The samples of a lane, default first."""
        return tuple(row for row in self.samples if row.lane == lane)


def save_pack(folder: Path, pack: Pack) -> None:
    """Write ``pack.yaml``, whole or not at all; the WAV files are written before it."""
    data = {
        "format": FORMAT,
        "name": pack.name,
        "description": pack.description,
        **pack.about,
        "samples": [row.as_mapping() for row in pack.samples],
        "candidates": [row.as_mapping() for row in pack.candidates],
    }
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    write_atomically(folder / PACK_FILE, text.encode())


def load_pack(folder: Path) -> Pack:
    """Read a pack.

    Raises:
        DeviceError: there is none, or it can't be read.
        ConfigError: it has mistakes; all of them.
    """
    path = folder / PACK_FILE
    try:
        data = read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError(f"There is no pack at {folder}: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: this is not YAML: {error}"]) from error
    problems: list[str] = []
    pack = _pack(data, problems)
    missing = [row.file for row in pack.samples if row.file and not (folder / row.file).is_file()]
    problems += [f"samples: the file {name} is not there" for name in missing]
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return pack


def _pack(data: object, problems: list[str]) -> Pack:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        problems.append(f"expected a mapping with format: {FORMAT}")
        return Pack("", ())
    top = cast("dict[str, Any]", data)
    samples = _rows(top.get("samples"), "samples", problems)
    problems += [f"samples[{n}]: needs a file" for n, row in enumerate(samples) if row.file is None]
    if not samples and not problems:
        problems.append("samples: expected at least one row")
    known = {"format", "name", "description", "samples", "candidates"}
    return Pack(
        str(top.get("name") or ""),
        samples,
        _rows(top.get("candidates") or [], "candidates", problems),
        str(top.get("description") or ""),
        {key: value for key, value in top.items() if key not in known},
    )


def _rows(given: object, where: str, problems: list[str]) -> tuple[Row, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        problems.append(f"{where}: expected a list of rows")
        return ()
    found: list[Row] = []
    for number, row in enumerate(given):
        try:
            found.append(_row(row))
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"{where}[{number}]: {error}")
    return tuple(found)


def _row(row: Mapping[str, Any]) -> Row:
    file = row.get("file")
    if file is not None and (PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts):
        raise ValueError(f"file {file!r} leaves the pack's folder")
    if row["lane"] not in LANES:
        raise ValueError(f"lane {row['lane']!r} is none of {', '.join(LANES)}")
    return Row(
        lane=row["lane"],
        recording=str(row["recording"]),
        start_s=_number(row, "start_s"),
        length_s=_number(row, "length_s"),
        confidence=_number(row, "confidence"),
        reference=str(row["reference"]),
        distances={name: float(row["distances"][name]) for name in DISTANCES},
        kind=str(row.get("class") or ""),
        file=file,
        licence=str(row.get("licence") or ""),
        author=str(row.get("author") or ""),
        origin=str(row.get("origin") or ""),
        sha256=row.get("sha256"),
        rate=row.get("rate"),
        loudness_lufs=row.get("loudness_lufs"),
        gain_db=row.get("gain_db"),
        fundamental_hz=row.get("fundamental_hz"),
    )


def _number(row: Mapping[str, Any], key: str) -> float:
    value = float(row[key])
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{key} must be a number of 0 or more, got {row[key]!r}")
    return value


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

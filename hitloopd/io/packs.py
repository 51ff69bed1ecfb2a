"""Sample packs as kits: a folder with ``pack.yaml`` and the sounds that ``offline extract`` cut out of recordings.

The first sample of a lane is its default, the others are what "another one" goes through, in the file's order. A pack
is taken whole or refused whole, with every reason. Rows may have more in them than is used here; candidates have no
sound and are left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast

import yaml

from hitloopd.core.errors import ConfigError, nearest
from hitloopd.core.kit import Kit, Sample, Slot
from hitloopd.core.pattern import LANES, Lane

PACK_FILE: Final = "pack.yaml"
FORMAT: Final = 1
MAX_BYTES: Final = 16 * 1024 * 1024
"""Of a pack.yaml: thousands of candidates are some megabytes."""
TEXTS: Final = ("recording", "reference", "author", "licence", "origin")
NUMBERS: Final = ("start_s", "length_s", "confidence")
SOUND_STARTS: Final = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS")
"""What a sound file begins with: without an audio device nobody opens it, and a pack is refused whole there too."""
CHOKES: Final[Mapping[Lane, str]] = {Lane.HIHAT: "hats", Lane.CYMBAL: "hats", Lane.BASS: "bass"}
"""A pack says nothing of these: closed and open hats cut each other off, and the bass has one voice."""
_CANDIDATES: Final = re.compile(r"^candidates:.*?(?=^[^\s\-#]|\Z)", re.DOTALL | re.MULTILINE)
"""They may be thousands, have no sound, and cost a tenth of a second to read: left out before parsing."""
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_pack(text: str, path: Path) -> Kit:
    """A kit from the text of a ``pack.yaml``.

    Args:
        text: what stands in it.
        path: where it lies; its samples lie in the same folder.

    Raises:
        ConfigError: it has mistakes, or a sample is not there; all of them.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError([f"{path}: has {len(text)} characters; a {PACK_FILE} has at most {MAX_BYTES}"])
    try:
        data: object = yaml.load(_CANDIDATES.sub("", text), Loader=_LOADER)  # noqa: S506 - a safe loader, in C where there is one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError([f"{path}: this is not YAML: {str(error)[:200]}"]) from error
    reader = _Reader(path)
    kit = reader.kit(data)
    if reader.problems:
        raise ConfigError(reader.problems)
    return kit


class _Reader:
    """Walks the parsed file and collects what is wrong."""

    def __init__(self, path: Path) -> None:
        self.problems: list[str] = []
        self._missing: list[str] = []
        self._unsound: list[str] = []
        self._path = path

    def kit(self, data: object) -> Kit:
        if not isinstance(data, dict):
            self._wrong("", f"expected a mapping with format: {FORMAT} and samples")
            return Kit("")
        top = cast("dict[str, object]", data)
        if top.get("format") != FORMAT:
            self._wrong("format", f"expected {FORMAT}, got {top.get('format')!r}")
        rows = top.get("samples")
        if not isinstance(rows, list) or not rows:
            self._wrong("samples", "expected a list with at least one row")
            return Kit("")
        found: dict[Lane, list[Sample]] = {}
        for number, row in enumerate(cast("list[object]", rows)):
            self._row(f"samples[{number}]", row, found)
        if self._missing:
            self._wrong("samples", f"these files are not there: {', '.join(self._missing)}")
        if self._unsound:
            self._wrong("samples", f"these files hold no sound that can be read: {', '.join(self._unsound)}")
        samples = {lane: tuple(found[lane]) for lane in LANES if lane in found}
        return Kit(
            str(top.get("name") or self._path.parent.name),
            {lane: slot_of(own[0], lane) for lane, own in samples.items()},
            str(top.get("description") or ""),
            samples,
        )

    def _row(self, place: str, row: object, found: dict[Lane, list[Sample]]) -> None:
        if not isinstance(row, dict):
            self._wrong(place, "expected a mapping with file and lane")
            return
        data = cast("dict[str, object]", row)
        lane = data.get("lane")
        names = [lane.value for lane in LANES]
        if lane not in names:
            self._wrong(
                f"{place}.lane", f"expected one of {', '.join(names)}, got {lane!r}.{nearest(str(lane), names)}"
            )
        file = self._file(f"{place}.file", data.get("file"))
        values: dict[str, Any] = {name: self._text(f"{place}.{name}", data.get(name)) for name in TEXTS}
        values |= {name: self._number(f"{place}.{name}", data.get(name)) for name in NUMBERS}
        hz = self._number(f"{place}.fundamental_hz", data.get("fundamental_hz"))
        sample = Sample(
            file,
            **values,
            distance=self._distance(f"{place}.distances", data.get("distances")),
            fundamental_hz=hz if "fundamental_hz" in data else None,  # null says that there is none
        )
        if lane in names:
            found.setdefault(Lane(lane), []).append(sample)

    def _file(self, place: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            self._wrong(place, f"expected the name of a file, got {value!r}")
            return ""
        parts = PurePosixPath(value.replace("\\", "/")).parts
        inside = ".." not in parts and not Path(value).is_absolute() and not value.startswith(("/", "\\", "~"))
        if not inside or not (self._path.parent / value).resolve().is_relative_to(self._path.parent.resolve()):
            self._wrong(place, f"'{value}' leaves the pack's folder")
        elif not (self._path.parent / value).is_file():
            self._missing.append(value)
        elif not _may_be_sound(self._path.parent / value):
            self._unsound.append(value)
        return value

    def _text(self, place: str, value: object) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, int | float):  # a recording called 2024: YAML reads a number
            return str(value)
        self._wrong(place, f"expected text, got {value!r}")
        return ""

    def _number(self, place: str, value: object) -> float:
        if value is None:
            return 0.0
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
            return float(value)
        self._wrong(place, f"expected a number of 0 or more, got {value!r}")
        return 0.0

    def _distance(self, place: str, value: object) -> float:
        if value is None:
            return 0.0
        if not isinstance(value, dict):
            self._wrong(place, f"expected a mapping of numbers, got {value!r}")
            return 0.0
        return math.fsum(self._number(f"{place}.{name}", one) for name, one in cast("dict[str, object]", value).items())

    def _wrong(self, place: str, text: str) -> None:
        self.problems.append(f"{self._path}: {place or 'pack'}: {text}")


def _may_be_sound(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in SOUND_STARTS
    except OSError:
        return False


def slot_of(sample: Sample, lane: Lane) -> Slot:
    """How a pack's sample plays at first."""
    return Slot(
        sample.name,
        choke=CHOKES.get(lane, ""),
        provenance=sample.recording,
        fundamental_hz=sample.fundamental_hz,
    )

"""Kits from YAML files and sample packs; no sound is read here, so that every process may look into a kit.

A kit file has ``name``, ``description`` and ``slots``; each slot has ``sample`` (``synth:house/kick`` or a file beside
the kit), ``gain_db``, ``pan``, ``choke``, ``tuning`` and ``provenance``. A pack is a folder (see ``io.packs``).
Everything that is wrong is told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from hitloopd.core.errors import ConfigError, DeviceError, UnknownNameError, nearest
from hitloopd.core.kit import MAX_GAIN_DB, MAX_TUNING, MIN_GAIN_DB, SYNTH, Kit, Slot
from hitloopd.core.pattern import Lane
from hitloopd.io.packs import PACK_FILE, parse_pack
from hitloopd.io.synth.recipes import RECIPES, Bass

KIT_ENDINGS: Final = (".yaml", ".yml")
KIT_KEYS: Final = ("name", "description", "slots")
TEXT: Final = "text"
# key -> (type, lowest, highest); text has no range
SLOT_KEYS: Final[Mapping[str, tuple[str, float, float]]] = {
    "sample": (TEXT, 0.0, 0.0),
    "gain_db": ("number", MIN_GAIN_DB, MAX_GAIN_DB),
    "pan": ("number", -1.0, 1.0),
    "choke": (TEXT, 0.0, 0.0),
    "tuning": ("number", -MAX_TUNING, MAX_TUNING),
    "provenance": (TEXT, 0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class LoadedKit:
    """A kit and the file it came from; its sample paths are relative to that file's folder."""

    kit: Kit
    path: Path

    @property
    def folder(self) -> Path:
        """Where the names of its samples start."""
        return self.path.parent


def kit_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of every kit and pack in a folder. Thread: any. Real-time: no."""
    if not folder.is_dir():
        return
    for item in sorted(folder.iterdir()):
        if item.suffix in KIT_ENDINGS and item.is_file():
            yield item.stem, item
        elif (item / PACK_FILE).is_file():
            yield item.name, item / PACK_FILE


def kit_at(path: Path) -> Path | None:
    """The kit file that a path means: itself, or the ``pack.yaml`` of a folder; ``None`` where it is neither."""
    if path.suffix in KIT_ENDINGS and path.is_file():
        return path
    return path / PACK_FILE if (path / PACK_FILE).is_file() else None


def list_kits(search_dirs: Sequence[Path]) -> tuple[str, ...]:
    """Names of the kits in the folders, sorted. Thread: any. Real-time: no."""
    return tuple(sorted({name for folder in search_dirs for name, _ in kit_files(folder)}))


def find_kit(name: str, search_dirs: Sequence[Path]) -> Path:
    """The file of a kit: a name looked up in the folders in order, or a path to a kit file or a pack's folder.

    Raises:
        UnknownNameError: there is no such kit; the message lists those there are.
    """
    for folder in search_dirs:
        for known_name, path in kit_files(folder):
            if known_name == name:
                return path
    as_path = Path(name).expanduser()
    found = kit_at(as_path)
    if found is not None:
        return found
    if as_path.is_dir():
        raise UnknownNameError(f"{as_path} is no sample pack: there is no {PACK_FILE} in it.")
    if as_path.suffix in KIT_ENDINGS or len(as_path.parts) > 1:
        raise UnknownNameError(f"There is no kit at {as_path}; expected a .yaml file with slots, or a pack's folder.")
    known = list_kits(search_dirs)
    raise UnknownNameError(
        f"There is no kit '{name}'; there are {', '.join(known) or 'none'}, or give a path.{nearest(name, known)}"
    )


def load_kit(name: str, search_dirs: Sequence[Path]) -> LoadedKit:
    """Read a kit or a pack by name or path.

    Raises:
        UnknownNameError: there is no such kit.
        ConfigError: the file has mistakes; all of them, with their lines.
        DeviceError: the file can't be read.

    Thread: any. Real-time: no.
    """
    return read_kit(find_kit(name, search_dirs))


def read_kit(path: Path) -> LoadedKit:
    """Read a kit's or a pack's file. Raises as ``load_kit``. Thread: any. Real-time: no."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError(f"Kit file {path} can't be read: {error}") from error
    if path.name == PACK_FILE:
        return LoadedKit(parse_pack(text, path), path)
    return LoadedKit(parse_kit(text, str(path)), path)


def parse_kit(text: str, where: str) -> Kit:
    """A kit from the text of its file; ``where`` names the file in messages.

    Raises:
        ConfigError: the text has mistakes; all of them, with their lines.
    """
    try:
        data = yaml.safe_load(text)
        lines = _lines(cast("yaml.Node | None", yaml.compose(text, Loader=yaml.SafeLoader)))  # pyright: ignore[reportUnknownMemberType]
    except yaml.YAMLError as error:
        raise ConfigError([f"{where}: this is not YAML: {error}"]) from error
    problems: list[str] = []
    reader = _Reader(where, lines, problems)
    kit = reader.kit(data)
    if problems:
        raise ConfigError(problems)
    return kit


class _Reader:
    """Walks the parsed file and collects what is wrong."""

    def __init__(self, where: str, lines: Mapping[str, int], problems: list[str]) -> None:
        self._where, self._lines, self._problems = where, lines, problems

    def kit(self, data: object) -> Kit:
        if not isinstance(data, dict):
            self._wrong("", "expected a mapping with name and slots")
            return Kit("")
        top = cast("dict[str, Any]", data)
        self._unknown("", top, KIT_KEYS)
        name, description = self._text("name", top.get("name")), self._text("description", top.get("description", ""))
        slots = top.get("slots")
        if not isinstance(slots, dict):
            self._wrong("slots", "expected a mapping of lanes (kick, snare, hihat, cymbal, bass)")
            return Kit("")
        given = cast("dict[str, object]", slots)
        self._unknown("slots", given, [lane.value for lane in Lane])
        found = {lane: self._slot(f"slots.{lane}", given[lane.value]) for lane in Lane if lane.value in given}
        return Kit(name, {lane: slot for lane, slot in found.items() if slot is not None}, description)

    def _slot(self, key: str, written: object) -> Slot | None:
        if not isinstance(written, dict) or "sample" not in written:
            self._wrong(key, "expected a mapping with at least 'sample'")
            return None
        data = cast("dict[str, object]", written)
        self._unknown(key, data, SLOT_KEYS)
        values: dict[str, Any] = {}
        for name, (kind, low, high) in SLOT_KEYS.items():
            if name not in data:
                continue
            place = f"{key}.{name}"
            value = data[name]
            values[name] = self._text(place, value) if kind == TEXT else self._number(place, value, low, high)
        sample = values["sample"]
        if sample.startswith(SYNTH):
            self._recipe(f"{key}.sample", sample.removeprefix(SYNTH), bass=key.endswith("bass"))
        return Slot(**values)

    def _recipe(self, key: str, name: str, *, bass: bool) -> None:
        fitting = [other for other, recipe in RECIPES.items() if isinstance(recipe, Bass) == bass]
        if name not in fitting:
            kind = "bass" if bass else "drum"
            self._wrong(key, f"there is no built-in {kind} sound '{name}'.{nearest(name, fitting)}")

    def _text(self, key: str, value: object) -> str:
        if isinstance(value, str) and (value or key != "name"):
            return value
        self._wrong(key, f"expected text, got {value!r}")
        return ""

    def _number(self, key: str, value: object, low: float, high: float) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        self._wrong(key, f"expected a number {low:g} to {high:g}, got {value!r}")
        return 0.0

    def _unknown(self, key: str, data: Mapping[str, object], valid: Iterable[str]) -> None:
        for name in data:
            if name not in valid:
                place = f"{key}.{name}" if key else str(name)
                self._wrong(place, f"unknown key; valid are {', '.join(valid)}.{nearest(str(name), valid)}")

    def _wrong(self, key: str, text: str) -> None:
        line = next((self._lines[k] for k in (key, key.rpartition(".")[0], "") if k in self._lines), 1)
        self._problems.append(f"{self._where}:{line}: {key or 'kit'}: {text}")


def _lines(node: yaml.Node | None, prefix: str = "") -> dict[str, int]:
    """Dotted key -> line in the file."""
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = f"{prefix}.{key.value}" if prefix else str(key.value)
            found[path] = key.start_mark.line + 1
            found.update(_lines(value, path))
    return found

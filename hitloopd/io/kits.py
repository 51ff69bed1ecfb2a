"""Kits from YAML files, and banks from kits.

A kit file has ``name``, ``description`` and ``slots``; each slot has ``sample`` (``synth:house/kick`` or a file beside
the kit), ``gain_db``, ``pan``, ``choke``, ``tuning`` and ``provenance``. Everything that is wrong is told at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import yaml

from hitloopd.core.errors import ConfigError, DeviceError, HitloopError, RangeError, UnknownNameError, nearest
from hitloopd.core.kit import MAX_GAIN_DB, MIN_GAIN_DB, Kit, Slot
from hitloopd.core.pattern import DRUM_LANES, PITCHES, Lane
from hitloopd.io.bank import PITCH_COUNT, Bank, make_bank
from hitloopd.io.samples import BASS_ROOT, Sound, at_rate, prepared, read_sample
from hitloopd.io.synth.cache import SoundCache
from hitloopd.io.synth.recipes import RECIPES, Bass

log = logging.getLogger(__name__)

SYNTH: Final = "synth:"
KIT_KEYS: Final = ("name", "description", "slots")
TEXT: Final = "text"
# key -> (type, lowest, highest); text has no range
SLOT_KEYS: Final[Mapping[str, tuple[str, float, float]]] = {
    "sample": (TEXT, 0.0, 0.0),
    "gain_db": ("number", MIN_GAIN_DB, MAX_GAIN_DB),
    "pan": ("number", -1.0, 1.0),
    "choke": (TEXT, 0.0, 0.0),
    "tuning": ("number", -24.0, 24.0),
    "provenance": (TEXT, 0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class LoadedKit:
    """A kit and the file it came from; its sample paths are relative to that file's folder."""

    kit: Kit
    path: Path


def list_kits(search_dirs: Sequence[Path]) -> tuple[str, ...]:
    """Names of the kits in the folders, sorted. Thread: any. Real-time: no."""
    return tuple(sorted({path.stem for folder in search_dirs for path in folder.glob("*.yaml")}))


def find_kit(name: str, search_dirs: Sequence[Path]) -> Path:
    """The file of a kit: a path to a .yaml file as it is, or a name looked up in the folders in order.

    Raises:
        UnknownNameError: there is no such kit; the message lists those there are.
    """
    as_path = Path(name).expanduser()
    if as_path.suffix in {".yaml", ".yml"}:
        if as_path.is_file():
            return as_path
        raise UnknownNameError(f"There is no kit file {as_path}; expected a .yaml file with slots.")
    for folder in search_dirs:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    known = list_kits(search_dirs)
    raise UnknownNameError(
        f"There is no kit '{name}'; there are {', '.join(known) or 'none'}, or give a path.{nearest(name, known)}"
    )


def load_kit(name: str, search_dirs: Sequence[Path]) -> LoadedKit:
    """Read a kit by name or path.

    Raises:
        UnknownNameError: there is no such kit.
        ConfigError: the file has mistakes; all of them, with their lines.
        DeviceError: the file can't be read.

    Thread: any. Real-time: no.
    """
    path = find_kit(name, search_dirs)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError(f"Kit file {path} can't be read: {error}") from error
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


# ── sounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BankResult:
    """A bank, and what could not be loaded into it (one line each, for a person)."""

    bank: Bank
    problems: tuple[str, ...]


def bass_pitches(root: int) -> range:
    """The sixteen MIDI notes above (and with) ``root`` that fit into 0..127."""
    return range(max(root, 0), min(root + PITCHES, PITCH_COUNT))


def build_bank(loaded: LoadedKit, rate: int, pitches: Iterable[int], cache: SoundCache) -> BankResult:
    """Make or read every sound of a kit.

    A sample that is missing silences its lane and is told; the other lanes play.

    Args:
        loaded: the kit.
        rate: of the device.
        pitches: the bass notes to have ready.
        cache: where built-in sounds are kept.

    Thread: any but the callback's. Real-time: no.
    """
    problems: list[str] = []
    drums: dict[Lane, Sound] = {}
    bass: dict[int, Sound] = {}
    for lane, slot in loaded.kit.slots.items():
        try:
            if lane in DRUM_LANES:
                drums[lane] = _drum(slot, loaded, rate, cache)
            else:
                bass = _bass(slot, loaded, rate, pitches, cache)
        except HitloopError as error:
            problems.append(f"Kit '{loaded.kit.name}', lane {lane}: {error} The lane is silent.")
    return BankResult(make_bank(loaded.kit, rate, drums, bass), tuple(problems))


def _drum(slot: Slot, loaded: LoadedKit, rate: int, cache: SoundCache) -> Sound:
    if slot.sample.startswith(SYNTH):
        sound = cache.sound(RECIPES[slot.sample.removeprefix(SYNTH)], rate)
        return prepared(at_rate(sound, rate, rate, slot.tuning), rate) if slot.tuning else sound
    raw, own_rate = read_sample(loaded.path.parent / slot.sample)
    return prepared(at_rate(raw, own_rate, rate, slot.tuning), rate)


def _bass(slot: Slot, loaded: LoadedKit, rate: int, pitches: Iterable[int], cache: SoundCache) -> dict[int, Sound]:
    wanted = sorted({p for p in pitches if 0 <= p < PITCH_COUNT})
    if slot.sample.startswith(SYNTH):
        recipe = RECIPES[slot.sample.removeprefix(SYNTH)]
        if not isinstance(recipe, Bass):
            raise RangeError(f"'{slot.sample}' is a drum and has no pitch; use one of the built-in basses.")
        shift = round(slot.tuning)
        return {p: cache.sound(recipe, rate, int(np.clip(p + shift, 0, PITCH_COUNT - 1))) for p in wanted}
    raw, own_rate = read_sample(loaded.path.parent / slot.sample)
    return {p: prepared(at_rate(raw, own_rate, rate, p - BASS_ROOT + slot.tuning), rate) for p in wanted}

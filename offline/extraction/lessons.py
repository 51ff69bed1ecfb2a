"""Lessons for the listener: shapes of sounds planted into field recordings, found by the detector that will find them.

The sounds are pitched, coloured and ring into each other; a lesson knows its one-shot's kit and its recording's group,
so that both can be kept apart from what is judged. What the detector finds where nothing was planted is "none".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from offline.audio import RATE, SUFFIXES, Wave, blocks, open_recording
from offline.extraction.classes import CLASSES, Reference
from offline.extraction.listener import LABELS, LEAD, sound_shape
from offline.extraction.mel import HOP, mel_power
from offline.extraction.onsets import find_onsets, refine
from offline.extraction.planted import mix_at, trimmed
from offline.extraction.shapes import Shapes, shapes

PIECE_S: Final = 25.0
SAME_S: Final = 0.03
UNSURE_S: Final = 0.045
PITCH: Final = 2.5  # semitones either way
BASS_PITCH: Final = 7.0
COLOUR: Final = 0.4
RINGING: Final = ("open_hat", "closed_hat", "cymbal", "bass")
"""Classes that the length of the ring tells apart: it is left as it is."""
LEVELS_DB: Final = (3.0, 26.0)
LONGEST_S: Final = 3.0
ALONE: Final = 6  # lessons of each one-shot without a field recording around it
NO_KIT: Final = ""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Shapes with their labels.

    Args:
        seen: ``float16 [n, 2, SEGMENTS, ALL_BANDS]``.
        labels: indices into ``LABELS``.
        kits: of the one-shot; of a "none" the kit that was being planted around it.
        fields: group of the field recording; empty for a sound that stands alone.
    """

    seen: NDArray[np.float16]
    labels: NDArray[np.int64]
    kits: NDArray[np.str_]
    fields: NDArray[np.str_]

    def without(self, kits: Sequence[str], fields: Sequence[str]) -> Lessons:
        """The lessons in which neither those kits nor those recordings have a part."""
        kept = ~np.isin(self.kits, list(kits)) & ~np.isin(self.fields, list(fields))
        return Lessons(self.seen[kept], self.labels[kept], self.kits[kept], self.fields[kept])

    def save(self, path: Path) -> None:
        """Store them."""
        np.savez(path, seen=self.seen, labels=self.labels, kits=self.kits, fields=self.fields)

    @classmethod
    def load(cls, path: Path) -> Lessons:
        """Read what ``save`` stored."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(*(stored[name] for name in ("seen", "labels", "kits", "fields")))


def kit_of(name: str) -> str:
    """The kit a one-shot belongs to: what its file name begins with.

    >>> kit_of("kick/cr-78_kick-accent.flac"), kit_of("bass/fluidr3_synthbass1_28.flac")
    ('cr-78', 'fluidr3')
    """
    return Path(name).name.split("_", 1)[0]


def field_group(path: Path, folder: Path) -> str:
    """Recordings that share sound have one group: those of a sub-folder, and a medley with what it strings together."""
    inside = path.relative_to(folder)
    if len(inside.parts) > 1:
        return inside.parts[0]
    return "opensfx" if inside.stem.startswith(("opensfx", "medley")) else inside.stem


def heard_files(folder: Path) -> list[Path]:
    """The field recordings that are listened to: short scenes that a medley repeats are heard in the medley."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    medley = any(path.stem.startswith("medley") for path in files)
    return [path for path in files if not (medley and path.name.startswith("opensfx"))]


def field_recordings(folder: Path) -> dict[str, Wave]:
    """Each group's sound."""
    found: dict[str, list[Wave]] = {}
    for path in heard_files(folder):
        found.setdefault(field_group(path, folder), []).append(np.concatenate(list(blocks(open_recording(path)))))
    return {group: np.concatenate(parts) for group, parts in found.items()}


class _Book:
    """Lessons as they come."""

    def __init__(self) -> None:
        self.seen: list[NDArray[np.float16]] = []
        self.labels: list[int] = []
        self.kits: list[str] = []
        self.fields: list[str] = []

    def add(self, seen: NDArray[np.float32], label: int, kit: str, field: str) -> None:
        self.seen.append(seen.astype(np.float16))
        self.labels.append(label)
        self.kits.append(kit)
        self.fields.append(field)

    def closed(self) -> Lessons:
        return Lessons(np.array(self.seen), np.array(self.labels, np.int64), np.array(self.kits), np.array(self.fields))


def make_lessons(sounds: Sequence[Reference], fields: Mapping[str, Wave], count: int, seed: int = 0) -> Lessons:
    """At least ``count`` lessons of one-shots, and what comes with them of "none"; all follows from the seed."""
    draw = np.random.default_rng(seed)
    kits: dict[str, list[Reference]] = {}
    for sound in sounds:
        kits.setdefault(kit_of(sound.name), []).append(sound)
    weights = np.array([len(members) for members in kits.values()]) ** 0.5
    names, groups = list(kits), list(fields)
    book, known, piece = _Book(), 0, 0
    while known < count:
        kit = names[draw.choice(len(names), p=weights / weights.sum())]
        group = groups[piece % len(groups)]
        known += _piece(book, kits[kit], (kit, group), fields[group], draw)
        piece += 1
    for group, field in fields.items():
        for shape in _found(field)[1]:
            book.add(shape, len(CLASSES), NO_KIT, group)
    for sound in sounds:
        for number in range(ALONE):
            book.add(_alone(sound, number, draw), LABELS.index(sound.kind), kit_of(sound.name), "")
    return book.closed()


def _piece(
    book: _Book, sounds: Sequence[Reference], whence: tuple[str, str], field: Wave, draw: np.random.Generator
) -> int:
    """One stretch of field sound with the kit's sounds in it; how many of them were found."""
    length = min(len(field), round(PIECE_S * RATE))
    start = int(draw.integers(0, len(field) - length + 1))
    out = field[start : start + length] * np.float32(10 ** (draw.uniform(-30, 0) / 20) if draw.random() < 0.5 else 1)
    background = out.copy()
    events: list[tuple[float, int]] = []
    by_kind: dict[str, list[Reference]] = {}
    for sound in sounds:
        by_kind.setdefault(sound.kind, []).append(sound)
    kinds = list(by_kind)
    often = np.array([len(by_kind[kind]) for kind in kinds]) ** 0.5
    at = 0.3
    while at < length / RATE - 0.15:
        kind = kinds[draw.choice(len(kinds), p=often / often.sum())]
        chosen = by_kind[kind][int(draw.integers(len(by_kind[kind])))]
        first = round(at * RATE)
        added = mix_at(background, varied(chosen, draw), first, draw.uniform(*LEVELS_DB))
        out[first : first + len(added)] += added
        events.append((at, LABELS.index(kind)))
        at += draw.uniform(0.12, 0.4) if draw.random() < 0.25 else draw.uniform(0.35, 1.1)
    return _labelled(book, out, events, *whence)


def _labelled(book: _Book, sound: Wave, events: Sequence[tuple[float, int]], kit: str, group: str) -> int:
    times, seen = _found(sound)
    planted = np.array([at for at, _ in events])
    away = np.abs(times[:, None] - planted[None, :])
    nearest, distance = away.argmin(axis=1), away.min(axis=1)
    taken: set[int] = set()
    for number in np.argsort(distance, kind="stable"):
        event = int(nearest[number])
        if distance[number] < SAME_S and event not in taken:
            taken.add(event)
            book.add(seen[number], events[event][1], kit, group)
        elif distance[number] >= UNSURE_S:
            book.add(seen[number], len(CLASSES), kit, group)
    return len(taken)


def _found(sound: Wave) -> tuple[NDArray[np.float64], Shapes]:
    power = mel_power(sound)
    begins = refine(sound, find_onsets(power).frames)
    return begins / RATE, shapes(power, (begins + HOP // 2) // HOP)


def varied(sound: Reference, draw: np.random.Generator) -> Wave:
    """A one-shot at another pitch, in another colour, and drier where that leaves its class alone."""
    out = trimmed(sound.sound)[: round(LONGEST_S * RATE)]
    if draw.random() < 0.7:
        reach = BASS_PITCH if sound.kind == "bass" else PITCH
        out = _pitched(out, draw.uniform(-reach, reach))
    if draw.random() < 0.5:
        out = scipy.signal.lfilter([1.0, draw.uniform(-COLOUR, COLOUR)], [1.0], out).astype(np.float32)
    if draw.random() < 0.3:  # a small speaker, a wall, a bright or dull microphone
        low, high = 10 ** draw.uniform(1.3, 2.0), 10 ** draw.uniform(3.6, 4.28)
        sections = scipy.signal.butter(1, (low, high), "bandpass", fs=RATE, output="sos")
        out = scipy.signal.sosfilt(sections, out).astype(np.float32)
    if sound.kind not in RINGING and draw.random() < 0.4:
        out = out * np.exp(-np.arange(len(out), dtype=np.float32) / np.float32(RATE * 10 ** draw.uniform(-1.2, 0.0)))
    return out


def _pitched(sound: Wave, semitones: float) -> Wave:
    ratio = 2.0 ** (semitones / 12)
    count = max(int(len(sound) / ratio), 1)
    return np.interp(np.arange(count) * ratio, np.arange(len(sound)), sound).astype(np.float32)


def _alone(sound: Reference, number: int, draw: np.random.Generator) -> NDArray[np.float32]:
    """The first as it is, the others varied and in a breath of noise, a frame early or late."""
    if not number:
        return sound_shape(trimmed(sound.sound))[0]
    out = np.pad(varied(sound, draw), (LEAD, RATE // 2))[: round(2.5 * RATE)]
    hiss = draw.normal(0.0, float(np.abs(out).max()) * 10 ** draw.uniform(-5.5, -3.0), len(out)).astype(np.float32)
    frame = (LEAD + HOP // 2) // HOP + int(draw.integers(-1, 2))
    return shapes(mel_power(out + hiss), np.array([frame]))[0]

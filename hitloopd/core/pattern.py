"""Patterns: immutable sets of notes for one bar, with their provenance.

Conventions: ticks are 480 per beat, a bar is 1 920 of them; velocity is 0..1; a bass pitch is 0..15 semitones above the
pattern's root. A pattern holds *candidates* too: a note sounds when its priority is not above the energy knob.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, Final

from hitloopd.core.errors import RangeError
from hitloopd.core.time import CELLS_PER_BAR, TICKS_PER_BAR, TICKS_PER_CELL

PITCHES: Final = 16  # the paper's bass rows
MAX_EARLY_TICKS: Final = 18  # a note may come this much before its bar line: less than one MIDI clock, see engine.deck
MAX_LENGTH_TICKS: Final = 4 * TICKS_PER_BAR
MIN_VELOCITY: Final = 0.001
_LATEST_TICK: Final = TICKS_PER_BAR - 1


class Lane(enum.StrEnum):
    """One of the paper's five instruments."""

    KICK = "kick"
    SNARE = "snare"
    HIHAT = "hihat"
    CYMBAL = "cymbal"
    BASS = "bass"


LANES: Final = tuple(Lane)
DRUM_LANES: Final = LANES[:4]
ALL_LANES: Final = frozenset(LANES)


class Origin(enum.StrEnum):
    """Who put a note there."""

    GENERATED = "generated"
    EDITED = "edited"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One hit or bass note.

    Args:
        start_ticks: -18..1919 from the bar line; micro-timing is in it.
        lane: its lane.
        pitch: semitones above the pattern's root for bass, 0 for drums.
        length_ticks: at least 1; a drum's length only matters to what is sent as MIDI.
        velocity: above 0, up to 1.
        priority: 0..1; it sounds while the energy knob is at or above. 0 always sounds.
        origin: generated, edited or locked.

    Raises:
        RangeError: a field is outside its range.
    """

    start_ticks: int
    lane: Lane
    pitch: int = 0
    length_ticks: int = TICKS_PER_CELL // 2
    velocity: float = 0.8
    priority: float = 0.0
    origin: Origin = Origin.GENERATED

    def __post_init__(self) -> None:
        if not (
            -MAX_EARLY_TICKS <= self.start_ticks <= _LATEST_TICK
            and 0 <= self.pitch < PITCHES
            and 1 <= self.length_ticks <= MAX_LENGTH_TICKS
            and MIN_VELOCITY <= self.velocity <= 1.0
            and 0.0 <= self.priority <= 1.0
        ):
            self._refuse()

    def _refuse(self) -> None:
        """Say what is out of its range; apart from the check, which every note of every bar goes through."""
        for what, value, low, high in (
            ("start_ticks", self.start_ticks, -MAX_EARLY_TICKS, _LATEST_TICK),
            ("pitch", self.pitch, 0, PITCHES - 1),
            ("length_ticks", self.length_ticks, 1, MAX_LENGTH_TICKS),
            ("velocity", self.velocity, MIN_VELOCITY, 1.0),
            ("priority", self.priority, 0.0, 1.0),
        ):
            if not low <= value <= high:
                raise RangeError(f"A note's {what} must be {low:g} to {high:g}, got {value:g}.")

    @property
    def cell(self) -> int:
        """The grid cell 0..15 it belongs to: the nearest one."""
        cell = (self.start_ticks + TICKS_PER_CELL // 2) // TICKS_PER_CELL
        return cell if cell < CELLS_PER_BAR else CELLS_PER_BAR - 1

    @property
    def micro_ticks(self) -> int:
        """How far it lies from its cell's line; negative is early."""
        return self.start_ticks - self.cell * TICKS_PER_CELL


IN_ORDER: Final = attrgetter(*(part.name for part in fields(Note)))
"""The order of notes as a key to sort by: several times as fast as comparing them two by two."""


@dataclass(frozen=True, slots=True)
class Near:
    """A bar of the training data that a drawn bar is near to, and whose it is.

    Args:
        cells: in how many cells of the 16 x 5 grid they differ, as the model's fingerprints estimate it.
        of: of how many cells: 80, or 64 where the training bar has drums only.
        title: the song's name.
        author: to be credited.
        licence: of the song.
        bar: its index in the song, 0 is the first.
    """

    cells: int
    of: int
    title: str
    author: str
    licence: str
    bar: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a pattern came from: enough to make it again.

    Args:
        generator: its name, as in ``gen.model``.
        model: hash of the model's file, or of the rule tables; never empty for a generated pattern.
        seed: what the generator drew from.
        parameters: style, energy, temperature, key … as text, number or bool.
        parent: id of the pattern this one was made from, if any.
        sources: data or files it is made of (rowmix names bars; rules name their table).
        nearest: the training bars it is most like, nearest first, where the model brings an index of them.
    """

    generator: str
    model: str = ""
    seed: int = 0
    parameters: Mapping[str, str | float | int | bool] = field(default_factory=dict[str, str | float | int | bool])
    parent: str = ""
    sources: tuple[str, ...] = ()
    nearest: tuple[Near, ...] = ()


NO_PROVENANCE: Final = Provenance("none")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One bar: all its notes, sounding and candidate, sorted by time.

    Args:
        notes: any order in, sorted inside; at most one per lane and cell is usual, finer is allowed.
        root: MIDI note of bass pitch 0, e.g. 36.
        provenance: who made it from what.
    """

    notes: tuple[Note, ...] = ()
    root: int = 36
    provenance: Provenance = NO_PROVENANCE

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(sorted(self.notes, key=IN_ORDER)))

    @property
    def id(self) -> str:
        """Twelve hex digits that follow from the content: same bytes, same id."""
        return hashlib.blake2b(json.dumps(self.as_json(), sort_keys=True).encode(), digest_size=6).hexdigest()

    def at(self, knob: float) -> Pattern:
        """What sounds with the energy knob at ``knob`` 0..1."""
        return replace(self, notes=tuple(n for n in self.notes if n.priority <= knob))

    def lane(self, lane: Lane) -> tuple[Note, ...]:
        """The notes of one lane, in time order."""
        return tuple(n for n in self.notes if n.lane is lane)

    def with_lanes(self, other: Pattern, lanes: Iterable[Lane]) -> Pattern:
        """This pattern with ``lanes`` taken from ``other``."""
        taken = frozenset(lanes)
        kept = [n for n in self.notes if n.lane not in taken]
        return replace(self, notes=(*kept, *(n for n in other.notes if n.lane in taken)))

    def as_json(self) -> dict[str, object]:
        """A plain dict for journals, OSC dumps and files; ``pattern_from_json`` reads it back."""
        p = self.provenance
        return {
            "root": self.root,
            "notes": [
                [n.start_ticks, n.lane.value, n.pitch, n.length_ticks, n.velocity, n.priority, n.origin.value]
                for n in self.notes
            ],
            "provenance": {
                "generator": p.generator,
                "model": p.model,
                "seed": p.seed,
                "parameters": dict(p.parameters),
                "parent": p.parent,
                "sources": list(p.sources),
                **({"nearest": [asdict(near) for near in p.nearest]} if p.nearest else {}),
            },
        }


def pattern_from_json(data: Mapping[str, Any]) -> Pattern:
    """The pattern that ``Pattern.as_json`` wrote.

    Raises:
        RangeError: the data is not a pattern; the message says where.
    """
    try:
        source: dict[str, Any] = {**data.get("provenance", {"generator": "none"})}
        source["sources"] = tuple(source.get("sources", ()))
        source["nearest"] = tuple(Near(**near) for near in source.get("nearest", ()))
        rows: list[Any] = data["notes"]
        notes = tuple(
            Note(int(s), Lane(lane), int(pitch), int(length), float(v), float(p), Origin(o))
            for s, lane, pitch, length, v, p, o in rows
        )
        return Pattern(notes, int(data.get("root", 36)), Provenance(**source))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RangeError(f"This is not a pattern: {error}. Expected root, notes and provenance.") from error


EMPTY: Final = Pattern()

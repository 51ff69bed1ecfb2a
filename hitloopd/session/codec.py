"""The state as JSON and back, exactly. One table of fields: whole for files, field by field for the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hitloopd.core.errors import RangeError
from hitloopd.core.pattern import Lane, Note, Origin, Pattern, pattern_from_json
from hitloopd.session.state import CellKey, SessionState

Json = Any


@dataclass(frozen=True, slots=True)
class Codec:
    """How one field is written and read."""

    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]


def _row(note: Note) -> Json:
    return [
        note.start_ticks,
        note.lane.value,
        note.pitch,
        note.length_ticks,
        note.velocity,
        note.priority,
        note.origin.value,
    ]


def _note(row: Json) -> Note:
    start, lane, pitch, length, velocity, priority, origin = row
    return Note(start, Lane(lane), pitch, length, velocity, priority, Origin(origin))


def _edit_rows(edits: Mapping[CellKey, Note | None]) -> Json:
    return [[lane.value, cell, None if note is None else _row(note)] for (lane, cell), note in edits.items()]


def _edits(rows: Json) -> dict[CellKey, Note | None]:
    return {(Lane(lane), int(cell)): None if row is None else _note(row) for lane, cell, row in rows}


def _optional_pattern(data: Json) -> Pattern | None:
    return None if data is None else pattern_from_json(data)


def _optional_seed(data: Json) -> int | None:
    return None if data is None else int(data)


def _by_name(values: Mapping[Lane, Any]) -> Json:
    return {lane.value: value for lane, value in values.items()}


def _same(value: Json) -> Json:
    return value


def _per_lane(read: Callable[[Any], Any]) -> Codec:
    return Codec(_by_name, lambda data: {Lane(name): read(value) for name, value in data.items()})


FLOAT: Final = Codec(float, float)
INT: Final = Codec(int, int)
TEXT: Final = Codec(str, str)

FIELDS: Final[Mapping[str, Codec]] = {
    "current": Codec(Pattern.as_json, pattern_from_json),
    "previous": Codec(lambda p: None if p is None else p.as_json(), _optional_pattern),
    "between": Codec(lambda p: None if p is None else p.as_json(), _optional_pattern),
    "edits": Codec(_edit_rows, _edits),
    "frozen": Codec(
        lambda lanes: {lane.value: [_row(note) for note in notes] for lane, notes in lanes.items()},
        lambda data: {Lane(name): tuple(_note(row) for row in rows) for name, rows in data.items()},
    ),
    "mutes": Codec(lambda lanes: sorted(lane.value for lane in lanes), lambda data: frozenset(Lane(n) for n in data)),
    "knob": FLOAT,
    "densities": _per_lane(float),
    "swing": _per_lane(float),
    "humanise": FLOAT,
    "temperature": FLOAT,
    "morph": FLOAT,
    "seed": INT,
    "next_seed": Codec(_same, _optional_seed),
    "groove_seed": INT,
    "model": TEXT,
    "style": TEXT,
    "root": INT,
    "scale": TEXT,
    "auto_bars": INT,
    "kit": TEXT,
    "samples": _per_lane(str),
    "tunings": _per_lane(float),
    "gains_db": _per_lane(float),
    "pans": _per_lane(float),
    "chokes": _per_lane(str),
    "lane_notes": _per_lane(int),
    "lane_channels": _per_lane(int),
    "lane_offsets_ms": _per_lane(float),
}
PATTERN_FIELDS: Final = ("current", "previous", "between")


def state_as_json(state: SessionState) -> dict[str, Json]:
    """A plain dict; ``state_from_json`` gives an equal state back."""
    return {name: codec.encode(getattr(state, name)) for name, codec in FIELDS.items()}


def state_from_json(data: Mapping[str, Json]) -> SessionState:
    """The state that ``state_as_json`` wrote; a field that is missing has its default.

    Raises:
        RangeError: the data is not a state; the message says what is wrong.
    """
    try:
        return SessionState(**{name: codec.decode(data[name]) for name, codec in FIELDS.items() if name in data})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RangeError(f"This is not a session state: {error}.") from error

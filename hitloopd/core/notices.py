"""What may be told: the one union that displays, OSC subscribers, MIDI feedback and the journal listen to."""

from __future__ import annotations

from dataclasses import dataclass

from hitloopd.core.pattern import Lane
from hitloopd.core.transport import ClockState, Transport


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat begins; ``beat`` 0 is the bar line."""

    bar: int
    beat: int
    bpm: float
    at_ns: int


@dataclass(frozen=True, slots=True)
class BarStarted:
    """A bar begins, with the pattern that is in force in it."""

    bar: int
    pattern_id: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class NotePlayed:
    """A note was handed to the outputs; ``at_ns`` is when it sounds. Told once, not once per output."""

    bar: int
    lane: Lane
    cell: int
    velocity: float
    pitch: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class TransportChanged:
    """State, tempo, source or lock changed."""

    transport: Transport


@dataclass(frozen=True, slots=True)
class Done:
    """A player command was carried out; ``bar`` is the first bar in which it is in force."""

    token: int
    bar: int
    transport: Transport


@dataclass(frozen=True, slots=True)
class Refused:
    """A player command was not carried out, and nothing changed."""

    token: int
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Late:
    """An answer of the generator came after its deadline and is cued one bar later."""

    bar: int


@dataclass(frozen=True, slots=True)
class ClockChanged:
    """The external clock was acquired, locked, lost (``freewheel``) or is gone (``none``)."""

    clock: ClockState
    text: str


@dataclass(frozen=True, slots=True)
class PortLost:
    """An output or input went away; the others go on."""

    port: str
    text: str


@dataclass(frozen=True, slots=True)
class PortBack:
    """It came back."""

    port: str


@dataclass(frozen=True, slots=True)
class MidiReceived:
    """A message on a control input, for the control mapping."""

    port: str
    data: bytes
    at_ns: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a person should read once: a missing sample, a full disk, a degraded part."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class OutputHealth:
    """One output's notes so far."""

    name: str
    notes_sent: int
    notes_off: int
    sounding: int


@dataclass(frozen=True, slots=True)
class PlayerStarted:
    """A player runs, for the first time or again: tell it outputs and score anew. ``lines`` are for people."""

    pid: int
    realtime: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlayerHealth:
    """The player's counters since it started.

    Args:
        bars: bar lines played.
        notes_sent: over all outputs, as are ``notes_off`` and ``sounding``.
        clocks_sent: F8 over all outputs.
        late: events more than 5 ms late.
        late_answers: patterns that came after the bar they were wanted for.
        missed_bars: bars that had to be repeated because of that.
        dropped: notes more than a clock late, left out.
        lateness_p50_us: of every event against its due time; likewise p99, p999 and max.
        histogram: (upper edge in µs, count).
        realtime: what the process was granted.
        midi_in: messages received; ``midi_in_bad`` of them were none.
        outputs: one row per output.
    """

    bars: int = 0
    notes_sent: int = 0
    notes_off: int = 0
    sounding: int = 0
    clocks_sent: int = 0
    late: int = 0
    late_answers: int = 0
    missed_bars: int = 0
    dropped: int = 0
    lateness_p50_us: float = 0.0
    lateness_p99_us: float = 0.0
    lateness_p999_us: float = 0.0
    lateness_max_us: float = 0.0
    histogram: tuple[tuple[float, int], ...] = ()
    realtime: str = ""
    midi_in: int = 0
    midi_in_bad: int = 0
    link_dropped: int = 0
    outputs: tuple[OutputHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The user's state changed: what is different, by address, and the bar it takes effect in."""

    values: tuple[tuple[str, tuple[str | int | float | bool, ...]], ...]
    bar: int


@dataclass(frozen=True, slots=True)
class KitProgress:
    """Live sampling goes on.

    Args:
        stage: records, extracts, ready (in the library), playing (in force from the bar that the text names) or failed.
        share: 0..1 of the stage.
        text: for people.
        kit: the new kit's name, once there is one.
    """

    stage: str
    share: float
    text: str
    kit: str = ""


PlayerNotice = (
    Beat
    | BarStarted
    | NotePlayed
    | TransportChanged
    | Done
    | Refused
    | Late
    | ClockChanged
    | PortLost
    | PortBack
    | MidiReceived
    | Warned
    | PlayerHealth
    | PlayerStarted
)
Notice = PlayerNotice | SessionChanged | KitProgress

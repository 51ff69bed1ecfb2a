"""What may be asked: the one union that OSC, MIDI control, keys and config turn into.

``SessionCommand``s change the user's pattern and how it is played (``session.state`` reduces them; undo covers them).
``TransportCommand``s go to the player. Every one is immutable and checked where it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hitloopd.core.pattern import Lane, Pattern
from hitloopd.core.routes import OutputSpec
from hitloopd.core.score import Score
from hitloopd.core.time import Timeline
from hitloopd.core.transport import Source

# ── the user's pattern ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Regenerate:
    """Make new notes. No lanes: all that are not locked. No seed: the one that follows the last."""

    lanes: frozenset[Lane] = frozenset()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Calmer:
    """One press down on the energy knob: a tenth."""


@dataclass(frozen=True, slots=True)
class Energetic:
    """One press up on the energy knob: a tenth."""


@dataclass(frozen=True, slots=True)
class SetEnergy:
    """Put the energy knob at 0..1."""

    value: float


@dataclass(frozen=True, slots=True)
class SetTemperature:
    """How wild the next bars are, 0..2."""

    value: float


@dataclass(frozen=True, slots=True)
class SetMorph:
    """Between the previous bar (0) and the current one (1)."""

    value: float


@dataclass(frozen=True, slots=True)
class SetSeed:
    """The seed of the next regenerate."""

    value: int


@dataclass(frozen=True, slots=True)
class SetModel:
    """The generator of the next bars."""

    name: str


@dataclass(frozen=True, slots=True)
class SetStyle:
    """The style of the next bars."""

    name: str


@dataclass(frozen=True, slots=True)
class SetAuto:
    """Regenerate by itself every so many bars; 0 is off."""

    bars: int


@dataclass(frozen=True, slots=True)
class LockLane:
    """Keep a lane through every regeneration, or let it go."""

    lane: Lane
    on: bool


@dataclass(frozen=True, slots=True)
class MuteLane:
    """Silence a lane, or let it sound."""

    lane: Lane
    on: bool


@dataclass(frozen=True, slots=True)
class SetDensity:
    """A lane's own energy knob 0..1; ``None`` follows the common one again."""

    lane: Lane
    value: float | None


@dataclass(frozen=True, slots=True)
class SetSwing:
    """A lane's swing 0.5..0.75."""

    lane: Lane
    value: float


@dataclass(frozen=True, slots=True)
class SetHumanise:
    """How loosely everything is played, 0..1."""

    value: float


@dataclass(frozen=True, slots=True)
class SetCell:
    """Edit one cell: velocity 0 clears it, ``None`` gives it back to the generator. The edit survives regeneration."""

    lane: Lane
    cell: int
    velocity: float | None
    pitch: int = 0


@dataclass(frozen=True, slots=True)
class SetPattern:
    """Put a whole bar in place of the current one; locked lanes stay."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class SetGain:
    """A slot's gain in dB, -60..12."""

    lane: Lane
    gain_db: float


@dataclass(frozen=True, slots=True)
class SetPan:
    """A slot's place, -1 left .. 1 right."""

    lane: Lane
    pan: float


@dataclass(frozen=True, slots=True)
class SetChoke:
    """Lanes with the same group cut each other off; empty: none."""

    lane: Lane
    group: str


@dataclass(frozen=True, slots=True)
class SetTune:
    """A slot's sample higher or lower, -24..24 semitones, from the next bar line or at once."""

    lane: Lane
    semitones: float
    now: bool = False


@dataclass(frozen=True, slots=True)
class SetSample:
    """Another sample on a lane, from the next bar line or at once.

    Args:
        samples: lane -> a sample of the kit, ``synth:<recipe>``, or a file of the library; empty: the kit's own.
        now: do not wait for the bar line.
    """

    samples: Mapping[Lane, str]
    now: bool = False


@dataclass(frozen=True, slots=True)
class NextSample:
    """The sample after the one that plays, of those that the kit has for a lane; no lanes: on all of them."""

    lanes: frozenset[Lane] = frozenset()
    now: bool = False


@dataclass(frozen=True, slots=True)
class LoadKit:
    """Play another kit.

    Args:
        name: of a kit or pack, or a path.
        now: do not wait for the bar line.
        anywhere: the path may lie outside the library folders: the config said it, and no stranger.
        fill: lane -> sample to begin with, for lanes that the kit has nothing for.
    """

    name: str
    now: bool = False
    anywhere: bool = False
    fill: Mapping[Lane, str] = field(default_factory=dict[Lane, str])


@dataclass(frozen=True, slots=True)
class Listen:
    """Record what the input hears for so long, cut a kit out of it, and play that from the next bar line on.

    Args:
        seconds: how long.
        use: play it; else it only lies in the library.
    """

    seconds: float
    use: bool = True


@dataclass(frozen=True, slots=True)
class SetLaneNote:
    """The MIDI note of a drum lane, on every output."""

    lane: Lane
    note: int


@dataclass(frozen=True, slots=True)
class SetLaneChannel:
    """The MIDI channel 1..16 of a lane, on every output."""

    lane: Lane
    channel: int


@dataclass(frozen=True, slots=True)
class SetLaneOffset:
    """A lane earlier or later in ms, -50..50."""

    lane: Lane
    offset_ms: float


@dataclass(frozen=True, slots=True)
class ExportPattern:
    """Write the current bar as ``name`` (a plain ``.mid`` file name, no folder) into the library folder."""

    name: str


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last change back."""


@dataclass(frozen=True, slots=True)
class Redo:
    """Do the change that was taken back again."""


SessionCommand = (
    Regenerate
    | Calmer
    | Energetic
    | SetEnergy
    | SetTemperature
    | SetMorph
    | SetSeed
    | SetModel
    | SetStyle
    | SetAuto
    | LockLane
    | MuteLane
    | SetDensity
    | SetSwing
    | SetHumanise
    | SetCell
    | SetPattern
    | SetGain
    | SetPan
    | SetChoke
    | SetTune
    | SetSample
    | LoadKit
    | SetLaneNote
    | SetLaneChannel
    | SetLaneOffset
    | ExportPattern
    | Undo
    | Redo
)

SoundCommand = NextSample | Listen
"""What becomes a session command once somebody has looked into the kit, or made one."""

# ── the transport ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Play:
    """From the song's start, at the next clock."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Now; the position freezes."""


@dataclass(frozen=True, slots=True)
class StopAt:
    """At the line of ``bar``: the bar before it is played out, and nothing of ``bar`` sounds."""

    bar: int


@dataclass(frozen=True, slots=True)
class Continue:
    """From where it stopped, at the next clock."""


@dataclass(frozen=True, slots=True)
class Locate:
    """Go to a song position 0..16383 in sixteenths; stopped: Continue starts there; playing: at the next clock."""

    sixteenth: int


@dataclass(frozen=True, slots=True)
class SetTempo:
    """Tempo 20..300 BPM at the next clock, or in a ramp over ``ramp_beats``."""

    bpm: float
    ramp_beats: float = 0.0


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap of a tempo; four make a bar's worth."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class SetSource:
    """Who gives the clock."""

    source: Source


@dataclass(frozen=True, slots=True)
class SetOutputOffset:
    """Everything on one output earlier or later in ms, -100..100; no name: on all."""

    offset_ms: float
    output: str = ""


@dataclass(frozen=True, slots=True)
class Panic:
    """Release every note everywhere, then the controllers that silence gear; playing goes on from the next note."""

    all_channels: bool = False


TransportCommand = Play | Stop | StopAt | Continue | Locate | SetTempo | Tap | SetSource | SetOutputOffset | Panic

# ── what only the app says to the player ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Cue:
    """Play this score from the next bar line that can be reached; ``due_bar``: the bar it was wanted for, or -1."""

    score: Score
    due_bar: int = -1


@dataclass(frozen=True, slots=True)
class SetOutputs:
    """New routes and offsets, taken over at the next bar line; the list names every output."""

    outputs: tuple[OutputSpec, ...]


@dataclass(frozen=True, slots=True)
class Restore:
    """Go on where a player that died left off: its timeline, where the song starts on it and what it played."""

    timeline: Timeline
    origin_tick: int | None
    stopped_tick: int
    score: Score
    source: Source


@dataclass(frozen=True, slots=True)
class AskHealth:
    """Tell the counters now."""


@dataclass(frozen=True, slots=True)
class TellNotes:
    """Tell each note as it sounds, or with the next beat at the latest: nobody has to wake up for what nobody reads."""

    at_once: bool


PlayerCommand = TransportCommand | Cue | SetOutputs | Restore | AskHealth | TellNotes
Command = SessionCommand | TransportCommand | SoundCommand


@dataclass(frozen=True, slots=True)
class Envelope:
    """A player command with the token its answer will carry."""

    token: int
    command: PlayerCommand = field(default_factory=AskHealth)

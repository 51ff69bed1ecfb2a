"""What the audio process is told and tells. Frozen values only; importing this costs nothing (no numpy).

Conventions: lanes by name; times are monotonic ns; in the bytes of events the channel is the lane's number 0..4 and the
note is the bass pitch (60 for drums). A note that is meant for a certain sound (a kit as it is dressed at that moment)
has that sound's number in four more bytes, so that a swap happens with the note and not at about its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hitloopd.core.kit import Kit
from hitloopd.core.pattern import Lane
from hitloopd.core.routes import PRESETS, Route
from hitloopd.core.time import NS_PER_MS, NS_PER_S

SLACK_NS: Final = 3 * NS_PER_MS  # for the way from the player to the audio process on a busy machine
DRIVERS_CHOICE: Final = 512  # frames to reckon with when the driver chooses the block

# (when it sounds, timeline tick, one MIDI message)
Event = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class AudioSpec:
    """How the audio process works.

    Args:
        kit: name or path.
        kit_dirs: folders with kits, first found wins.
        cache_dir: where built-in sounds are kept; empty: nowhere.
        backend: ``auto``, ``sounddevice`` or ``none``.
        device: part of a device's name, or its number; empty: the system's choice.
        rate: frames per second.
        block: frames per callback, 16..8192; 0 lets the driver choose.
        latency: what to ask of the driver, ``low`` or ``high``.
        latency_ms: 1..500, how much device latency is made up for; a device with more sounds later by the rest.
        voices: how many sound at once.
        bass_root: MIDI note of the lowest of the sixteen bass pitches to have ready.
        gain_db: of everything.
        wav_path: stream what is heard to this file; empty: don't.
        wav_bits: 16 or 24.
        midi_path: stream what is sent to this file; empty: don't.
        realtime: ask for real-time rights where this process keeps the time itself (no device, capture only).
        midi_routes: how lanes are written to that file; ``None``: only what comes as ``SentMidi`` is, as it comes.
    """

    kit: str = "house"
    kit_dirs: tuple[str, ...] = ()
    cache_dir: str = ""
    backend: str = "auto"
    device: str = ""
    rate: int = 48_000
    block: int = 128
    latency: str = "low"
    latency_ms: float = 15.0
    voices: int = 64
    bass_root: int = 36
    gain_db: float = 0.0
    wav_path: str = ""
    wav_bits: int = 24
    midi_path: str = ""
    realtime: bool = False
    midi_routes: Mapping[Lane, Route] | None = field(default_factory=lambda: dict(PRESETS["gm"]))

    @property
    def piece(self) -> int:
        """Frames that are rendered in one go: the block, or a part of a long one."""
        return min(self.block or DRIVERS_CHOICE, DRIVERS_CHOICE)

    @property
    def lead_ns(self) -> int:
        """How early the player must hand an event over for it to sound on time: two blocks, latency and some slack."""
        return (
            2 * (self.block or DRIVERS_CHOICE) * NS_PER_S // self.rate + round(self.latency_ms * NS_PER_MS) + SLACK_NS
        )


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PlayerEvents:
    """Notes to play (and to capture), from the player. A plain list of events means the same."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class SentMidi:
    """Messages as they went to a MIDI port, for the .mid capture only."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class SongStart:
    """The song begins: tick and time of its first downbeat. The captures begin here."""

    tick: int
    at_ns: int
    bpm: float = 120.0


@dataclass(frozen=True, slots=True)
class TempoAt:
    """From this tick on the tempo is another, for the tempo map of the .mid capture."""

    tick: int
    bpm: float
    at_ns: int


@dataclass(frozen=True, slots=True)
class MakeSound:
    """Have a kit's sounds ready, whole or not at all; answered by ``SoundReady`` or ``SoundRefused``.

    Args:
        number: what notes that are meant for it carry; not 0.
        kit: its slots; where its samples are named relatively, from ``folder``.
        folder: see there.
    """

    number: int
    kit: Kit
    folder: str


@dataclass(frozen=True, slots=True)
class PlaySound:
    """Everything that begins from now on is played with this sound; what sounds rings out."""

    number: int


@dataclass(frozen=True, slots=True)
class SetSlotGain:
    """A slot's gain in dB, -60..12; ``None``: each kit's own."""

    lane: Lane
    gain_db: float | None


@dataclass(frozen=True, slots=True)
class SetSlotPan:
    """A slot's place, -1 left .. 1 right; ``None``: each kit's own."""

    lane: Lane
    pan: float | None


@dataclass(frozen=True, slots=True)
class SetSlotChoke:
    """A slot's choke group; empty: none; ``None``: each kit's own."""

    lane: Lane
    group: str | None


@dataclass(frozen=True, slots=True)
class MuteSlot:
    """Cut a lane's sound within a block, tails included, or let it sound."""

    lane: Lane
    on: bool


@dataclass(frozen=True, slots=True)
class PreparePitches:
    """Have these bass notes ready, besides those that are."""

    pitches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """Panic: everything that sounds ends, and what is waiting to sound is forgotten."""


@dataclass(frozen=True, slots=True)
class AskAudioHealth:
    """Tell the counters now."""


AudioCommand = (
    PlayerEvents
    | SentMidi
    | SongStart
    | TempoAt
    | MakeSound
    | PlaySound
    | SetSlotGain
    | SetSlotPan
    | SetSlotChoke
    | MuteSlot
    | PreparePitches
    | Silence
    | AskAudioHealth
)

# ── out (besides core.notices.Warned, PortLost and PortBack) ────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class AudioReady:
    """The audio process sounds (or renders) from now on."""

    device: str
    rate: int
    block: int
    latency_ms: float
    kit: str


@dataclass(frozen=True, slots=True)
class SoundReady:
    """A sound is ready: notes that carry its number play it."""

    number: int


@dataclass(frozen=True, slots=True)
class SoundRefused:
    """A sound can't be made, for these reasons; what plays stays."""

    number: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AudioHealth:
    """Counters since the start.

    Args:
        device: what is played on, for people.
        callbacks: blocks rendered.
        callback_p50_us: time to render a block, of the last 4096; likewise p99 and max.
        load: p99 as a share of the block's length.
        underflows: how often the device ran dry.
        voices: sounding now.
        voices_stolen: notes that ended early to make room.
        notes: started.
        late: started after their time because they came after it.
        late_max_ms: by how much at most.
        dropped: notes left out because they came more than 0.1 s after their time, and events that found no room.
        unplayed: notes of lanes without a sound.
        limited: blocks in which the limiter turned down.
        clock_ppm: how much faster the device runs than it says.
        clock_resets: interruptions of the stream.
        capture_dropped: blocks and events that the capture files lack.
    """

    device: str = ""
    callbacks: int = 0
    callback_p50_us: float = 0.0
    callback_p99_us: float = 0.0
    callback_max_us: float = 0.0
    load: float = 0.0
    underflows: int = 0
    voices: int = 0
    voices_stolen: int = 0
    notes: int = 0
    late: int = 0
    late_max_ms: float = 0.0
    dropped: int = 0
    unplayed: int = 0
    limited: int = 0
    clock_ppm: float = 0.0
    clock_resets: int = 0
    capture_dropped: int = 0

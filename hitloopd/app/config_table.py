"""The one table of config keys: name, kind, range, default, what a musician wants to know, live or restart.

Parser, ``configs/default.yaml``, the README's reference and the typed settings follow from it. To write the derived
texts again after a change of the table::

    python -m hitloopd.app.config_table defaults > configs/default.yaml
    python -m hitloopd.app.config_table reference        # Markdown for the README

Conventions: channels are 1..16; times end in ``_ms`` or ``_s``; an empty text or 0 means "off" or "as the system has
it" where the words say so. This module must not read files and imports nothing heavy.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hitloopd.core.feel import MAX_LANE_OFFSET_MS, MAX_SWING, STRAIGHT
from hitloopd.core.request import MAX_SEED
from hitloopd.core.routes import PRESETS, Curve
from hitloopd.core.time import MAX_BPM, MIN_BPM

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | Mapping[str, Value]"


class Kind(enum.Enum):
    """What may stand behind the colon; the value is how a person calls it."""

    BOOL = "true or false"
    INT = "a whole number"
    NUMBER = "a number"
    TEXT = "text"
    PATH = "a path"
    TEXTS = "a list of texts"
    ROWS = "a list of mappings"
    LANE_ROWS = "a mapping of lane to mapping"
    LANE_NUMBERS = "a number, or a mapping of lane to number"
    BINDINGS = "a list of mappings, or the name of a controller file"


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Args:
        name: dotted, e.g. ``transport.bpm``; inside a row just the field's name.
        kind: what is expected.
        default: what holds when nobody says anything; ``None``: the field is left to the row's map or must be given.
        doc: lines for people.
        live: a reload takes a change over while playing; else it waits for a restart.
        low: least number, inclusive.
        high: greatest number, inclusive.
        choices: the only texts allowed.
        names: the list in ``config.Names`` that the text is checked against, e.g. ``styles``.
        refused: texts that are refused with a reason of their own.
        fields: of each row, for ROWS and LANE_ROWS.
        needed: a field that every row must have.
    """

    name: str
    kind: Kind
    default: Value | None
    doc: tuple[str, ...]
    live: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    names: str = ""
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    fields: tuple[Key, ...] = ()
    needed: bool = False

    @property
    def expected(self) -> str:
        """What may stand there, in words, e.g. ``a number 20..300``."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.kind.value} {self.low:g}..{self.high:.10g}"
        return self.kind.value


LIVE: Final = True
MAX_PORT: Final = 65535
MAX_OFFSET_MS: Final = 100.0

_PATTERN_DOC: Final = (
    "Part of a port's name, * and ? allowed, e.g. IAC* or *UM-ONE*; case and volatile client numbers don't matter.",
    "Several matches are listed, never guessed. Leave it out for a port that hitloopd offers itself (virtual).",
)

LANE_FIELDS: Final = (
    Key("send", Kind.BOOL, True, ("false: this lane is not sent there.",)),
    Key("channel", Kind.INT, None, ("MIDI channel; without it as the map says.",), low=1, high=16),
    Key("note", Kind.INT, None, ("MIDI note of a drum lane; without it as the map says.",), low=0, high=127),
    Key("gate", Kind.NUMBER, None, ("Share of the written length that is held.",), low=0.05, high=1.0),
    Key("curve", Kind.TEXT, None, ("How hard a hit becomes 1..127.",), choices=tuple(Curve)),
    Key("transpose", Kind.INT, None, ("Semitones added to bass notes.",), low=-48, high=48),
    Key(
        "offset_ms",
        Kind.NUMBER,
        None,
        ("This lane earlier (negative) or later on this output.",),
        low=-MAX_LANE_OFFSET_MS,
        high=MAX_LANE_OFFSET_MS,
    ),
)

OUTPUT_FIELDS: Final = (
    Key("name", Kind.TEXT, None, ("How OSC, the screen and notices call it; virtual ports carry it.",), needed=True),
    Key("port", Kind.TEXT, "", _PATTERN_DOC),
    Key("virtual", Kind.BOOL, False, ("Offer a port of this name instead (not on Windows: use loopMIDI).",)),
    Key("notes", Kind.BOOL, True, ("Send notes here.",)),
    Key("clock", Kind.BOOL, False, ("Send MIDI clock, Start, Stop, Continue and Song Position here.",)),
    Key(
        "clock_when_stopped", Kind.BOOL, True, ("Keep the clock running while stopped, so that gear keeps the tempo.",)
    ),
    Key("map", Kind.TEXT, None, ("Note map of this output; without it as midi.map.",), choices=tuple(PRESETS)),
    Key(
        "offset_ms",
        Kind.NUMBER,
        0.0,
        ("Everything on this output earlier (negative) or later, to line it up with the others.",),
        low=-MAX_OFFSET_MS,
        high=MAX_OFFSET_MS,
    ),
    Key("min_gap_ms", Kind.NUMBER, 1.0, ("Silence between a note's end and its next start.",), low=0.0, high=20.0),
    Key(
        "lanes",
        Kind.LANE_ROWS,
        {},
        ("Lane (kick, snare, hihat, cymbal, bass) to what differs from the map.",),
        fields=LANE_FIELDS,
    ),
)

INPUT_FIELDS: Final = (
    Key("name", Kind.TEXT, None, ("How notices call it; virtual ports carry it.",), needed=True),
    Key("port", Kind.TEXT, "", _PATTERN_DOC),
    Key("virtual", Kind.BOOL, False, ("Offer a port of this name instead (not on Windows: use loopMIDI).",)),
    Key("clock", Kind.BOOL, False, ("Take MIDI clock from here while sync.source is midi.",)),
    Key("control", Kind.BOOL, False, ("Pads, knobs and program changes from here drive control.midi.",)),
)

KEYS: Final = (
    # ── transport ───────────────────────────────────────────────────────────────────────────────────────────────────
    Key(
        "transport.bpm",
        Kind.NUMBER,
        124.0,
        ("Tempo in beats per minute; while following a clock, the tempo to go on with when it is lost.",),
        live=LIVE,
        low=MIN_BPM,
        high=MAX_BPM,
    ),
    Key(
        "transport.autostart",
        Kind.BOOL,
        True,
        ("Play as soon as the daemon runs. While following a clock it waits for its Start either way.",),
    ),
    # ── sync ────────────────────────────────────────────────────────────────────────────────────────────────────────
    Key(
        "sync.source",
        Kind.TEXT,
        "internal",
        ("Who gives the clock: internal (hitloopd is master) or midi (follow the inputs that have clock: true).",),
        live=LIVE,
        choices=("internal", "midi"),
        refused={"link": "Ableton Link is not built in yet; nothing would give the clock"},
    ),
    Key(
        "sync.lost",
        Kind.TEXT,
        "freewheel",
        ("When the clock goes away: freewheel (play on at the same tempo) or stop.",),
        choices=("freewheel", "stop"),
    ),
    Key(
        "sync.restart_on_start",
        Kind.BOOL,
        True,
        ("A Start while playing goes back to the first bar (Live sends one on every jump); false: ignore it.",),
    ),
    Key(
        "sync.offset_ms",
        Kind.NUMBER,
        0.0,
        ("Play earlier (negative) or later than the clock that is followed: makes up for a late interface.",),
        low=-MAX_OFFSET_MS,
        high=MAX_OFFSET_MS,
    ),
    # ── midi ────────────────────────────────────────────────────────────────────────────────────────────────────────
    Key(
        "midi.backend",
        Kind.TEXT,
        "auto",
        (
            "auto: JACK when a server runs (sample exact), else the system's MIDI through rtmidi.",
            "rtmidi, jack: only that. none: no MIDI ports at all.",
        ),
        choices=("auto", "rtmidi", "jack", "none"),
    ),
    Key("midi.client_name", Kind.TEXT, "hitloopd", ("The name other programs see.",)),
    Key(
        "midi.map",
        Kind.TEXT,
        "gm",
        (
            "Which notes the drums have: gm (36 38 42 46), live (Live's Drum Rack pads 36 37 38 39),",
            "paper (35 38 42 49); drums on channel 10, bass on channel 1.",
        ),
        live=LIVE,
        choices=tuple(PRESETS),
    ),
    Key(
        "midi.outputs",
        Kind.ROWS,
        (
            {"name": "out", "virtual": True},
            {"name": "clock", "virtual": True, "notes": False, "clock": True},
        ),
        (
            "Where notes and clock go; several at once, each with its own offset. A list replaces this one.",
            "A change of routes, offsets or maps is taken over live, another port at the next start.",
        ),
        live=LIVE,
        fields=OUTPUT_FIELDS,
    ),
    Key(
        "midi.inputs",
        Kind.ROWS,
        ({"name": "in", "virtual": True, "clock": True, "control": True},),
        ("Where clock and controllers come from. A list replaces this one.",),
        fields=INPUT_FIELDS,
    ),
    Key(
        "midi.cc123_on_stop",
        Kind.BOOL,
        False,
        ("Also send All Notes Off at Stop. Every note is released anyway; some gear misreads this one.",),
    ),
    # ── audio ───────────────────────────────────────────────────────────────────────────────────────────────────────
    Key(
        "audio.backend",
        Kind.TEXT,
        "auto",
        (
            "auto: sound where there is a device, else MIDI only.",
            "sounddevice: the same, and say so where it fails. none: MIDI only.",
        ),
        choices=("auto", "sounddevice", "none"),
    ),
    Key("audio.device", Kind.TEXT, "", ("Part of the device's name; empty: the system's default.",)),
    Key("audio.rate", Kind.INT, 48000, ("Frames per second.",), low=8000, high=192000),
    Key(
        "audio.block",
        Kind.INT,
        256,
        ("Frames per callback: less is quicker, more is safer. 0 lets the driver choose.",),
        low=0,
        high=8192,
    ),
    Key(
        "audio.latency",
        Kind.TEXT,
        "low",
        ("What to ask of the driver: low for playing, high when it crackles.",),
        choices=("low", "high"),
    ),
    Key(
        "audio.offset_ms",
        Kind.NUMBER,
        0.0,
        ("Sound earlier (negative) or later, to line it up with MIDI gear.",),
        live=LIVE,
        low=-MAX_OFFSET_MS,
        high=MAX_OFFSET_MS,
    ),
    Key(
        "audio.input",
        Kind.TEXT,
        "",
        (
            "What live sampling listens to: part of an input's name or its number, or jack:PORT (several with commas);",
            "empty: the inputs of a JACK server where one runs, else the system's own.",
        ),
    ),
    # ── osc ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    Key(
        "osc.host",
        Kind.TEXT,
        "127.0.0.1",
        ("127.0.0.1: only this computer. 0.0.0.0: the network too; then osc.allow must say who.",),
    ),
    Key("osc.port", Kind.INT, 9000, ("UDP port; 0 takes any free one and says which.",), low=0, high=MAX_PORT),
    Key(
        "osc.tcp_port",
        Kind.INT,
        0,
        ("OSC 1.0 over TCP (length prefix), usually 9001; 0 is off.",),
        low=0,
        high=MAX_PORT,
    ),
    Key("osc.slip_port", Kind.INT, 0, ("OSC 1.1 over TCP (SLIP), usually 9002; 0 is off.",), low=0, high=MAX_PORT),
    Key(
        "osc.allow",
        Kind.TEXTS,
        (),
        ("Addresses or networks that may ask, e.g. [192.168.1.20, 10.0.0.0/24]; this computer always may.",),
        live=LIVE,
    ),
    Key(
        "osc.max_ahead_s",
        Kind.NUMBER,
        5.0,
        ("A bundle dated further ahead than this is carried out at once, with a warning.",),
        low=0.0,
        high=60.0,
    ),
    # ── gen ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    Key("gen.model", Kind.TEXT, "rules", ("Who makes the bars: a generator's name.",), live=LIVE, names="models"),
    Key(
        "gen.style",
        Kind.TEXT,
        "house",
        ("Style of the bars, for generators that know styles.",),
        live=LIVE,
        names="styles",
    ),
    Key(
        "gen.energy",
        Kind.NUMBER,
        0.5,
        ("Where the energy knob stands: 0 the bare skeleton, 1 everything. Calmer and energetic move it.",),
        live=LIVE,
        low=0.0,
        high=1.0,
    ),
    Key(
        "gen.temperature",
        Kind.NUMBER,
        1.0,
        ("How wild the bars are: 0 the most typical, 1 as the style is, 2 the wildest.",),
        live=LIVE,
        low=0.0,
        high=2.0,
    ),
    Key("gen.seed", Kind.INT, 1, ("Same seed, same bars.",), live=LIVE, low=0, high=MAX_SEED),
    Key(
        "gen.auto",
        Kind.INT,
        0,
        ("Make a new bar by itself every so many bars; 0: only when asked.",),
        live=LIVE,
        low=0,
        high=1024,
    ),
    Key(
        "gen.root",
        Kind.INT,
        36,
        ("MIDI note of the key's root for the bass, 36 is a low C.",),
        live=LIVE,
        low=0,
        high=112,
    ),
    Key(
        "gen.dataset",
        Kind.PATH,
        "",
        ("Folder of a data set (python -m offline dataset build), of whose bars rowmix mixes new ones.",),
    ),
    Key("gen.scale", Kind.TEXT, "minor", ("Scale that bass lines keep to.",), live=LIVE, names="scales"),
    # ── feel ────────────────────────────────────────────────────────────────────────────────────────────────────────
    Key(
        "feel.swing",
        Kind.LANE_NUMBERS,
        STRAIGHT,
        ("0.5 straight, 0.58 a shuffle, 0.667 triplets; one number, or per lane: {hihat: 0.6, bass: 0.55}.",),
        live=LIVE,
        low=STRAIGHT,
        high=MAX_SWING,
    ),
    Key(
        "feel.humanise",
        Kind.NUMBER,
        0.0,
        ("How loosely it is played: at 1 a hit moves up to 12 ms and 15 % in velocity, by gen.seed.",),
        live=LIVE,
        low=0.0,
        high=1.0,
    ),
    # ── the rest ────────────────────────────────────────────────────────────────────────────────────────────────────
    Key(
        "kit",
        Kind.TEXT,
        "house",
        (
            "The sounds: name of a kit or sample pack, shipped or in the library;",
            "or path of a kit file or a pack's folder.",
        ),
        live=LIVE,
        names="kits",
    ),
    Key(
        "control.midi",
        Kind.BINDINGS,
        (),
        (
            "What pads, knobs and program changes do: name or path of a controller file, or the bindings themselves,",
            "e.g. [{note: 36, channel: 10, address: /hitloop/gen/regenerate}].",
        ),
        live=LIVE,
    ),
    Key("capture.dir", Kind.PATH, "", ("Write what is sent and heard to .mid and .wav in this folder; empty: don't.",)),
    Key("paths.state", Kind.PATH, "", ("Where the session is kept between runs; empty: the system's usual place.",)),
    Key(
        "paths.cache", Kind.PATH, "", ("Where rendered sounds are kept; can be deleted at any time; empty: as above.",)
    ),
    Key("paths.library", Kind.PATH, "", ("Your own kits, models, controllers and exports; empty: as above.",)),
    Key(
        "log.level",
        Kind.TEXT,
        "info",
        ("How much is said: debug, info, warning or error.",),
        live=LIVE,
        choices=("debug", "info", "warning", "error"),
    ),
)

BY_NAME: Final[Mapping[str, Key]] = {key.name: key for key in KEYS}
SECTIONS: Final = tuple(dict.fromkeys(key.name.partition(".")[0] for key in KEYS if "." in key.name))


def _main() -> int:
    import sys  # noqa: PLC0415 - only the command needs it

    from hitloopd.app import config_docs  # noqa: PLC0415 - it imports this module

    texts = {"defaults": config_docs.default_yaml, "reference": config_docs.config_reference}
    wanted = sys.argv[1] if len(sys.argv) > 1 else "defaults"
    if wanted not in texts:
        print(f"There is no text '{wanted}'; valid are {', '.join(texts)}.", file=sys.stderr)
        return 2
    sys.stdout.write(texts[wanted]())
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())

"""THE table of OSC addresses: the parser, MIDI control, the reference and later OSCQuery all follow from it.

Conventions: lower case, ids in the path, no path that runs a shell or reaches outside the library folder. A change
to the table is a CHANGELOG entry. Rows whose ``build`` is missing are answered from the desk's value, or by the door
itself (``sys/ping`` and its like, see ``osc_core``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, cast

from hitloopd.control.spec import Access, Arg, Call, Kind, Row
from hitloopd.core import commands as cmd
from hitloopd.core.errors import ArgumentError, RangeError
from hitloopd.core.feel import MAX_LANE_OFFSET_MS, MAX_SWING, STRAIGHT
from hitloopd.core.kit import MAX_GAIN_DB, MAX_TUNING, MIN_GAIN_DB
from hitloopd.core.pattern import PITCHES, Lane, Pattern, pattern_from_json
from hitloopd.core.request import MAX_SEED
from hitloopd.core.time import MAX_BPM, MIN_BPM
from hitloopd.core.transport import MAX_SONG_POSITION, Source

ROOT: Final = "/hitloop"
MAX_AUTO_BARS: Final = 1024
MAX_OUTPUT_OFFSET_MS: Final = 100.0
MAX_RAMP_BEATS: Final = 1024
MIN_LISTEN_S: Final = 1.0
MAX_LISTEN_S: Final = 600.0
MAX_NAME: Final = 1024
FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 _.\-]{0,99}\.mid")

_NONE, _READ, _WRITE, _BOTH = Access.NONE, Access.READ, Access.WRITE, Access.BOTH

_PRESS = Arg("press", Kind.PRESS, optional=True)
_ON = Arg("on", Kind.BOOL)
_SHARE = Arg("value", Kind.FLOAT, 0.0, 1.0)
_SEED = Arg("seed", Kind.INT, 0, MAX_SEED)
_MAYBE_SEED = Arg("seed", Kind.INT, 0, MAX_SEED, optional=True)
_NAME = Arg("name", Kind.STRING)
_WHEN = Arg("when", Kind.STRING, choices=("bar", "now"), optional=True)
_LANE_NAMES: Final = tuple(lane.value for lane in Lane)


def _press(template: str, doc: str, command: Callable[[], cmd.Command], answer: str) -> Row:
    """A button: acts without arguments, or with anything but 0."""
    return Row(template, doc, (_PRESS,), _WRITE, lambda _: command(), answer, acts_bare=True)


def _knob(template: str, doc: str, arg: Arg, build: Callable[[Call], cmd.Command]) -> Row:
    """One value that is asked, set and watched."""
    return Row(template, doc, (arg,), _BOTH, build, arg.name, watched=True)


def _regenerate_lane(call: Call) -> cmd.Command:
    return cmd.Regenerate(frozenset({call.lane}), call.maybe_whole(0))


def _lane_note(call: Call) -> cmd.Command:
    if call.lane is Lane.BASS:
        raise ArgumentError("The bass lane has no note of its own: its cells have pitches. Nothing was changed.")
    return cmd.SetLaneNote(call.lane, call.whole(0))


def _pattern(call: Call) -> cmd.Command:
    # Imported where it is used: a session without pattern/set never pays for it at start.
    import json  # noqa: PLC0415

    try:
        data: object = json.loads(call.text(0))
    except (ValueError, RecursionError) as error:
        raise RangeError(f"This is not JSON: {str(error)[:120]}; nothing was changed.") from error
    if not isinstance(data, dict):
        raise RangeError("This is not a pattern: expected an object with root and notes; nothing was changed.")
    return cmd.SetPattern(_checked(cast("dict[str, object]", data)))


def _checked(data: Mapping[str, object]) -> Pattern:
    try:
        pattern = pattern_from_json(data)
        _ = pattern.id
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise RangeError(f"This is not a pattern: {str(error)[:120]}; nothing was changed.") from error
    if not 0 <= pattern.root <= 112:
        raise RangeError(f"A pattern's root must be 0 to 112, got {pattern.root}; nothing was changed.")
    return pattern


def _export(call: Call) -> cmd.Command:
    name = call.text(0)
    if FILE_NAME.fullmatch(name) is None:
        raise RangeError(
            f"'{name[:80]}' is not a plain file name: letters, digits, space, _ . - and '.mid' at the end, "
            "no folder. Nothing was written."
        )
    return cmd.ExportPattern(name)


def _now(call: Call, index: int) -> bool:
    return call.text(index, "bar") == "now"


def _word(call: Call, nothing: str) -> str:
    """The first argument; the empty text for the word that takes a choice back."""
    text = call.text(0)
    if len(text) > MAX_NAME:
        raise RangeError(f"A name has at most {MAX_NAME} characters, this one has {len(text)}; nothing was changed.")
    return "" if text == nothing else text


def _choke(call: Call) -> cmd.Command:
    return cmd.SetChoke(call.lane, _word(call, "none"))


def _next_sample(call: Call) -> cmd.Command:
    lane = call.text(0, "all")
    return cmd.NextSample(frozenset() if lane == "all" else frozenset({Lane(lane)}), now=_now(call, 1))


_TRANSPORT = (
    _press("/transport/play", "Play from the start, at the next clock.", cmd.Play, "state"),
    _press("/transport/stop", "Stop now; the position freezes.", cmd.Stop, "state"),
    _press("/transport/continue", "Go on from where it stopped, at the next clock.", cmd.Continue, "state"),
    Row(
        "/transport/bpm",
        "Tempo, at once or in a ramp.",
        (
            Arg("bpm", Kind.FLOAT, MIN_BPM, MAX_BPM),
            Arg("ramp_beats", Kind.FLOAT, 0, MAX_RAMP_BEATS, optional=True),
        ),
        _BOTH,
        lambda call: cmd.SetTempo(call.number(0), call.number(1)),
        "bpm",
        watched=True,
    ),
    Row(
        "/transport/tap",
        "One tap of the tempo; four in time set it.",
        (_PRESS,),
        _WRITE,
        lambda call: cmd.Tap(call.now_ns),
        "bpm",
        acts_bare=True,
    ),
    Row(
        "/transport/position",
        "Where the song is, in sixteenths from its start; setting goes there.",
        (Arg("sixteenth", Kind.INT, 0, MAX_SONG_POSITION),),
        _BOTH,
        lambda call: cmd.Locate(call.whole(0)),
        "sixteenth",
    ),
)

_SYNC = (
    _knob(
        "/sync/source",
        "Who gives the clock.",
        Arg("source", Kind.STRING, choices=tuple(source.value for source in Source)),
        lambda call: cmd.SetSource(Source(call.text(0))),
    ),
    Row(
        "/sync/offset_ms",
        "Everything on one output earlier (negative) or later; no output: on all.",
        (
            Arg("ms", Kind.FLOAT, -MAX_OUTPUT_OFFSET_MS, MAX_OUTPUT_OFFSET_MS),
            Arg("output", Kind.STRING, optional=True),
        ),
        _BOTH,
        lambda call: cmd.SetOutputOffset(call.number(0), call.text(1)),
        "ms [output]",
        watched=True,
    ),
    Row("/sync/status", "How well an external clock is followed.", (), _READ, answer="clock source bpm", watched=True),
)

_GEN = (
    Row(
        "/gen/regenerate",
        "Make new notes on every lane that is not locked; a seed gives its bar back.",
        (_MAYBE_SEED,),
        _WRITE,
        lambda call: cmd.Regenerate(seed=call.maybe_whole(0)),
        "seed",
        acts_bare=True,
    ),
    _press("/gen/calmer", "Energy down by a tenth.", cmd.Calmer, "energy"),
    _press("/gen/energetic", "Energy up by a tenth.", cmd.Energetic, "energy"),
    _knob("/gen/energy", "The energy knob.", _SHARE, lambda c: cmd.SetEnergy(c.number(0))),
    _knob(
        "/gen/temperature",
        "How wild the next bars are; 1 is as made.",
        Arg("value", Kind.FLOAT, 0.0, 2.0),
        lambda call: cmd.SetTemperature(call.number(0)),
    ),
    _knob(
        "/gen/morph",
        "Between the previous bar (0) and the current one (1).",
        _SHARE,
        lambda call: cmd.SetMorph(call.number(0)),
    ),
    _knob("/gen/seed", "The seed of the next regenerate.", _SEED, lambda call: cmd.SetSeed(call.whole(0))),
    _knob("/gen/model", "The generator.", _NAME, lambda call: cmd.SetModel(call.text(0))),
    _knob("/gen/style", "The style.", _NAME, lambda call: cmd.SetStyle(call.text(0))),
    _knob(
        "/gen/auto",
        "Regenerate by itself every so many bars; 0 is off.",
        Arg("bars", Kind.INT, 0, MAX_AUTO_BARS),
        lambda call: cmd.SetAuto(call.whole(0)),
    ),
    _knob("/gen/humanise", "How loosely everything is played.", _SHARE, lambda call: cmd.SetHumanise(call.number(0))),
)

_LANE = (
    Row(
        "/lane/<lane>/regenerate",
        "New notes on this lane alone.",
        (_MAYBE_SEED,),
        _WRITE,
        _regenerate_lane,
        "seed",
        acts_bare=True,
    ),
    _knob(
        "/lane/<lane>/lock",
        "Keep the lane through every regeneration.",
        _ON,
        lambda call: cmd.LockLane(call.lane, call.flag(0)),
    ),
    _knob("/lane/<lane>/mute", "Silence the lane.", _ON, lambda call: cmd.MuteLane(call.lane, call.flag(0))),
    _knob(
        "/lane/<lane>/density",
        "The lane's own energy knob; auto follows the common one again.",
        Arg("value", Kind.FLOAT, 0.0, 1.0, words=("auto",)),
        lambda call: cmd.SetDensity(call.lane, call.number_or_word(0)),
    ),
    _knob(
        "/lane/<lane>/swing",
        "Where the second of two sixteenths falls: 0.5 straight, 0.667 triplet.",
        Arg("value", Kind.FLOAT, STRAIGHT, MAX_SWING),
        lambda call: cmd.SetSwing(call.lane, call.number(0)),
    ),
    _knob("/lane/<lane>/note", "The MIDI note of a drum lane.", Arg("note", Kind.INT, 0, 127), _lane_note),
    _knob(
        "/lane/<lane>/channel",
        "The MIDI channel of the lane.",
        Arg("channel", Kind.INT, 1, 16),
        lambda call: cmd.SetLaneChannel(call.lane, call.whole(0)),
    ),
    _knob(
        "/lane/<lane>/offset_ms",
        "The lane earlier (negative) or later.",
        Arg("ms", Kind.FLOAT, -MAX_LANE_OFFSET_MS, MAX_LANE_OFFSET_MS),
        lambda call: cmd.SetLaneOffset(call.lane, call.number(0)),
    ),
    Row(
        "/lane/<lane>/cell/<cell>",
        "Edit one cell: velocity, 0 clears, auto gives it back to the generator; pitch in semitones for bass.",
        (
            Arg("velocity", Kind.FLOAT, 0.0, 1.0, words=("auto",)),
            Arg("pitch", Kind.INT, 0, PITCHES - 1, optional=True),
        ),
        _BOTH,
        lambda call: cmd.SetCell(call.lane, call.cell, call.number_or_word(0), call.whole(1)),
        "velocity pitch",
    ),
)

_PATTERN = (
    Row(
        "/pattern/get",
        "The current bar as JSON; in parts (index total text) where it is long.",
        (),
        _READ,
        answer="json",
    ),
    Row(
        "/pattern/set",
        "Put a whole bar, as pattern/get gives it, in place of the current one; locked lanes stay.",
        (Arg("json", Kind.STRING),),
        _WRITE,
        _pattern,
        "id",
    ),
    _press("/pattern/undo", "Take the last change back.", cmd.Undo, "id"),
    _press("/pattern/redo", "Do again what was taken back.", cmd.Redo, "id"),
    Row(
        "/pattern/export",
        "Write the bar as a .mid file into the library folder.",
        (Arg("name.mid", Kind.STRING),),
        _WRITE,
        _export,
        "path",
    ),
    Row("/pattern/provenance", "Who made the bar from what, as JSON.", (), _READ, answer="json"),
)

_SOUND = (
    Row(
        "/kit/load",
        "Play another kit or sample pack, by its name or a path inside the library folder.",
        (_NAME, _WHEN),
        _BOTH,
        lambda call: cmd.LoadKit(call.text(0), now=_now(call, 1)),
        "name",
        watched=True,
    ),
    Row("/kit/list", "The kits and sample packs there are.", (), _READ, answer="name ..."),
    Row(
        "/kit/next",
        "Another sample of the kit on one lane, or on all that have several.",
        (Arg("lane", Kind.STRING, choices=(*_LANE_NAMES, "all"), optional=True), _WHEN),
        _WRITE,
        _next_sample,
        "lane sample ...",
        acts_bare=True,
    ),
    Row(
        "/kit/listen",
        "Record the input, cut a kit out of it in the background, and play it from the bar line after that; "
        "0 only puts it into the library.",
        (Arg("seconds", Kind.FLOAT, MIN_LISTEN_S, MAX_LISTEN_S), Arg("use", Kind.BOOL, optional=True)),
        _BOTH,
        lambda call: cmd.Listen(call.number(0), use=len(call.args) < 2 or call.flag(1)),
        "stage progress text",
        watched=True,
    ),
    Row(
        "/slot/<lane>/sample",
        "Which sample the lane plays: one of the kit's, synth:<recipe>, or a file of the library folder; auto gives "
        "the kit's own back. Asked, it also says where the sample is from.",
        (Arg("sample", Kind.STRING), _WHEN),
        _BOTH,
        lambda call: cmd.SetSample({call.lane: _word(call, "auto")}, now=_now(call, 1)),
        "sample recording start_s reference distance author licence",
        watched=True,
    ),
    _knob(
        "/slot/<lane>/gain",
        "How loud the lane's sample is, in dB.",
        Arg("db", Kind.FLOAT, MIN_GAIN_DB, MAX_GAIN_DB),
        lambda call: cmd.SetGain(call.lane, call.number(0)),
    ),
    _knob(
        "/slot/<lane>/pan",
        "Where the lane's sample is: -1 left, 1 right.",
        Arg("pan", Kind.FLOAT, -1.0, 1.0),
        lambda call: cmd.SetPan(call.lane, call.number(0)),
    ),
    _knob(
        "/slot/<lane>/choke",
        "Lanes with the same word cut each other off; none ends that.",
        Arg("group", Kind.STRING),
        _choke,
    ),
    Row(
        "/slot/<lane>/tune",
        "The lane's sample higher or lower.",
        (Arg("semitones", Kind.FLOAT, -MAX_TUNING, MAX_TUNING), _WHEN),
        _BOTH,
        lambda call: cmd.SetTune(call.lane, call.number(0), now=_now(call, 1)),
        "semitones",
        watched=True,
    ),
)

_SYS = (
    Row(
        "/sys/ping",
        "Answers at once; renews the lease.",
        (Arg("token", Kind.ANY, optional=True),),
        _WRITE,
        answer="token",
        acts_bare=True,
    ),
    Row("/sys/version", "Who answers here.", (), _READ, answer="name version pid"),
    Row("/sys/status", "What plays, as one line of JSON.", (), _READ, answer="json"),
    Row("/sys/health", "Counters of every process, as one line of JSON.", (), _READ, answer="json"),
    Row(
        "/sys/subscribe",
        "Send what changes: beat, bar, note, state (the default: beat, bar and state), or any address or pattern.",
        (
            Arg("what", Kind.STRING, optional=True),
            Arg("min_interval_ms", Kind.INT, 0, 60_000, optional=True),
            Arg("how", Kind.STRING, choices=("timetag", "now"), optional=True),
        ),
        _WRITE,
        answer="what min_interval_ms lease_s",
        acts_bare=True,
    ),
    Row(
        "/sys/unsubscribe",
        "Send it no longer; nothing named: nothing more at all.",
        (Arg("what", Kind.STRING, optional=True),),
        _WRITE,
        answer="what",
        acts_bare=True,
    ),
    Row(
        "/sys/client",
        "Send answers to another port of the sender's machine.",
        (_NAME, Arg("port", Kind.INT, 1, 65535)),
        _WRITE,
        answer="name port",
    ),
    Row(
        "/sys/panic",
        "Release every note, then silence the gear; 1 sweeps all sixteen channels.",
        (Arg("all_channels", Kind.BOOL, optional=True),),
        _WRITE,
        lambda call: cmd.Panic(all_channels=call.flag(0)),
        "released",
        acts_bare=True,
    ),
    Row("/sys/error", "Sent to who asked for what can't be: path, code, text.", (), _NONE, answer="path code text"),
)

EVENTS: Final = (
    Row("/event/beat", "A beat begins.", (), _NONE, answer="bar beat bpm"),
    Row("/event/bar", "A bar begins.", (), _NONE, answer="bar pattern_id"),
    Row("/event/note", "A note sounds.", (), _NONE, answer="lane bar cell velocity pitch"),
    Row("/event/transport", "State, tempo or source changed.", (), _NONE, answer="state bpm source"),
    Row(
        "/event/warning",
        "Something to read once: a port lost, a clock lost, a late answer.",
        (),
        _NONE,
        answer="code text",
    ),
    Row(
        "/event/kit",
        "Live sampling goes on: records, extracts, ready, playing or failed; progress 0 to 1.",
        (),
        _NONE,
        answer="stage progress text",
    ),
)

ROWS: Final = (*_TRANSPORT, *_SYNC, *_GEN, *_LANE, *_PATTERN, *_SOUND, *_SYS, *EVENTS)

ALIASES: Final[Mapping[str, str]] = {
    "/play": "/hitloop/transport/play",
    "/stop": "/hitloop/transport/stop",
    "/tempo": "/hitloop/transport/bpm",
    "/regenerate": "/hitloop/gen/regenerate",
    "/calmer": "/hitloop/gen/calmer",
    "/energetic": "/hitloop/gen/energetic",
}

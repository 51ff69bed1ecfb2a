"""Bars written to a Standard MIDI File: one track per lane, 480 ticks to the beat."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# mido comes without types.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hitloopd.core.errors import DeviceError, require_range
from hitloopd.core.pattern import LANES, Lane, Pattern
from hitloopd.core.routes import PRESETS, Route, velocity_byte
from hitloopd.core.score import Score
from hitloopd.core.time import MAX_BPM, MIN_BPM, TICKS_PER_BAR, TICKS_PER_BEAT

if TYPE_CHECKING:
    import mido

TOP_NOTE: Final = 127

# A note to be: tick in its bar, pitch (MIDI for bass), velocity 0..1, length in ticks.
_Row = tuple[int, int, float, int]
# Tick in the file, 0 off or 1 on, note, velocity byte: sorted, a note-off comes before a note-on of the same tick.
_Event = tuple[int, int, int, int]


def write_midi(
    path: Path | str,
    bars: Sequence[Pattern | Score],
    *,
    bpm: float,
    routes: Mapping[Lane, Route] | None = None,
) -> None:
    """Write bars one after the other.

    A ``Pattern`` is written as it stands, micro-timing included: take out what does not sound first
    (``pattern.at(knob)``). A ``Score`` has swing, humanise and mutes baked in (``engine.render``): that is the choice
    between a file to edit and a file that grooves. A note ends where the next one of its lane begins, at the latest.

    Args:
        path: the file; its folder must be there.
        bars: patterns or scores.
        bpm: 20..300.
        routes: lane -> channel, note, gate and velocity curve; none: General MIDI. A lane without a route is left out.

    Raises:
        RangeError: the tempo is out of range.
        DeviceError: the file can't be written.

    Thread: any but the player. Real-time: no.
    """
    import mido  # noqa: PLC0415 - only who writes files pays for it

    require_range("bpm", bpm, MIN_BPM, MAX_BPM)
    chosen = PRESETS["gm"] if routes is None else routes
    end = len(bars) * TICKS_PER_BAR
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(_conductor(bpm, end))
    for lane in LANES:
        if lane in chosen:
            file.tracks.append(_track(lane, chosen[lane], _events(bars, lane, chosen[lane]), end))
    try:
        file.save(str(path))
    except OSError as error:
        raise DeviceError(f"{path} can't be written: {error.strerror or error}. Choose another place.") from error


def _conductor(bpm: float, end: int) -> mido.MidiTrack:
    import mido  # noqa: PLC0415 - as above

    return mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name="hitloopd"),
            mido.MetaMessage("set_tempo", tempo=round(60_000_000 / bpm)),
            mido.MetaMessage("time_signature", numerator=4, denominator=4),
            mido.MetaMessage("end_of_track", time=end),
        ]
    )


def _track(lane: Lane, route: Route, events: Sequence[_Event], end: int) -> mido.MidiTrack:
    import mido  # noqa: PLC0415 - as above

    track = mido.MidiTrack([mido.MetaMessage("track_name", name=lane.value)])
    at = 0
    for tick, on, note, velocity in events:
        kind = "note_on" if on else "note_off"
        track.append(mido.Message(kind, channel=route.channel - 1, note=note, velocity=velocity, time=tick - at))
        at = tick
    track.append(mido.MetaMessage("end_of_track", time=max(end - at, 0)))
    return track


def _events(bars: Sequence[Pattern | Score], lane: Lane, route: Route) -> list[_Event]:
    """A lane's note-ons and note-offs over all bars, in order."""
    starts: dict[tuple[int, int], _Row] = {}
    for index, bar in enumerate(bars):
        for tick, pitch, velocity, length in _rows(bar, lane):
            note = min(max(pitch + route.transpose, 0), TOP_NOTE) if lane is Lane.BASS else route.note
            at = max(index * TICKS_PER_BAR + tick, 0)
            known = starts.get((at, note))
            if known is None or known[2] < velocity:  # two of a pitch at once are one, the louder
                starts[at, note] = (at, note, velocity, length)
    ticks = sorted({at for at, _ in starts})
    following = dict(zip(ticks, (*ticks[1:], ticks[-1] + 5 * TICKS_PER_BAR), strict=True)) if ticks else {}
    events: list[_Event] = []
    for at, note, velocity, length in starts.values():
        held = min(max(round(length * route.gate), 1), following[at] - at)
        events += [(at, 1, note, velocity_byte(route.curve, velocity)), (at + held, 0, note, 0)]
    return sorted(events)


def _rows(bar: Pattern | Score, lane: Lane) -> list[_Row]:
    if isinstance(bar, Score):
        return [(n.tick, n.pitch, n.velocity, n.length_ticks) for n in bar.notes if n.lane is lane]
    return [(n.start_ticks, bar.root + n.pitch, n.velocity, n.length_ticks) for n in bar.notes if n.lane is lane]

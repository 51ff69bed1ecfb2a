"""What was heard in a song as a MIDI file: tempo map, time signatures, a track per lane, micro-timing kept by ticks."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import mido

from hitloopd.core.pattern import DRUM_LANES, Lane
from hitloopd.core.routes import PRESETS, Curve, Route, velocity_byte
from hitloopd.core.time import TICKS_PER_BEAT, TICKS_PER_STEP
from hitloopd.generate.roll import MIN_DRUM_STEPS
from offline.transcription.heard import BassNote, DrumHit
from offline.transcription.ruler import Ruler

BASS_PROGRAM: Final = 33  # 34 as musicians count: finger bass
DRUM_TICKS: Final = MIN_DRUM_STEPS * TICKS_PER_STEP

# first tick, tick after the last, MIDI note, velocity 1..127
_Note = tuple[int, int, int, int]


def midi_file(title: str, ruler: Ruler, hits: Sequence[DrumHit], notes: Sequence[BassNote]) -> bytes:
    """The file's bytes: type 1, 480 ticks a beat, General MIDI notes.

    Args:
        title: of the song, as the name of the first track.
        ruler: the bar lines.
        hits: of the drum lanes.
        notes: of the bass.
    """
    routes = PRESETS["gm"]
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append(_conductor(title, ruler))
    for lane in DRUM_LANES:
        own = [(ruler.tick(hit.time_s), hit.velocity) for hit in hits if hit.lane is lane]
        file.tracks.append(_track(lane, routes[lane], _drum_notes(own, routes[lane].note), ruler.end))
    bass = [_bass_note(note, ruler) for note in notes]
    file.tracks.append(_track(Lane.BASS, routes[Lane.BASS], bass, ruler.end))
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def _conductor(title: str, ruler: Ruler) -> mido.MidiTrack:
    timed = [(0, mido.MetaMessage("track_name", name=title))]
    timed += [
        (meter.tick, mido.MetaMessage("time_signature", numerator=meter.beats, denominator=meter.unit))
        for meter in ruler.meters
    ]
    timed += [(tempo.tick, mido.MetaMessage("set_tempo", tempo=tempo.beat_us)) for tempo in ruler.tempos()]
    return _timed(timed, ruler.end)


def _drum_notes(hits: Iterable[tuple[int, float]], pitch: int) -> list[_Note]:
    """Each hit once per tick, the loudest, and as long as the roll draws it, but not into the next."""
    loudest: dict[int, float] = {}
    for tick, velocity in hits:
        loudest[tick] = max(velocity, loudest.get(tick, 0.0))
    ordered = sorted(loudest.items())
    ends = [min(tick + DRUM_TICKS, following) for (tick, _), (following, _) in pairwise(ordered)]
    return [
        (tick, end, pitch, velocity_byte(Curve.LINEAR, velocity))
        for (tick, velocity), end in zip(
            ordered, [*ends, *(tick + DRUM_TICKS for tick, _ in ordered[-1:])], strict=True
        )
    ]


def _bass_note(note: BassNote, ruler: Ruler) -> _Note:
    start = ruler.tick(note.start_s)
    return start, max(ruler.tick(note.end_s), start + 1), note.pitch, velocity_byte(Curve.LINEAR, note.velocity)


def _track(lane: Lane, route: Route, notes: Iterable[_Note], end: int) -> mido.MidiTrack:
    channel = route.channel - 1
    timed = [(0, mido.MetaMessage("track_name", name=lane.value))]
    if lane is Lane.BASS:
        timed.append((0, mido.Message("program_change", channel=channel, program=BASS_PROGRAM)))
    played = [(begin, 1, pitch, velocity) for begin, _, pitch, velocity in notes]
    played += [(min(last, end), 0, pitch, 0) for _, last, pitch, _ in notes]
    for tick, on, pitch, velocity in sorted(played):
        kind = "note_on" if on else "note_off"
        timed.append((tick, mido.Message(kind, channel=channel, note=pitch, velocity=velocity)))
    return _timed(timed, end)


def _timed(messages: Iterable[tuple[int, mido.Message | mido.MetaMessage]], end: int) -> mido.MidiTrack:
    track = mido.MidiTrack()
    now = 0
    for tick, message in sorted(messages, key=lambda timed: timed[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(end - now, 0)))
    return track

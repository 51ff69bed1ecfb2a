"""Which of a song's notes are which drum lane, and which are its bass line.

The lanes follow the General MIDI drum map. A bass line is, in this order: tracks named bass or sub, and programs 33 to
40; else channel 2, where many sequencers and sound modules put it; else the lowest voice that plays one note at a time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from hitloopd.core.pattern import DRUM_LANES, Lane
from offline.dataset.midi import DRUM_CHANNEL, Heard, MidiSong

GM_LANES: Final[Mapping[Lane, Sequence[int]]] = {
    Lane.KICK: (35, 36),
    Lane.SNARE: (37, 38, 39, 40),
    Lane.HIHAT: (42, 44),
    Lane.CYMBAL: (46, 49, 51, 52, 53, 55, 57, 59),
}
DRUM_ROW: Final[Mapping[int, int]] = {
    pitch: DRUM_LANES.index(lane) for lane, pitches in GM_LANES.items() for pitch in pitches
}

BASS_PROGRAMS: Final = range(32, 40)  # 0-based: 33 to 40 as musicians count
BASS_CHANNEL: Final = 1
BASS_NAME: Final = re.compile(r"bass(?!oon|[\s_-]*drum)|\bsub", re.IGNORECASE)
HIGHEST_MEAN: Final = 55.0  # G3: a voice that lies higher on average is no bass line
MONOPHONIC_SHARE: Final = 0.9
FEWEST_NOTES: Final = 8

Voices = Mapping[tuple[int, int], Sequence[Heard]]


def bass_line(song: MidiSong) -> tuple[Sequence[Heard], str]:
    """The bass notes by start, and the rule that found them: ``name or program``, ``channel``, ``lowest`` or none."""
    voices: defaultdict[tuple[int, int], list[Heard]] = defaultdict(list)
    for note in song.notes:
        if note.channel != DRUM_CHANNEL:
            voices[note.track, note.channel].append(note)
    for rule, find in _RULES.items():
        notes = find(song, voices)
        if notes:
            return sorted(notes), rule
    return (), ""


def _by_name_or_program(song: MidiSong, voices: Voices) -> Sequence[Heard]:
    channels: defaultdict[int, set[int]] = defaultdict(set)
    for note in song.notes:
        channels[note.track].add(note.channel)
    found: list[Heard] = []
    for (track, channel), notes in voices.items():
        # A track that holds many channels carries the name of the song, not of a voice.
        if len(channels[track]) == 1 and BASS_NAME.search(song.names.get(track, "")):
            found += notes
        else:
            found += [note for note in notes if song.program_at(channel, note.start) in BASS_PROGRAMS]
    return found


def _by_channel(song: MidiSong, voices: Voices) -> Sequence[Heard]:
    """Channel 2, where no program says that it is something else."""
    if song.programs.get(BASS_CHANNEL):
        return ()
    notes = [note for (_, channel), every in voices.items() if channel == BASS_CHANNEL for note in every]
    return notes if notes and _mean_pitch(notes) <= HIGHEST_MEAN else ()


def _lowest(song: MidiSong, voices: Voices) -> Sequence[Heard]:
    slack = song.ticks_per_beat / 8
    fit = [
        notes
        for notes in voices.values()
        if len(notes) >= FEWEST_NOTES
        and _mean_pitch(notes) <= HIGHEST_MEAN
        and _monophonic_share(notes, slack) >= MONOPHONIC_SHARE
    ]
    return min(fit, key=_mean_pitch, default=())


_RULES: Final[Mapping[str, Callable[[MidiSong, Voices], Sequence[Heard]]]] = {
    "name or program": _by_name_or_program,
    "channel": _by_channel,
    "lowest": _lowest,
}


def _mean_pitch(notes: Sequence[Heard]) -> float:
    return sum(note.pitch for note in notes) / len(notes)


def _monophonic_share(notes: Sequence[Heard], slack: float) -> float:
    """The share of notes that end, give or take a 32nd, before the next begins."""
    ordered = sorted(notes)
    alone = sum(
        one.end <= following.start + slack and one.start < following.start for one, following in pairwise(ordered)
    )
    return (alone + 1) / len(ordered)

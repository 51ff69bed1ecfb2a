"""The key of a song: the one it states, or the one its notes fit best.

Most files state C major because their sequencer wrote that by default, so a stated C counts as nothing said. The
estimate correlates how long each pitch class sounds with the key profiles that Krumhansl and Kessler measured (1982).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from offline.dataset.midi import DRUM_CHANNEL, MidiSong

NAMES: Final = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
UNSAID: Final = "C"
FEWEST_NOTES: Final = 16
PROFILES: Final[Mapping[str, Sequence[float]]] = {
    "": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "m": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def song_key(song: MidiSong) -> str:
    """``Eb`` or ``F#m`` as stated, else the nearest such as ``Am``; empty where too little is played to tell."""
    stated = {name for _, name in song.keys}
    if len(stated) == 1 and stated != {UNSAID}:
        return stated.pop()
    heard = np.zeros(12)
    notes = [note for note in song.notes if note.channel != DRUM_CHANNEL]
    for note in notes:
        heard[note.pitch % 12] += max(note.end - note.start, 1)
    if len(notes) < FEWEST_NOTES or heard.std() == 0:
        return ""
    scores = {
        NAMES[tonic] + mode: float(np.corrcoef(np.roll(profile, tonic), heard)[0, 1])
        for mode, profile in PROFILES.items()
        for tonic in range(12)
    }
    return max(scores, key=lambda name: scores[name])

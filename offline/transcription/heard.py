"""What is heard in a song: drum hits, bass notes, bars; and the stems in which it is heard.

Conventions: seconds from the start of the song (or of the stretch that was given), floats; sound is mono float32 at
``offline.audio.RATE``; velocity and confidence 0..1; pitch is a MIDI note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hitloopd.core.pattern import Lane
from offline.audio import Wave


class DrumHit(NamedTuple):
    """One hit of a drum lane.

    Args:
        sound: of a candidate, what it sounds like (``drums.sounds``); empty where a transcriber does not tell.
    """

    time_s: float
    lane: Lane
    velocity: float
    confidence: float
    sound: bytes = b""


class DrumsHeard(NamedTuple):
    """What is heard of the drums of a stretch, before its bars are known.

    Args:
        hits: by time.
        candidates: all that may be a hit, be it ever so unlikely, by time; its confidence is its probability. Empty
            where a transcriber does not tell.
    """

    hits: Sequence[DrumHit]
    candidates: Sequence[DrumHit] = ()


class BassNote(NamedTuple):
    """One note of the bass line."""

    start_s: float
    end_s: float
    pitch: int
    velocity: float
    confidence: float


class FoundBar(NamedTuple):
    """A bar as it was found.

    Args:
        start_s: of its first beat.
        end_s: of the first beat of the next bar.
        beats_s: where its beats begin, as many as it has; four in a bar of 4/4.
        confidence: how sure the beat and the bar line are.
        reason: why it is not to be trusted; empty where it is.
    """

    start_s: float
    end_s: float
    beats_s: tuple[float, ...]
    confidence: float
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Stems:
    """A stretch of a song, and its drums and bass as far as they could be told apart.

    Without a separator both are the mix itself. All three are equally long.
    """

    mix: Wave
    drums: Wave
    bass: Wave

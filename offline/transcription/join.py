"""What was heard in overlapping stretches of a song becomes one whole: nothing twice, nothing lost.

Conventions: seconds from the start of the song. Each stretch hears some seconds more on either side than it answers
for; the *border* between two lies in the middle of what both heard. The same sound is heard some milliseconds apart in
the two, so near the border sounds are paired before it is asked on which side they are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import Final, TypeVar

from offline.transcription.heard import BassNote, DrumHit

NEAR_S: Final = 0.15
"""How far from a border two stretches may disagree about the side of a sound."""
SAME_HIT_S: Final = 0.03
SAME_NOTE_S: Final = 0.08

T = TypeVar("T")


def joined_hits(parts: Sequence[Sequence[DrumHit]], borders_s: Sequence[float]) -> list[DrumHit]:
    """The hits of a song from those of its stretches, by time; one border between each two stretches."""
    whole = list(parts[0])
    for part, border_s in zip(parts[1:], borders_s, strict=True):
        whole = _across(whole, part, border_s, SAME_HIT_S, lambda hit: (hit.time_s, hit.lane))
    return sorted(whole)


def joined_notes(parts: Sequence[Sequence[BassNote]], borders_s: Sequence[float]) -> list[BassNote]:
    """The bass notes of a song, one at a time; a note that is held over a border ends where the later stretch says."""
    whole = list(parts[0])
    for part, border_s in zip(parts[1:], borders_s, strict=True):
        ends = [note for note in part if note.start_s < border_s + NEAR_S and note.end_s > border_s]
        held = [_held_on(note, ends) if note.start_s < border_s < note.end_s else note for note in whole]
        whole = _across(held, part, border_s, SAME_NOTE_S, lambda note: (note.start_s, note.pitch))
    return _one_at_a_time(sorted(whole))


def _across(
    earlier: Sequence[T],
    later: Sequence[T],
    border_s: float,
    same_s: float,
    mark: Callable[[T], tuple[float, Hashable]],
) -> list[T]:
    """The earlier stretch's sounds before the border, the later one's after it, and each pair near it once.

    Args:
        earlier: what the one heard, up to beyond the border.
        later: what the other heard, from before the border on.
        border_s: between them.
        same_s: so near in time two sounds of a kind are the same one.
        mark: when a sound is, and of what kind.
    """
    whole = [one for one in earlier if mark(one)[0] < border_s - NEAR_S]
    left = [one for one in earlier if abs(mark(one)[0] - border_s) <= NEAR_S]
    right = [one for one in later if abs(mark(one)[0] - border_s) <= NEAR_S]
    for one in left:
        time_s, kind = mark(one)
        twins = [other for other in right if mark(other)[1] == kind and abs(mark(other)[0] - time_s) <= same_s]
        if twins:
            twin = min(twins, key=lambda other: abs(mark(other)[0] - time_s))
            right.remove(twin)
            whole.append(one if time_s < border_s else twin)
        elif time_s < border_s:
            whole.append(one)
    whole += [one for one in right if mark(one)[0] >= border_s]
    whole += [one for one in later if mark(one)[0] > border_s + NEAR_S]
    return whole


def _held_on(note: BassNote, ends: Sequence[BassNote]) -> BassNote:
    going_on = [other for other in ends if other.pitch == note.pitch and other.start_s < note.end_s]
    return note._replace(end_s=going_on[0].end_s) if going_on else note


def _one_at_a_time(notes: Sequence[BassNote]) -> list[BassNote]:
    ended = [one._replace(end_s=min(one.end_s, following.start_s)) for one, following in pairwise(notes)]
    return [note for note in [*ended, *notes[-1:]] if note.end_s > note.start_s]

"""The deck: what plays now and what is cued for the next bar line.

A bar is *frozen* when the first head needs it, one MIDI clock before its line at the latest. What is cued after that is
in force one bar later, and the answer says so: nothing is promised that is not kept.
"""

from __future__ import annotations

from hitloopd.core.score import SILENCE, Score

_KEPT = 4


class Deck:
    """Scores by bar line. Bar lines are timeline ticks, so they stay unique through restarts and relocations."""

    def __init__(self) -> None:
        self.playing: Score = SILENCE
        self.cued: Score | None = None
        self._frozen: dict[int, Score] = {}

    def cue(self, score: Score) -> None:
        """Play ``score`` from the next bar that is not frozen yet."""
        self.cued = score

    def freeze(self, bar_tick: int) -> Score:
        """What plays in the bar at ``bar_tick``; the first call decides it."""
        score = self._frozen.get(bar_tick)
        if score is None:
            if self.cued is not None:
                self.playing, self.cued = self.cued, None
            score = self._frozen[bar_tick] = self.playing
            if len(self._frozen) > _KEPT:
                del self._frozen[min(self._frozen)]
        return score

    def is_frozen(self, bar_tick: int) -> bool:
        """It can't change any more."""
        return bar_tick in self._frozen

    def thaw(self) -> None:
        """The song was stopped or moved: no bar ahead is decided any more."""
        self._frozen.clear()

"""Where the song is on the timeline: one run from a start to a stop. Bars are 1 920 ticks from its origin."""

from __future__ import annotations

from dataclasses import dataclass

from hitloopd.core.time import TICKS_PER_BAR


@dataclass(frozen=True, slots=True)
class Run:
    """The song is playing.

    Args:
        origin_tick: the timeline tick of song tick 0; may lie in the past of ``start_tick``.
        start_tick: the first tick that sounds.
        end_tick: the bar line at which it ends by itself, if any.
    """

    origin_tick: int
    start_tick: int
    end_tick: int | None = None

    def ends_before(self, bar_tick: int) -> bool:
        """The bar at ``bar_tick`` is not played."""
        return self.end_tick is not None and bar_tick >= self.end_tick

    def bar_tick(self, tick: int) -> int:
        """The bar line at or before a timeline tick."""
        return self.origin_tick + (tick - self.origin_tick) // TICKS_PER_BAR * TICKS_PER_BAR

    def bar(self, tick: int) -> int:
        """The song bar that a timeline tick lies in."""
        return (tick - self.origin_tick) // TICKS_PER_BAR

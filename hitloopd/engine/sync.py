"""Who gives the time: our own tempo map, or a clock that is followed, and the ways from one to the other.

Own clock -> followed: at once while nothing plays or a Start is waiting, at a bar line while we freewheel (rule 9).
Followed -> own clock: when it is lost or no longer wanted, from its last tick on, in its tempo, without a jump.
"""

from __future__ import annotations

from dataclasses import dataclass

from hitloopd.core.notices import ClockChanged
from hitloopd.core.time import MAX_BPM, MIN_BPM, TICKS_PER_CLOCK, Timeline
from hitloopd.core.transport import ClockState, Source
from hitloopd.engine.clock_follower import FollowedTime
from hitloopd.engine.song import Run
from hitloopd.engine.tempo_map import MONOTONIC, TempoMap, next_clock
from hitloopd.engine.timebase import TimeBase
from hitloopd.ports.clock import Timescale


@dataclass(frozen=True, slots=True)
class Clock:
    """A received clock that counts: its timeline tick, and whether ticks before it were laid anew for it."""

    tick: int
    laid_anew: bool


class Sync:
    """The time base in force. ``told`` collects what people should know."""

    def __init__(self, *, bpm: float, source: Source, now_ns: int) -> None:
        self._scale: Timescale = MONOTONIC
        self.tempo = TempoMap(Timeline(bpm, 0, now_ns))
        self.source = source
        self.state = ClockState.NONE
        self.followed: FollowedTime | None = None
        self.told: list[ClockChanged] = []
        self.changes = 0
        self._returning: FollowedTime | None = None

    @property
    def time(self) -> TimeBase:
        """What ticks and nanoseconds are, now."""
        return self.followed if self.followed is not None else self.tempo

    @property
    def lost_at_ns(self) -> int | None:
        """When the followed clock counts as lost, unless it comes before."""
        return self.followed.lost_at_ns() if self.followed is not None else None

    def line_at(self, tick: int) -> Timeline:
        """The present as one straight line, for who has to go on from it."""
        if self.followed is None:
            return self.tempo.line_at(tick)
        return Timeline(self.followed.target_bpm, self.followed.tick, self.followed.at_ns)

    def count_on(self, scale: Timescale, now_ns: int) -> None:
        """Our own clock goes by ``scale`` from now on; a followed one goes by itself."""
        if scale is not self._scale:
            self._scale = scale
            self.tempo.count_on(scale, now_ns)

    def use(self, line: Timeline, source: Source) -> None:
        """Go on from a line that was kept."""
        self.tempo = TempoMap(line, self._scale)
        self.source = source

    def clock(self, at_ns: int, run: Run | None, *, horizon: int, waiting: bool) -> Clock | None:
        """One F8.

        Args:
            at_ns: when it came.
            run: what plays.
            horizon: the last tick that some head has played.
            waiting: a Start waits for this clock.

        Returns:
            Which tick it is; None if it does not count (a bounce, or not yet).
        """
        if self.followed is not None:
            counts = self.followed.clock(at_ns)
            self._tell_lock()
            return Clock(self.followed.tick, laid_anew=False) if counts else None
        if run is not None and not waiting:
            return self._relock(run, at_ns)
        tick = next_clock(horizon + 1)
        self._follow(FollowedTime(tick=tick, at_ns=at_ns, bpm=self.tempo.bpm_at(tick)))
        self._tell(ClockState.ACQUIRING, "MIDI clock is coming in")
        return Clock(tick, laid_anew=run is None)

    def freewheel(self) -> None:
        """Go on by ourselves from where the clock left us, in its tempo."""
        if self.followed is None:
            return
        bpm = min(max(self.followed.target_bpm, MIN_BPM), MAX_BPM)
        self.tempo = TempoMap(Timeline(bpm, self.followed.tick, self.followed.at_ns), self._scale)
        self.followed = None
        self.changes += 1

    def lose(self, *, playing: bool) -> None:
        """The followed clock stopped coming."""
        self.freewheel()
        what = f"going on at {self.tempo.target_bpm:.1f} BPM" if playing else "stopped"
        self._tell(ClockState.FREEWHEEL if playing else ClockState.NONE, f"MIDI clock lost; {what}")

    def choose(self, source: Source) -> None:
        """Follow MIDI clock from now on, or give our own."""
        self.source = source
        if source is Source.INTERNAL:
            self.freewheel()
            self._returning = None
            self._tell(ClockState.NONE, "the clock is our own")
        elif self.followed is None:
            self._tell(ClockState.ACQUIRING, "waiting for MIDI clock")

    def _relock(self, run: Run, at_ns: int) -> Clock | None:
        """The clock came back while we freewheel; its tick that is nearest to our bar line becomes the bar line."""
        if self._returning is None or not self._returning.clock(at_ns):
            self._returning = FollowedTime(tick=0, at_ns=at_ns, bpm=self.tempo.target_bpm)
            return None
        if not self._returning.estimate.usable:
            return None
        here = self.tempo.reach(at_ns)
        line = run.bar_tick(here + TICKS_PER_CLOCK // 2)
        if abs(here - line) > TICKS_PER_CLOCK // 2:
            return None
        self._follow(self._returning.moved_to(line))
        self._tell_lock()
        return Clock(line, laid_anew=False)

    def _follow(self, followed: FollowedTime) -> None:
        self.followed = followed
        self._returning = None
        self.changes += 1

    def _tell_lock(self) -> None:
        if self.followed is not None and self.followed.estimate.usable:
            self._tell(ClockState.LOCKED, f"following MIDI clock at {self.followed.target_bpm:.1f} BPM")

    def _tell(self, state: ClockState, text: str) -> None:
        if state is not self.state:
            self.state = state
            self.told.append(ClockChanged(state, text))

"""What happens, told as it sounds: beats, bars and notes for displays and subscribers, once and not per output."""

from __future__ import annotations

from collections import deque

from hitloopd.core.notices import BarStarted, Beat, NotePlayed, PlayerNotice
from hitloopd.core.score import ScoreNote
from hitloopd.core.time import (
    BEATS_PER_BAR,
    CELLS_PER_BAR,
    NS_PER_MS,
    TICKS_PER_BAR,
    TICKS_PER_BEAT,
    TICKS_PER_CELL,
    TICKS_PER_CLOCK,
)
from hitloopd.engine.head import NEVER_NS, Moment
from hitloopd.engine.song import Run

EARLIEST_NS = 4 * NS_PER_MS
"""What happens is told at most this early, when the player is awake for it anyway; every notice has its instant."""


class Monitor:
    """Walks the deck like a head, without an output.

    Attributes:
        lead_ns: how early it tells.
        due_ns: when it has to tell something next, as of the last look.
        bars: how many began.
    """

    def __init__(self) -> None:
        self.lead_ns = 0
        self.due_ns = 0
        self.bars = 0
        self._run: Run | None = None
        self._next_beat = 0
        self._next_bar = 0
        self._notes: deque[tuple[int, int, ScoreNote]] = deque()

    def advance(self, moment: Moment, now_ns: int, tell: list[PlayerNotice]) -> None:
        """Append what happened up to now to ``tell``."""
        reach = moment.time.reach(now_ns + self.lead_ns, ahead=False)
        self._follow(moment.run)
        tick = self._next_tick()
        while moment.run is not None and tick <= reach and not moment.run.ends_before(tick):
            self._tell(moment, moment.run, tick, tell)
            tick = self._next_tick()
        self.wait(moment)

    def wait(self, moment: Moment) -> None:
        """Say anew when it is due."""
        due_ns = None
        if moment.run is not None and self._run is not None:
            due_ns = moment.time.due_ns(self._next_tick(), ahead=False)
        self.due_ns = due_ns - self.lead_ns if due_ns is not None else NEVER_NS

    def _follow(self, run: Run | None) -> None:
        if run is self._run:
            return
        same = run is not None and self._run is not None and run.start_tick == self._run.start_tick
        self._run = run
        if same:  # it only got an end
            return
        self._notes.clear()
        if run is not None:
            into = run.start_tick - run.origin_tick
            self._next_bar = run.bar_tick(run.start_tick)
            self._next_beat = run.origin_tick + -(-into // TICKS_PER_BEAT) * TICKS_PER_BEAT

    def _next_tick(self) -> int:
        load = self._next_bar - TICKS_PER_CLOCK
        if self._run is not None and self._run.ends_before(self._next_bar):
            load = self._next_beat
        return min(load, self._next_beat, self._notes[0][0] if self._notes else self._next_beat)

    def _tell(self, moment: Moment, run: Run, tick: int, tell: list[PlayerNotice]) -> None:
        if self._next_bar - TICKS_PER_CLOCK <= tick and not run.ends_before(self._next_bar):
            self._load(moment, run)
        if self._next_beat == tick and not run.ends_before(tick):
            self._tell_beat(moment, run, tick, tell)
        while self._notes and self._notes[0][0] <= tick:
            on, bar, note = self._notes.popleft()
            cell = min((note.tick + TICKS_PER_CELL // 2) // TICKS_PER_CELL, CELLS_PER_BAR - 1)
            tell.append(NotePlayed(bar, note.lane, cell, note.velocity, note.pitch, moment.time.ns_at(on)))

    def _load(self, moment: Moment, run: Run) -> None:
        score = moment.deck.freeze(self._next_bar)
        bar = run.bar(self._next_bar)
        notes = [(self._next_bar + note.tick, bar, note) for note in score.notes]
        self._notes.extend(item for item in notes if item[0] >= run.start_tick)
        self._next_bar += TICKS_PER_BAR

    def _tell_beat(self, moment: Moment, run: Run, tick: int, tell: list[PlayerNotice]) -> None:
        beats = (tick - run.origin_tick) // TICKS_PER_BEAT
        bar, beat = divmod(beats, BEATS_PER_BAR)
        at_ns = moment.time.ns_at(tick)
        if beat == 0:
            self.bars += 1
            tell.append(BarStarted(bar, moment.deck.freeze(tick).pattern_id, at_ns))
        tell.append(Beat(bar, beat, moment.time.bpm_at(tick), at_ns))
        self._next_beat = tick + TICKS_PER_BEAT

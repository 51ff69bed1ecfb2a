"""A head plays the deck on one output, with that output's lead, offset and routes.

Every head walks the same timeline by itself, so outputs never wait for each other, and each may be early or late by as
much as it wants. Order at one tick: note-offs, clock, note-ons.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hitloopd.core.pattern import MAX_EARLY_TICKS, Lane
from hitloopd.core.routes import OutputSpec, Route, velocity_byte
from hitloopd.core.score import Score, ScoreNote
from hitloopd.core.time import NS_PER_MS, TICKS_PER_BAR, TICKS_PER_CLOCK
from hitloopd.engine.deck import Deck
from hitloopd.engine.lateness import Lateness
from hitloopd.engine.ledger import Ledger, Planned
from hitloopd.engine.song import Run
from hitloopd.engine.tempo_map import next_clock
from hitloopd.engine.timebase import TimeBase
from hitloopd.ports.midi import CALL_OFF, MidiOut

CLOCK = b"\xf8"
PREDICT_ABOVE_NS = 5 * NS_PER_MS
"""A head that must be fed this much ahead may run one clock past the next one while following; others wait for it."""
LATE_NS = 5 * NS_PER_MS
"""An event this late counts as late: 3.8 ms off was audible to players (polyend/TrackerBetaTesting#1136)."""
NEVER_NS = 1 << 62
CLOCK_CATCH_UP_NS = 2 * NS_PER_MS
"""Clocks missed in a stall go out this far apart: all of them, or followers lose their place, but never as a burst."""


@dataclass(slots=True)
class Counters:
    """Shared by all heads of a player."""

    clocks_sent: int = 0
    late: int = 0
    dropped: int = 0
    lateness: Lateness = field(default_factory=Lateness)
    timed: bool = False
    """Some output measures by itself when it sends; then only that is the lateness."""

    def sent(self, late_ns: int) -> None:
        """An output that measures by itself sent an event this late."""
        self.lateness.add(late_ns)
        self.late += late_ns > LATE_NS

    def handed_over(self, late_ns: int, lead_ns: int) -> None:
        """An event was handed over this long after its instant, where ``lead_ns`` before it was wanted."""
        self.late += late_ns > LATE_NS
        if not self.timed:
            self.lateness.add(late_ns + lead_ns)


@dataclass(frozen=True, slots=True)
class Moment:
    """What every head sees in one step."""

    time: TimeBase
    run: Run | None
    deck: Deck
    clock_wanted: bool


class Head:
    """Plays on one output. Sans-I/O but for ``out.send``; ``clock`` is only read to know how late it is.

    Attributes:
        due_ns: when it wants to be looked at again, as of the last look; never: when the next clock comes in.
        light: what it waits for is a MIDI clock and nothing else, so the next look will be a short one.
        reached: the last tick that was its to play.
    """

    def __init__(self, spec: OutputSpec, out: MidiOut, counters: Counters, clock: Callable[[], int]) -> None:
        self.spec = spec
        self.out = out
        self.ledger = Ledger()
        self.notes_sent = 0
        self.notes_off = 0
        self.reached = -(1 << 62)
        self.due_ns = 0
        self.light = False
        self._counters = counters
        self._clock = clock
        self._messages: deque[tuple[int, bytes]] = deque()
        self._ons: list[tuple[int, int, Planned]] = []
        self._latest: dict[int, Planned] = {}
        self._order = 0
        self._next_clock: int | None = None
        self._clock_not_before_ns = 0
        self._next_bar: int | None = None
        self._run: Run | None = None
        self.use(spec)

    def use(self, spec: OutputSpec) -> None:
        """Take new routes and offset; notes already planned keep theirs."""
        self.spec = spec
        self.due_ns = 0
        self._shift_ns = round(spec.offset_ms * NS_PER_MS)
        self._ahead_ns = spec.lead_ns - self._shift_ns
        self._ahead = self._ahead_ns >= PREDICT_ABOVE_NS
        earliest = min((route.offset_ms for route in spec.routes.values()), default=0.0)
        self._early_ms = max(0.0, -earliest)

    # ── one step ────────────────────────────────────────────────────────────────────────────────────────────────

    def advance(self, moment: Moment, now_ns: int) -> None:
        """Send everything that is due."""
        if self._messages:
            self._send_messages(now_ns)
        reach = self.look_ahead(moment, now_ns)
        self._follow_run(moment)
        tick = self._next_tick(moment)
        while tick is not None and tick <= reach and self._send_tick(moment, tick, now_ns):
            tick = self._next_tick(moment)
        self.out.flush()
        self._wait_for(moment, tick)

    def look_ahead(self, moment: Moment, now_ns: int) -> int:
        """The last tick that is its to play by now; nobody may change anything up to there any more."""
        reach = moment.time.reach(now_ns + self._ahead_ns, ahead=self._ahead)
        self.reached = max(self.reached, reach)
        return reach

    def wait(self, moment: Moment) -> None:
        """Say anew when it is due, in another moment than the one it was advanced in."""
        self._wait_for(moment, self._next_tick(moment))

    def _wait_for(self, moment: Moment, tick: int | None) -> None:
        due_ns = moment.time.due_ns(tick, ahead=self._ahead) if tick is not None else None
        due_ns = due_ns - self._ahead_ns if due_ns is not None else NEVER_NS
        self.light = False
        if tick is not None and tick == self._next_clock:
            due_ns = max(due_ns, self._clock_not_before_ns)
            self.light = not self._messages and not self._busy(moment, tick)
        for at_ns, _ in self._messages:
            due_ns = min(due_ns, at_ns - self.spec.lead_ns)
        self.due_ns = due_ns

    def _next_tick(self, moment: Moment) -> int | None:
        first, others = self._next_clock, (self.ledger.next_end(), self._bar_due(moment))
        if self._ons and (first is None or self._ons[0][0] < first):
            first = self._ons[0][0]
        for tick in others:
            if tick is not None and (first is None or tick < first):
                first = tick
        return first

    def _busy(self, moment: Moment, tick: int) -> bool:
        """There is more to do at ``tick``, the next one, than to send a clock."""
        if self._ons and self._ons[0][0] == tick:
            return True
        return tick in {self.ledger.next_end(), self._bar_due(moment)}

    def _send_tick(self, moment: Moment, tick: int, now_ns: int) -> bool:
        """Everything at one tick; False: a clock must wait, and so must what comes after it."""
        at_ns = moment.time.ns_at(tick) + self._shift_ns
        while self.ledger.next_end() == tick:
            self._end(self.ledger.pop_end(), tick, at_ns)
        if self._next_clock == tick and not self._send_clock(moment, tick, at_ns, now_ns):
            return False
        if self._bar_due(moment) == tick:
            self._load(moment)
        while self._ons and self._ons[0][0] == tick:
            self._begin(moment, heapq.heappop(self._ons)[2], at_ns, now_ns)
        return True

    # ── clock and transport messages ────────────────────────────────────────────────────────────────────────────

    def message(self, at_ns: int, data: bytes) -> None:
        """Send a transport message at ``at_ns`` (the output's offset is added); order is kept."""
        self.due_ns = 0
        before = self._messages[-1][0] if self._messages else 0
        self._messages.append((max(at_ns + self._shift_ns, before), data))

    def forget_messages(self) -> None:
        """A start that was announced but not sent yet does not happen."""
        self._messages.clear()

    def _send_messages(self, now_ns: int) -> None:
        while self._messages and self._messages[0][0] - self.spec.lead_ns <= now_ns:
            at_ns, data = self._messages.popleft()
            self.out.send(at_ns, self.reached, data)

    def _send_clock(self, moment: Moment, tick: int, at_ns: int, now_ns: int) -> bool:
        if now_ns < self._clock_not_before_ns:
            return False
        self._count_lateness(at_ns)
        self.out.send(at_ns, tick, CLOCK)
        self._counters.clocks_sent += 1
        self._next_clock = tick + TICKS_PER_CLOCK
        behind = moment.time.ns_at(self._next_clock) - self._ahead_ns <= now_ns
        self._clock_not_before_ns = now_ns + CLOCK_CATCH_UP_NS if behind else 0
        return True

    def _count_lateness(self, at_ns: int) -> None:
        if not self.spec.timed:
            self._counters.handed_over(self._clock() - at_ns, self.spec.lead_ns)

    def resync(self, tick: int) -> None:
        """The timeline was laid anew while nothing played: the next clock is ``tick``."""
        self.reached = tick - 1
        self.due_ns = 0
        if self._next_clock is not None:
            self._next_clock = tick

    # ── the run ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _follow_run(self, moment: Moment) -> None:
        run = moment.run
        if not (self.spec.clock and moment.clock_wanted and (run or self.spec.clock_when_stopped)):
            self._next_clock = None
        elif self._next_clock is None:
            self._next_clock = next_clock(max(run.start_tick, self.reached) if run else self.reached + 1)
        if run is not self._run:
            same = run is not None and self._run is not None and run.start_tick == self._run.start_tick
            self._run = run
            if not same:  # a run that only got an end goes on
                self._next_bar = run.bar_tick(run.start_tick) if run else None

    def _early_ticks(self, moment: Moment) -> int:
        # lane offsets are in ms, so how early a bar must be loaded depends on the tempo
        return round(self._early_ms * moment.time.bpm_at(self.reached) * 8 / 1000)

    def _bar_due(self, moment: Moment) -> int | None:
        if self._next_bar is None or not self.spec.notes or moment.run is None:
            return None
        while self._next_bar + TICKS_PER_BAR <= self.reached:
            self._next_bar += TICKS_PER_BAR  # over before it was wanted: a long stall, or notes just switched on
        if moment.run.ends_before(self._next_bar):
            return None
        early = TICKS_PER_CLOCK  # MAX_EARLY_TICKS is less
        if self._early_ms:
            early = max(early, self._early_ticks(moment) + MAX_EARLY_TICKS)
        return max(self._next_bar - early, moment.run.start_tick - TICKS_PER_CLOCK)

    def _load(self, moment: Moment) -> None:
        bar_tick = self._next_bar
        assert bar_tick is not None
        assert moment.run is not None
        score = moment.deck.freeze(bar_tick)
        self._next_bar = bar_tick + TICKS_PER_BAR
        self._plan(score, bar_tick, moment)

    def _plan(self, score: Score, bar_tick: int, moment: Moment) -> None:
        ticks_per_ms = moment.time.bpm_at(bar_tick) * 8 / 1000  # 480 ticks a beat: bpm * 480 / 60 000
        gap = max(1, math.ceil(self.spec.min_gap_ms * ticks_per_ms))
        assert moment.run is not None
        first = moment.run.start_tick
        tail = score.sound.to_bytes(4, "big") if score.sound and self.spec.sounds else b""
        for item in score.notes:
            route = self.spec.routes.get(item.lane)
            if route is None:
                continue
            if bar_tick + item.tick < first - MAX_EARLY_TICKS:
                continue  # joined inside the bar: what lies before is over
            on = max(bar_tick + item.tick + round(route.offset_ms * ticks_per_ms), first)
            self._plan_one(_planned(item, route, on, tail), gap)

    def _plan_one(self, note: Planned, gap: int) -> None:
        before = self._latest.get(note.key)
        if before is not None:
            self.ledger.shorten(before, note.on_tick - gap)
        self._latest[note.key] = note
        self._order += 1
        heapq.heappush(self._ons, (note.on_tick, self._order, note))

    # ── notes ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, moment: Moment, note: Planned, at_ns: int, now_ns: int) -> None:
        if now_ns - at_ns > moment.time.ns_at(note.on_tick + TICKS_PER_CLOCK) - moment.time.ns_at(note.on_tick):
            self._counters.dropped += 1  # more than a clock late: a flam is worse than a gap
            return
        sounding = self.ledger.sounding(note.key)
        if sounding is not None:
            self._end(sounding, note.on_tick, at_ns)
        self._count_lateness(at_ns)
        note.on_ns = at_ns
        self.out.send(at_ns, note.on_tick, bytes((0x90 | note.channel, note.note, note.velocity)) + note.tail)
        self.notes_sent += 1
        self.ledger.begin(note)

    def _end(self, note: Planned, tick: int, at_ns: int) -> None:
        if not note.sounding:
            return
        at_ns = max(at_ns, note.on_ns + NS_PER_MS)  # an offset that was changed meanwhile can't turn them round
        self.out.send(at_ns, tick, bytes((0x80 | note.channel, note.note, 0)))
        self.notes_off += 1
        self.ledger.end(note)

    def silence(self, at_ns: int, tick: int) -> None:
        """End everything that sounds; what is planned goes on."""
        for note in self.ledger.all():
            self._end(note, tick, at_ns)
        self.out.flush()

    def release(self, at_ns: int, tick: int) -> None:
        """End everything that sounds and forget what was planned."""
        self._ons.clear()
        self._latest.clear()
        if self.spec.sounds:
            self.out.send(at_ns, tick, CALL_OFF)
        self.silence(at_ns, tick)

    def flush_messages(self) -> None:
        """Send the transport messages that still wait: the last thing before the port is closed."""
        while self._messages:
            at_ns, data = self._messages.popleft()
            self.out.send(at_ns, self.reached, data)
        self.out.flush()


def _planned(item: ScoreNote, route: Route, on: int, tail: bytes) -> Planned:
    note = min(max(item.pitch + route.transpose, 0), 127) if item.lane is Lane.BASS else route.note
    velocity = velocity_byte(route.curve, item.velocity)
    return Planned(on, on + max(1, round(item.length_ticks * route.gate)), route.channel - 1, note, velocity, tail)

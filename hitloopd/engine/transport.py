"""The song on the timeline: what starts, stops and moves it, be it a command or the master whose clock is followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hitloopd.core.time import NS_PER_MS, TICKS_PER_CLOCK, TICKS_PER_SIXTEENTH
from hitloopd.core.transport import MAX_SONG_POSITION, State
from hitloopd.engine.deck import Deck
from hitloopd.engine.head import Head
from hitloopd.engine.song import Run
from hitloopd.engine.sync import Sync
from hitloopd.engine.tempo_map import next_clock

START, CONTINUE, STOP = b"\xfa", b"\xfb", b"\xfc"
START_LEAD_NS = 2 * NS_PER_MS
"""FA and FB go out this much before the first F8 (rule 4 asks for at least 1 ms)."""
LOCATE_LEAD_NS = 12 * NS_PER_MS
"""A song position goes out this much before FB: time for followers to locate (rule 6)."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What is done where MIDI leaves it open; see ``PlayerSpec``."""

    freewheel: bool
    restart_on_start: bool
    cc123_on_stop: bool


class Song:
    """Plays, waits to, or is stopped somewhere.

    Attributes:
        run: what plays.
        armed_at: song tick at which the next received clock starts us.
        stopped_tick: where it stands while it is stopped.
        moves: goes up with everything here that a restarted player would have to know.
    """

    def __init__(self, sync: Sync, deck: Deck, heads: Sequence[Head], habits: Habits) -> None:
        self._sync = sync
        self._deck = deck
        self._heads = heads
        self._habits = habits
        self._relocate_to: int | None = None
        self._announced: int | None = None  # song tick that came while playing, for a Continue that may follow
        self.run: Run | None = None
        self.armed_at: int | None = None
        self.stopped_tick = 0
        self.moves = 0
        self._realtime: dict[int, Callable[[bytes, int], None]] = {
            0xF8: self._on_clock,
            0xFA: self._on_start,
            0xFB: self._on_continue,
            0xFC: self._on_stop,
            0xF2: self._on_song_position,
        }

    @property
    def state(self) -> State:
        """What the transport does."""
        if self.run is not None:
            return State.PLAYING
        return State.ARMED if self.armed_at is not None else State.STOPPED

    def here(self, now_ns: int) -> int:
        """The timeline's tick now."""
        return self._sync.time.reach(now_ns, ahead=False)

    def horizon(self, now_ns: int) -> int:
        """The last tick that some head has played: nothing before it can be changed any more."""
        here = self.here(now_ns)
        return max([here, *(head.reached for head in self._heads)])

    def is_over(self, now_ns: int) -> bool:
        """It has come to the end that it was given."""
        return self.run is not None and self.run.end_tick is not None and self.run.ends_before(self.here(now_ns))

    def start(self, song_tick: int, now_ns: int, how: bytes) -> None:
        """Start at the next clock that leaves time for the messages before it."""
        lead = START_LEAD_NS if how is START else LOCATE_LEAD_NS
        start = next_clock(self.horizon(now_ns + lead) + 1)
        self.begin(song_tick, start)
        if self._sync.followed is None:
            at_ns = self._sync.tempo.ns_at(start)
            if how is CONTINUE:
                self.message(now_ns, song_position(song_tick // TICKS_PER_SIXTEENTH))
            self.message(at_ns - START_LEAD_NS, how)
        else:
            self.message(now_ns, how)

    def begin(self, song_tick: int, start_tick: int) -> None:
        """Play from ``song_tick`` on, at ``start_tick`` of the timeline."""
        self.run = Run(start_tick - song_tick, start_tick)
        self.moves += 1

    def halt(self, now_ns: int) -> None:
        """Stop at once: the position freezes, every note ends."""
        self.armed_at = None
        self._relocate_to = None
        self._announced = None
        if self.run is None:
            return
        # following, the song position is a count of clocks: the next one is where Continue goes on (rule 7)
        followed = self._sync.followed
        here = followed.tick + TICKS_PER_CLOCK if followed else self.here(now_ns)
        self.stopped_tick = max(0, here - self.run.origin_tick)
        self.run = None
        self._deck.thaw()
        self.release(now_ns)
        for head in self._heads:
            head.forget_messages()
        self.message(now_ns, STOP)
        if self._habits.cc123_on_stop:
            for head in self._heads:
                for channel in sorted({route.channel - 1 for route in head.spec.routes.values()}):
                    head.out.send(now_ns, head.reached, bytes((0xB0 | channel, 123, 0)))
                head.out.flush()
        self.moves += 1

    def go_to(self, song_tick: int, now_ns: int) -> None:
        """Be there: at the next clock while playing, at once while stopped."""
        if self.run is None:
            self.stopped_tick = song_tick
            if self.armed_at is not None:
                self.armed_at = song_tick
        elif self._sync.followed is not None:
            self._relocate_to = song_tick
        else:
            start = next_clock(self.horizon(now_ns) + 1)
            self.release(now_ns)
            self._deck.thaw()
            self.begin(song_tick, start)
        self.moves += 1

    def release(self, now_ns: int) -> None:
        """End every note and forget what was planned."""
        for head in self._heads:
            head.release(now_ns, head.reached)

    def message(self, at_ns: int, data: bytes) -> None:
        """A transport message to every output that gets the clock."""
        for head in self._heads:
            if head.spec.clock:
                head.message(at_ns, data)

    # ── a master ────────────────────────────────────────────────────────────────────────────────────────────────

    def obeys(self, status: int) -> bool:
        """A message with this status byte is a master's."""
        return status in self._realtime

    def receive(self, data: bytes, at_ns: int) -> None:
        """One message of the master's."""
        self._realtime[data[0]](data, at_ns)

    def _on_clock(self, _: bytes, at_ns: int) -> None:
        waiting = self.armed_at is not None
        clock = self._sync.clock(at_ns, self.run, horizon=self.horizon(at_ns), waiting=waiting)
        if clock is None:
            return
        if clock.laid_anew:
            for head in self._heads:
                head.resync(clock.tick)
        song_tick = self.armed_at if waiting else self._relocate_to
        if song_tick is not None:
            self.release(at_ns)
            self._deck.thaw()
            self.begin(song_tick, clock.tick)
            self.armed_at = self._relocate_to = None

    def check_lost(self, now_ns: int) -> None:
        """A followed clock that came no more is gone: freewheel or stop (rule 9)."""
        lost_at_ns = self._sync.lost_at_ns
        if lost_at_ns is None or now_ns < lost_at_ns:
            return
        if not self._habits.freewheel:
            self.halt(now_ns)
        self._sync.lose(playing=self.run is not None)
        self.lay_anew(now_ns)

    def lay_anew(self, now_ns: int) -> None:
        """The timeline changed hands while nothing plays: clocks go on from the next tick."""
        if self.run is None:
            tick = next_clock(self.here(now_ns) + 1)
            for head in self._heads:
                head.resync(tick)

    def _on_start(self, _: bytes, at_ns: int) -> None:
        if self.run is None or self._habits.restart_on_start:
            self._arm(0, at_ns, START)

    def _on_continue(self, _: bytes, at_ns: int) -> None:
        if self.run is None:
            self._arm(self.stopped_tick, at_ns, CONTINUE)
        elif self._announced is not None:  # some masters name a place some time before they go on from it
            self._arm(self._announced, at_ns, CONTINUE)

    def _arm(self, song_tick: int, at_ns: int, how: bytes) -> None:
        self._announced = None
        self.armed_at = song_tick
        self.message(at_ns, how)

    def _on_stop(self, _: bytes, at_ns: int) -> None:
        self.halt(at_ns)

    def _on_song_position(self, data: bytes, at_ns: int) -> None:
        if len(data) != 3:
            return
        song_tick = (data[1] & 0x7F | (data[2] & 0x7F) << 7) * TICKS_PER_SIXTEENTH
        playing = self.run is not None
        self._announced = song_tick if playing else None
        # while we freewheel there is no next clock to go there on: Continue says when, or the bar line does (rule 9)
        if self._sync.followed is not None or not playing:
            self.go_to(song_tick, at_ns)


def song_position(sixteenth: int) -> bytes:
    """F2 with a position in sixteenths, 14 bits, least significant first."""
    value = sixteenth % (MAX_SONG_POSITION + 1)
    return bytes((0xF2, value & 0x7F, value >> 7))

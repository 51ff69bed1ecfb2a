"""The player, sans-I/O: ``step(now_ns) -> next deadline``. Inboxes and outboxes around it, no thread, no lock.

The same object runs under a fake clock in tests and in the real-time process. What it is told (commands, MIDI input) it
does in the order it came; what it has to tell is in ``take_notices``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hitloopd.core.commands import (
    AskHealth,
    Continue,
    Cue,
    Envelope,
    Locate,
    Panic,
    Play,
    PlayerCommand,
    Restore,
    SetOutputOffset,
    SetOutputs,
    SetSource,
    SetTempo,
    Stop,
    StopAt,
    Tap,
    TellNotes,
)
from hitloopd.core.errors import (
    HitloopError,
    NothingToDoError,
    UnavailableError,
    UnknownNameError,
    nearest,
    require_range,
)
from hitloopd.core.notices import (
    Done,
    Late,
    MidiReceived,
    NotePlayed,
    OutputHealth,
    PlayerHealth,
    PlayerNotice,
    Refused,
    TransportChanged,
)
from hitloopd.core.routes import OutputSpec
from hitloopd.core.time import (
    MAX_BPM,
    MIN_BPM,
    NS_PER_MS,
    NS_PER_S,
    TICKS_PER_BAR,
    TICKS_PER_CLOCK,
    TICKS_PER_SIXTEENTH,
    Timeline,
)
from hitloopd.core.transport import MAX_SONG_POSITION, Position, Source, State, Transport
from hitloopd.engine.deck import Deck
from hitloopd.engine.head import Counters, Head, Moment
from hitloopd.engine.monitor import EARLIEST_NS, Monitor
from hitloopd.engine.song import Run
from hitloopd.engine.sync import Sync
from hitloopd.engine.tap import Tap as TapTempo
from hitloopd.engine.tempo_map import MONOTONIC, next_clock
from hitloopd.ports.clock import Timescale
from hitloopd.ports.midi import MidiOut

START, CONTINUE, STOP = b"\xfa", b"\xfb", b"\xfc"
SYSTEM_RESET = 0xFF
START_LEAD_NS = 2 * NS_PER_MS
"""FA and FB go out this much before the first F8 (rule 4 asks for at least 1 ms)."""
LOCATE_LEAD_NS = 12 * NS_PER_MS
"""A song position goes out this much before FB: time for followers to locate (rule 6)."""
_TELL_TEMPO_EVERY_NS = NS_PER_S // 2
_SILENCERS = (64, 120, 123)  # sustain off, all sound off, all notes off


@dataclass(frozen=True, slots=True)
class PlayerSpec:
    """What a player starts with.

    Args:
        bpm: 20..300.
        source: who gives the clock.
        freewheel: go on in the same tempo when the clock is lost (else stop).
        restart_on_start: FA while playing starts anew (Live sends it on relocation); else it is ignored.
        cc123_on_stop: also send all-notes-off on stop; some gear misreads it.
    """

    bpm: float = 120.0
    source: Source = Source.INTERNAL
    freewheel: bool = True
    restart_on_start: bool = True
    cc123_on_stop: bool = False


class Player:
    """Transport, deck and heads."""

    def __init__(
        self,
        spec: PlayerSpec,
        outputs: Sequence[tuple[OutputSpec, MidiOut]],
        clock: Callable[[], int],
        counters: Counters | None = None,
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._sync = Sync(bpm=spec.bpm, source=spec.source, now_ns=clock())
        self._run: Run | None = None
        self._armed_at: int | None = None  # song tick at which the next received clock starts us
        self._relocate_to: int | None = None
        self._announced: int | None = None  # song tick that came while playing, for a Continue that may follow
        self._stopped_tick = 0
        self._tap = TapTempo()
        self._told: Transport | None = None
        self._told_at_ns = 0
        self._notices: list[PlayerNotice] = []
        self._late_answers = 0
        self._midi_in = 0
        self.deck = Deck()
        self.counters = counters or Counters()
        self.monitor = Monitor()
        self.heads = [Head(output, out, self.counters, clock) for output, out in outputs]
        self._commands: dict[type[PlayerCommand], Callable[[PlayerCommand, int], int]] = {
            Play: self._play,
            Continue: self._continue,
            Stop: self._stop,
            StopAt: self._stop_at,
            Locate: self._locate,
            SetTempo: self._set_tempo,
            Tap: self._tap_tempo,
            SetSource: self._set_source,
            SetOutputOffset: self._set_offset,
            SetOutputs: self._set_outputs,
            Panic: self._panic,
            Cue: self._cue,
            AskHealth: self._health,
            TellNotes: self._tell_notes,
            Restore: self._restore,
        }
        self._realtime: dict[int, Callable[[bytes, int], None]] = {
            0xF8: self._on_clock,
            0xFA: self._on_start,
            0xFB: self._on_continue,
            0xFC: self._on_stop,
            0xF2: self._on_song_position,
        }
        self._moves = 0
        self._notes_at_once = True
        self._seen: Moment | None = None

    @property
    def changes(self) -> int:
        """Goes up with everything that ``restorable`` would tell anew."""
        return self._moves + self._sync.changes

    # ── one step ────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, now_ns: int) -> int:
        """Do what is due and say when to come back.

        Returns:
            the next deadline, monotonic ns; come back earlier when input arrives.

        Thread: player. Real-time: yes.
        """
        self._check_lost(now_ns)
        moment = self._moment()
        leads = [head.spec.lead_ns for head in self.heads]
        self.monitor.lead_ns = min(*leads, EARLIEST_NS) if leads else 0
        for head in self.heads:
            head.advance(moment, now_ns)
        self.monitor.advance(moment, now_ns, self._notices)
        if self._run is not None and self._run.ends_before(self._here(now_ns)):
            self._halt(now_ns)
            moment = self._moment()
        self._tell_transport(now_ns)
        return self._deadline(moment, now_ns)

    def _moment(self) -> Moment:
        """A new one only when something in it is another: nearly every step sees the same."""
        sync, seen = self._sync, self._seen
        wanted = sync.source is Source.INTERNAL or sync.followed is not None or self._run is not None
        if seen is None or seen.time is not sync.time or seen.run is not self._run or seen.clock_wanted is not wanted:
            seen = self._seen = Moment(sync.time, self._run, self.deck, wanted)
        return seen

    def _deadline(self, moment: Moment, now_ns: int) -> int:
        times = [head.deadline(moment) for head in self.heads]
        times.append(self.monitor.deadline(moment))
        if self._run is not None and self._run.end_tick is not None:
            times.append(self._sync.time.due_ns(self._run.end_tick, ahead=False))
        times.append(self._sync.lost_at_ns)
        known = [at for at in times if at is not None]
        return max(min(known, default=now_ns + NS_PER_S), now_ns)

    def take_notices(self) -> list[PlayerNotice]:
        """What happened since the last call; notes alone may wait for it. Thread: player. Real-time: yes."""
        if not (self._notes_at_once or self._sync.told or any(type(n) is not NotePlayed for n in self._notices)):
            return []
        notices = [*self._sync.told, *self._notices]
        self._sync.told.clear()
        self._notices.clear()
        return notices

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────

    def command(self, envelope: Envelope, now_ns: int) -> None:
        """Carry a command out; the answer is a ``Done`` or ``Refused`` notice with its token."""
        try:
            bar = self._commands[type(envelope.command)](envelope.command, now_ns)
        except HitloopError as error:
            self._notices.append(Refused(envelope.token, error.code, str(error)))
            return
        self._moves += 1
        self._notices.append(Done(envelope.token, bar, self.transport(now_ns)))
        self._tell_transport(now_ns)

    def _play(self, _: PlayerCommand, now_ns: int) -> int:
        if self._run is None:
            self._start(0, now_ns, START)
        return self._bar(now_ns)

    def _continue(self, _: PlayerCommand, now_ns: int) -> int:
        if self._run is None:
            self._start(self._stopped_tick // TICKS_PER_SIXTEENTH * TICKS_PER_SIXTEENTH, now_ns, CONTINUE)
        return self._bar(now_ns)

    def _stop(self, _: PlayerCommand, now_ns: int) -> int:
        self._halt(now_ns)
        return self._bar(now_ns)

    def _stop_at(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, StopAt)
        if self._run is None:
            raise NothingToDoError("Nothing plays, so there is nothing to stop.")
        first = self._next_free_bar(now_ns)
        bar = max(command.bar, first)
        self._run = replace(self._run, end_tick=self._run.origin_tick + bar * TICKS_PER_BAR)
        return bar

    def _locate(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, Locate)
        require_range("song position", command.sixteenth, 0, MAX_SONG_POSITION)
        self._go_to(command.sixteenth * TICKS_PER_SIXTEENTH, now_ns)
        return self._bar(now_ns)

    def _set_tempo(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, SetTempo)
        require_range("tempo in BPM", command.bpm, MIN_BPM, MAX_BPM)
        require_range("ramp in beats", command.ramp_beats, 0, 256)
        if self._sync.followed is not None:
            raise UnavailableError(
                f"The tempo is the external clock's ({self._sync.followed.target_bpm:.1f} BPM); "
                "send /hitloop/sync/source internal to set it here. Nothing was changed."
            )
        self._sync.tempo.change(command.bpm, from_tick=self._horizon(now_ns) + 1, ramp_beats=command.ramp_beats)
        return self._bar(now_ns)

    def _tap_tempo(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, Tap)
        bpm = self._tap.tap(command.at_ns)
        return self._set_tempo(SetTempo(bpm), now_ns) if bpm is not None else self._bar(now_ns)

    def _set_source(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, SetSource)
        if command.source is Source.LINK:
            raise UnavailableError("Ableton Link is not built in; sources are internal and midi. Nothing was changed.")
        if command.source is Source.INTERNAL:
            self._armed_at = None
        self._sync.choose(command.source)
        self._lay_anew(now_ns)
        return self._bar(now_ns)

    def _set_offset(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, SetOutputOffset)
        names = [head.spec.name for head in self.heads]
        if command.output and command.output not in names:
            raise UnknownNameError(
                f"There is no output '{command.output}'; there are {', '.join(names) or 'none'}."
                f"{nearest(command.output, names)}"
            )
        specs = [head.spec for head in self.heads]
        shifted = [spec.with_offset(command.offset_ms) if command.output in ("", spec.name) else spec for spec in specs]
        for head, spec in zip(self.heads, shifted, strict=True):
            head.use(spec)
        return self._bar(now_ns)

    def _set_outputs(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, SetOutputs)
        wanted: Mapping[str, OutputSpec] = {spec.name: spec for spec in command.outputs}
        for head in self.heads:
            if head.spec.name in wanted:
                head.use(replace(wanted[head.spec.name], lead_ns=head.spec.lead_ns, timed=head.spec.timed))
        return self._next_free_bar(now_ns)

    def _panic(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, Panic)
        for head in self.heads:
            channels = {route.channel - 1 for route in head.spec.routes.values()} | head.ledger.channels
            head.silence(now_ns, head.reached)
            if head.spec.notes:
                for channel in sorted(range(16) if command.all_channels else channels):
                    for controller in _SILENCERS:
                        head.out.send(now_ns, head.reached, bytes((0xB0 | channel, controller, 0)))
            head.out.flush()
        return self._bar(now_ns)

    def _cue(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, Cue)
        bar = self._next_free_bar(now_ns)
        self.deck.cue(command.score)
        if 0 <= command.due_bar < bar and self._run is not None:
            self._late_answers += 1
            self._notices.append(Late(bar))
        return bar

    def _health(self, _: PlayerCommand, now_ns: int) -> int:
        self._notices.append(self.health())
        return self._bar(now_ns)

    def _tell_notes(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, TellNotes)
        self._notes_at_once = command.at_once
        return self._bar(now_ns)

    def _restore(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, Restore)
        self._sync.use(command.timeline, command.source)
        self._stopped_tick = command.stopped_tick
        self.deck.cue(command.score)
        here = self._sync.tempo.reach(now_ns)
        for head in self.heads:
            head.resync(next_clock(here + 1))
        if command.origin_tick is not None:
            self._run = Run(command.origin_tick, next_clock(here + 1))
        return self._bar(now_ns)

    # ── transport ───────────────────────────────────────────────────────────────────────────────────────────────

    def _here(self, now_ns: int) -> int:
        return self._sync.time.reach(now_ns, ahead=False)

    def _horizon(self, now_ns: int) -> int:
        """The last tick that some head has played: nothing before it can be changed any more."""
        here = self._here(now_ns)
        return max([here, *(head.reached for head in self.heads)])

    def _start(self, song_tick: int, now_ns: int, how: bytes) -> None:
        """Start at the next clock that leaves time for the messages before it."""
        lead = START_LEAD_NS if how is START else LOCATE_LEAD_NS
        start = next_clock(self._horizon(now_ns + lead) + 1)
        self._begin(song_tick, start)
        if self._sync.followed is None:
            at_ns = self._sync.tempo.ns_at(start)
            if how is CONTINUE:
                self._message(now_ns, song_position(song_tick // TICKS_PER_SIXTEENTH))
            self._message(at_ns - START_LEAD_NS, how)
        else:
            self._message(now_ns, how)

    def _begin(self, song_tick: int, start_tick: int) -> None:
        self._run = Run(start_tick - song_tick, start_tick)
        self._moves += 1

    def _halt(self, now_ns: int) -> None:
        """Stop at once: the position freezes, every note ends."""
        self._armed_at = None
        self._relocate_to = None
        self._announced = None
        if self._run is None:
            return
        # following, the song position is a count of clocks: the next one is where Continue goes on (rule 7)
        followed = self._sync.followed
        here = followed.tick + TICKS_PER_CLOCK if followed else self._here(now_ns)
        self._stopped_tick = max(0, here - self._run.origin_tick)
        self._run = None
        self.deck.thaw()
        self._release(now_ns)
        for head in self.heads:
            head.forget_messages()
        self._message(now_ns, STOP)
        if self._spec.cc123_on_stop:
            for head in self.heads:
                for channel in sorted({route.channel - 1 for route in head.spec.routes.values()}):
                    head.out.send(now_ns, head.reached, bytes((0xB0 | channel, 123, 0)))
                head.out.flush()
        self._moves += 1

    def _go_to(self, song_tick: int, now_ns: int) -> None:
        if self._run is None:
            self._stopped_tick = song_tick
            if self._armed_at is not None:
                self._armed_at = song_tick
        elif self._sync.followed is not None:
            self._relocate_to = song_tick
        else:
            start = next_clock(self._horizon(now_ns) + 1)
            self._release(now_ns)
            self.deck.thaw()
            self._begin(song_tick, start)
        self._moves += 1

    def _release(self, now_ns: int) -> None:
        for head in self.heads:
            head.release(now_ns, head.reached)

    def _message(self, at_ns: int, data: bytes) -> None:
        for head in self.heads:
            if head.spec.clock:
                head.message(at_ns, data)

    # ── MIDI input ──────────────────────────────────────────────────────────────────────────────────────────────

    def receive(self, port: str, at_ns: int, data: bytes, *, clock: bool, control: bool) -> None:
        """One whole message from an input.

        Args:
            port: the input's name, for the control mapping.
            at_ns: when it arrived.
            data: the message.
            clock: this input's clock and transport messages count.
            control: its other messages go to the control mapping.
        """
        self._midi_in += 1
        status = data[0] if data else 0
        handler = self._realtime.get(status)
        if status == SYSTEM_RESET:
            self._panic(Panic(), at_ns)  # rule 13: silence, not a loss of settings
        elif handler is not None:
            if clock and self._sync.source is Source.MIDI:
                handler(data, at_ns)
        elif control and 0x80 <= status < 0xF8:
            self._notices.append(MidiReceived(port, data, at_ns))

    def _on_clock(self, _: bytes, at_ns: int) -> None:
        waiting = self._armed_at is not None
        clock = self._sync.clock(at_ns, self._run, horizon=self._horizon(at_ns), waiting=waiting)
        if clock is None:
            return
        if clock.laid_anew:
            for head in self.heads:
                head.resync(clock.tick)
        song_tick = self._armed_at if waiting else self._relocate_to
        if song_tick is not None:
            self._release(at_ns)
            self.deck.thaw()
            self._begin(song_tick, clock.tick)
            self._armed_at = self._relocate_to = None

    def _check_lost(self, now_ns: int) -> None:
        lost_at_ns = self._sync.lost_at_ns
        if lost_at_ns is None or now_ns < lost_at_ns:
            return
        if not self._spec.freewheel:
            self._halt(now_ns)
        self._sync.lose(playing=self._run is not None)
        self._lay_anew(now_ns)

    def _lay_anew(self, now_ns: int) -> None:
        """The timeline changed hands while nothing plays: clocks go on from the next tick."""
        if self._run is None:
            tick = next_clock(self._here(now_ns) + 1)
            for head in self.heads:
                head.resync(tick)

    def _on_start(self, _: bytes, at_ns: int) -> None:
        if self._run is None or self._spec.restart_on_start:
            self._arm(0, at_ns, START)

    def _on_continue(self, _: bytes, at_ns: int) -> None:
        if self._run is None:
            self._arm(self._stopped_tick, at_ns, CONTINUE)
        elif self._announced is not None:  # some masters name a place some time before they go on from it
            self._arm(self._announced, at_ns, CONTINUE)

    def _arm(self, song_tick: int, at_ns: int, how: bytes) -> None:
        self._announced = None
        self._armed_at = song_tick
        self._message(at_ns, how)

    def _on_stop(self, _: bytes, at_ns: int) -> None:
        self._halt(at_ns)

    def _on_song_position(self, data: bytes, at_ns: int) -> None:
        if len(data) != 3:
            return
        song_tick = (data[1] & 0x7F | (data[2] & 0x7F) << 7) * TICKS_PER_SIXTEENTH
        playing = self._run is not None
        self._announced = song_tick if playing else None
        # while we freewheel there is no next clock to go there on: Continue says when, or the bar line does (rule 9)
        if self._sync.followed is not None or not playing:
            self._go_to(song_tick, at_ns)

    # ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────

    def transport(self, now_ns: int) -> Transport:
        """The transport as people see it."""
        position = self._stopped_tick
        if self._run is not None:
            position = max(self._here(now_ns), self._run.start_tick) - self._run.origin_tick
        bpm = round(self._bpm(now_ns), 3)
        return Transport(self._state(), bpm, Position(max(position, 0)), self._sync.source, self._sync.state)

    def _state(self) -> State:
        if self._run is not None:
            return State.PLAYING
        return State.ARMED if self._armed_at is not None else State.STOPPED

    def _bpm(self, now_ns: int) -> float:
        if self._sync.followed is not None:
            return self._sync.followed.target_bpm
        tempo = self._sync.tempo
        return tempo.target_bpm if tempo.steady else tempo.bpm_at(self._horizon(now_ns) + TICKS_PER_CLOCK)

    def _tell_transport(self, now_ns: int) -> None:
        told, sync = self._told, self._sync
        if told is not None and (told.state, told.source, told.clock) == (self._state(), sync.source, sync.state):
            moved = abs(self._bpm(now_ns) - told.bpm)
            if moved < 0.01 or (sync.followed is not None and now_ns - self._told_at_ns < _TELL_TEMPO_EVERY_NS):
                return
        self._told, self._told_at_ns = self.transport(now_ns), now_ns
        self._notices.append(TransportChanged(self._told))

    def _bar(self, now_ns: int) -> int:
        return self.transport(now_ns).position.bar

    def _next_free_bar(self, now_ns: int) -> int:
        """The first bar whose score is not decided; stopped: the one that will be started in."""
        if self._run is None:
            return self._stopped_tick // TICKS_PER_BAR
        tick = self._run.bar_tick(max(self._here(now_ns), self._run.start_tick))
        while self.deck.is_frozen(tick):
            tick += TICKS_PER_BAR
        return self._run.bar(tick)

    def health(self) -> PlayerHealth:
        """The counters so far."""
        c = self.counters
        return PlayerHealth(
            bars=self.monitor.bars,
            notes_sent=sum(head.notes_sent for head in self.heads),
            notes_off=sum(head.notes_off for head in self.heads),
            sounding=sum(len(head.ledger) for head in self.heads),
            clocks_sent=c.clocks_sent,
            late=c.late,
            late_answers=self._late_answers,
            missed_bars=self._late_answers,
            dropped=c.dropped,
            lateness_p50_us=c.lateness.percentile(0.5),
            lateness_p99_us=c.lateness.percentile(0.99),
            lateness_p999_us=c.lateness.percentile(0.999),
            lateness_max_us=c.lateness.max_us,
            histogram=c.lateness.table(),
            midi_in=self._midi_in,
            outputs=tuple(
                OutputHealth(head.spec.name, head.notes_sent, head.notes_off, len(head.ledger)) for head in self.heads
            ),
        )

    def song_start(self) -> tuple[int, int, float] | None:
        """The tick, time and tempo of the first thing that plays in this run; None while stopped."""
        if self._run is None:
            return None
        tick = self._run.start_tick
        return tick, self._sync.time.ns_at(tick), self._sync.time.bpm_at(tick)

    def count_on(self, scale: Timescale | None, now_ns: int) -> None:
        """Let the internal clock go by a sound card's time; None: by the machine's. Thread: player. Real-time: yes."""
        self._sync.count_on(scale or MONOTONIC, now_ns)

    def take_tempos(self) -> list[Timeline]:
        """Tempo changes since the last call, for who writes them down."""
        return self._sync.tempo.take_joined()

    def restorable(self, now_ns: int) -> Restore:
        """All that a new player needs to be back in phase."""
        line = self._sync.line_at(self._here(now_ns))
        origin = self._run.origin_tick if self._run else None
        return Restore(line, origin, self._stopped_tick, self.deck.cued or self.deck.playing, self._sync.source)

    def close(self, now_ns: int) -> None:
        """Stop and end every note. Thread: player. Real-time: no."""
        self._halt(now_ns)
        self._release(now_ns)
        for head in self.heads:
            head.flush_messages()


def song_position(sixteenth: int) -> bytes:
    """F2 with a position in sixteenths, 14 bits, least significant first."""
    value = sixteenth % (MAX_SONG_POSITION + 1)
    return bytes((0xF2, value & 0x7F, value >> 7))

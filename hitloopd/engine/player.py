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
    NS_PER_S,
    TICKS_PER_BAR,
    TICKS_PER_CLOCK,
    TICKS_PER_SIXTEENTH,
    Timeline,
)
from hitloopd.core.transport import MAX_SONG_POSITION, Position, Source, Transport
from hitloopd.engine.deck import Deck
from hitloopd.engine.head import NEVER_NS, Counters, Head, Moment
from hitloopd.engine.monitor import EARLIEST_NS, Monitor
from hitloopd.engine.song import Run
from hitloopd.engine.sync import Sync
from hitloopd.engine.tap import Tap as TapTempo
from hitloopd.engine.tempo_map import MONOTONIC, next_clock
from hitloopd.engine.transport import CONTINUE, START, Habits, Song
from hitloopd.ports.clock import Timescale
from hitloopd.ports.midi import MidiOut

SYSTEM_RESET = 0xFF
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
    """Transport, deck and heads.

    Attributes:
        spare_ns: what is due next is one MIDI clock, which its output wants this much ahead, and nothing else before it
            is out: so a step may come that much later than its deadline, less the time that it takes.
    """

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
        habits = Habits(spec.freewheel, spec.restart_on_start, spec.cc123_on_stop)
        self._song = Song(self._sync, self.deck, self.heads, habits)
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
        self._notes_at_once = True
        self._seen: Moment | None = None
        self._settled: Moment | None = None
        self._stepped_ns = 0
        self.spare_ns = 0

    @property
    def changes(self) -> int:
        """Goes up with everything that ``restorable`` would tell anew."""
        return self._song.moves + self._sync.changes

    # ── one step ────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, now_ns: int) -> int:
        """Do what is due and say when to come back.

        Returns:
            the next deadline, monotonic ns; come back earlier when input arrives.

        Thread: player. Real-time: yes.
        """
        self._song.check_lost(now_ns)
        moment = self._moment()
        settled = moment is self._settled
        self._stepped_ns = now_ns
        if not settled:
            self.monitor.lead_ns = min([EARLIEST_NS, *(head.spec.lead_ns for head in self.heads)]) if self.heads else 0
        for head in self.heads:
            if not settled or head.due_ns <= now_ns:
                head.advance(moment, now_ns)
        if not settled or self.monitor.due_ns <= now_ns:
            self.monitor.advance(moment, now_ns, self._notices)
        if self._song.is_over(now_ns):
            moment = self._end(now_ns)
        if not settled:
            self._tell_transport(now_ns)
        self._settled = moment if moment.time.fixed else None
        return self._deadline(now_ns)

    def _moment(self) -> Moment:
        """A new one only when something in it is another: nearly every step sees the same."""
        sync, run, seen = self._sync, self._song.run, self._seen
        wanted = sync.source is Source.INTERNAL or sync.followed is not None or run is not None
        if seen is None or seen.time is not sync.time or seen.run is not run or seen.clock_wanted is not wanted:
            seen = self._seen = Moment(sync.time, run, self.deck, wanted)
        return seen

    def _unsettle(self) -> None:
        """Something other than time moves: whatever the heads have reckoned is reckoned anew in the next step."""
        if self._settled is not None:
            for head in self.heads:
                head.look_ahead(self._settled, self._stepped_ns)
            self._settled = None

    def _end(self, now_ns: int) -> Moment:
        """The run's last tick has been."""
        self._song.halt(now_ns)
        moment = self._moment()
        for head in self.heads:
            head.wait(moment)
        self.monitor.wait(moment)
        self._tell_transport(now_ns)
        return moment

    def _deadline(self, now_ns: int) -> int:
        due_ns = [head.due_ns for head in self.heads]
        due_ns.append(self.monitor.due_ns)
        if self._song.run is not None and self._song.run.end_tick is not None:
            due_ns.append(self._sync.time.due_ns(self._song.run.end_tick, ahead=False) or NEVER_NS)
        lost_at_ns = self._sync.lost_at_ns
        if lost_at_ns is not None:
            due_ns.append(lost_at_ns)
        first_ns = min(due_ns)
        self.spare_ns = self._spare(first_ns, due_ns)
        return max(first_ns, now_ns) if first_ns < NEVER_NS else now_ns + NS_PER_S

    def _spare(self, first_ns: int, due_ns: list[int]) -> int:
        for head in self.heads:
            if head.due_ns == first_ns:
                at_ns = first_ns + head.spec.lead_ns
                only_clock = head.light and head.spec.timed and sum(due < at_ns for due in due_ns) == 1
                return head.spec.lead_ns if only_clock else 0
        return 0

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
        moment = self._moment()
        for head in self.heads:  # nobody looked since the last step: what begins now needs its whole lead from now on
            head.look_ahead(moment, now_ns)
        self._settled = None
        try:
            bar = self._commands[type(envelope.command)](envelope.command, now_ns)
        except HitloopError as error:
            self._notices.append(Refused(envelope.token, error.code, str(error)))
            return
        self._song.moves += 1
        self._notices.append(Done(envelope.token, bar, self.transport(now_ns)))
        self._tell_transport(now_ns)

    def _play(self, _: PlayerCommand, now_ns: int) -> int:
        if self._song.run is None:
            self._song.start(0, now_ns, START)
        return self._bar(now_ns)

    def _continue(self, _: PlayerCommand, now_ns: int) -> int:
        if self._song.run is None:
            self._song.start(self._song.stopped_tick // TICKS_PER_SIXTEENTH * TICKS_PER_SIXTEENTH, now_ns, CONTINUE)
        return self._bar(now_ns)

    def _stop(self, _: PlayerCommand, now_ns: int) -> int:
        self._song.halt(now_ns)
        return self._bar(now_ns)

    def _stop_at(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, StopAt)
        if self._song.run is None:
            raise NothingToDoError("Nothing plays, so there is nothing to stop.")
        first = self._next_free_bar(now_ns)
        bar = max(command.bar, first)
        self._song.run = replace(self._song.run, end_tick=self._song.run.origin_tick + bar * TICKS_PER_BAR)
        return bar

    def _locate(self, command: PlayerCommand, now_ns: int) -> int:
        assert isinstance(command, Locate)
        require_range("song position", command.sixteenth, 0, MAX_SONG_POSITION)
        self._song.go_to(command.sixteenth * TICKS_PER_SIXTEENTH, now_ns)
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
        self._sync.tempo.change(command.bpm, from_tick=self._song.horizon(now_ns) + 1, ramp_beats=command.ramp_beats)
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
            self._song.armed_at = None
        self._sync.choose(command.source)
        self._song.lay_anew(now_ns)
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
        if 0 <= command.due_bar < bar and self._song.run is not None:
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
        self._song.stopped_tick = command.stopped_tick
        self.deck.cue(command.score)
        here = self._sync.tempo.reach(now_ns)
        for head in self.heads:
            head.resync(next_clock(here + 1))
        if command.origin_tick is not None:
            self._song.run = Run(command.origin_tick, next_clock(here + 1))
        return self._bar(now_ns)

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
        self._unsettle()
        status = data[0] if data else 0
        if status == SYSTEM_RESET:
            self._panic(Panic(), at_ns)  # rule 13: silence, not a loss of settings
        elif self._song.obeys(status):
            if clock and self._sync.source is Source.MIDI:
                self._song.receive(data, at_ns)
        elif control and 0x80 <= status < 0xF8:
            self._notices.append(MidiReceived(port, data, at_ns))

    # ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────

    def transport(self, now_ns: int) -> Transport:
        """The transport as people see it."""
        position = self._song.stopped_tick
        if self._song.run is not None:
            position = max(self._song.here(now_ns), self._song.run.start_tick) - self._song.run.origin_tick
        bpm = round(self._bpm(now_ns), 3)
        return Transport(self._song.state, bpm, Position(max(position, 0)), self._sync.source, self._sync.state)

    def _bpm(self, now_ns: int) -> float:
        if self._sync.followed is not None:
            return self._sync.followed.target_bpm
        tempo = self._sync.tempo
        return tempo.target_bpm if tempo.steady else tempo.bpm_at(self._song.horizon(now_ns) + TICKS_PER_CLOCK)

    def _tell_transport(self, now_ns: int) -> None:
        told, sync = self._told, self._sync
        if told is not None and (told.state, told.source, told.clock) == (self._song.state, sync.source, sync.state):
            moved = abs(self._bpm(now_ns) - told.bpm)
            if moved < 0.01 or (sync.followed is not None and now_ns - self._told_at_ns < _TELL_TEMPO_EVERY_NS):
                return
        self._told, self._told_at_ns = self.transport(now_ns), now_ns
        self._notices.append(TransportChanged(self._told))

    def _bar(self, now_ns: int) -> int:
        return self.transport(now_ns).position.bar

    def _next_free_bar(self, now_ns: int) -> int:
        """The first bar whose score is not decided; stopped: the one that will be started in."""
        if self._song.run is None:
            return self._song.stopped_tick // TICKS_PER_BAR
        tick = self._song.run.bar_tick(max(self._song.here(now_ns), self._song.run.start_tick))
        while self.deck.is_frozen(tick):
            tick += TICKS_PER_BAR
        return self._song.run.bar(tick)

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
        if self._song.run is None:
            return None
        tick = self._song.run.start_tick
        return tick, self._sync.time.ns_at(tick), self._sync.time.bpm_at(tick)

    def count_on(self, scale: Timescale | None, now_ns: int) -> None:
        """Let the internal clock go by a sound card's time; None: by the machine's. Thread: player. Real-time: yes."""
        self._unsettle()
        self._sync.count_on(scale or MONOTONIC, now_ns)

    def take_tempos(self) -> list[Timeline]:
        """Tempo changes since the last call, for who writes them down."""
        return self._sync.tempo.take_joined()

    def restorable(self, now_ns: int) -> Restore:
        """All that a new player needs to be back in phase."""
        line = self._sync.line_at(self._song.here(now_ns))
        origin = self._song.run.origin_tick if self._song.run else None
        return Restore(line, origin, self._song.stopped_tick, self.deck.cued or self.deck.playing, self._sync.source)

    def close(self, now_ns: int) -> None:
        """Stop and end every note. Thread: player. Real-time: no."""
        self._song.halt(now_ns)
        self._song.release(now_ns)
        for head in self.heads:
            head.flush_messages()

"""The desk: carries out what the surfaces ask, with the session, the player and the generator behind it.

A change is in the journal before it is acknowledged, and acknowledged when the player has said from which bar on it
is in force. One regenerate at a time is with the generator, so each starts from the seed that the one before it used.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from hitloopd.app.desk_values import DeskValues
from hitloopd.app.effects import changed_values, effects, outputs_of, score_of
from hitloopd.app.facts import Facts
from hitloopd.app.messages import Answer, Ask, Think
from hitloopd.control.lookup import STATE
from hitloopd.core.commands import (
    Command,
    Cue,
    Envelope,
    ExportPattern,
    LoadKit,
    Panic,
    PlayerCommand,
    Redo,
    Regenerate,
    SetModel,
    SetOutputOffset,
    SetOutputs,
    SetPattern,
    SetStyle,
    TransportCommand,
    Undo,
)
from hitloopd.core.errors import HitloopError, LockedError
from hitloopd.core.notices import BarStarted, Done, Notice, Refused, SessionChanged, Warned
from hitloopd.core.pattern import LANES, Lane, Pattern
from hitloopd.core.request import Request, next_seed
from hitloopd.core.routes import OutputSpec
from hitloopd.core.time import NS_PER_MS, NS_PER_S, TICKS_PER_BAR
from hitloopd.io.audio_messages import Silence
from hitloopd.ports.surface import Accepted, Outcome, Rejected, Value
from hitloopd.session.history import History
from hitloopd.session.journal import Journal
from hitloopd.session.reduce import Generated
from hitloopd.session.state import SessionState

Reply = Callable[[Outcome], None]

PLAYER_PATIENCE_NS = 2 * NS_PER_S
"""A player that does not answer for so long is being restarted; the change is kept and cued when it is back."""
GENERATOR_PATIENCE_NS = 4 * NS_PER_S
"""A generator that does not answer for so long is killed and started anew; the bar repeats meanwhile."""
COMFORTABLE_NS = 150 * NS_PER_MS
"""A regenerate asked this long before the bar line is expected at it; one asked later may take the line after."""
MAX_WAITING = 1024
AHEAD = 4


@dataclass(frozen=True, slots=True)
class Pending:
    """A command that is with the player. ``values``: what the answer tells; ``None``: what is in force by then."""

    address: str
    reply: Reply
    values: tuple[Value, ...] | None
    sent_ns: int
    cue: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """A regenerate that waits for the generator, or a change that waits behind one."""

    address: str
    command: Regenerate | SetPattern | Undo | Redo
    reply: Reply
    due_bar: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A regenerate that is with the generator."""

    token: int
    wanted: Wanted
    request: Request
    sent_ns: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Doors:
    """How the desk reaches the others; each call hands over and returns."""

    player: Callable[[Envelope], object]
    generator: Callable[[Ask | Think], object]
    audio: Callable[[object], object]
    publish: Callable[[Notice], None]
    restart_generator: Callable[[str], None]
    export: Callable[[str, SessionState, float], str]
    check_kit: Callable[[str], object]
    check_model: Callable[[str, str], object]
    now_ns: Callable[[], int]


class ControlDesk:
    """Implements ``ports.surface.Desk``. Everything runs on the control loop."""

    def __init__(self, facts: Facts, journal: Journal, outputs: tuple[OutputSpec, ...], doors: Doors) -> None:
        self.facts = facts
        self.history: History = journal.history
        self._journal = journal
        self._outputs = outputs
        self._doors = doors
        self._values = DeskValues(facts, lambda: self.history.present)
        self._token = 0
        self._pending: dict[int, Pending] = {}
        self._wanted: deque[Wanted] = deque()
        self._asked: Asked | None = None
        self._thought_of: SessionState | None = None
        self._thought_ns = 0
        self._cued_bar = -1
        self._told = self._state_values()
        facts.outputs = outputs_of(self.history.present, outputs)

    # ── ports.surface.Desk ──────────────────────────────────────────────────────────────────────────────────────────

    def value(self, address: str) -> tuple[Value, ...]:
        """The value in force. Thread: control loop. Real-time: no."""
        return self._values.value(address)

    def submit(self, address: str, command: Command, reply: Reply) -> None:
        """Carry ``command`` out. Thread: control loop. Real-time: no."""
        try:
            self._submit(address, command, reply)
        except HitloopError as error:
            reply(Rejected(error.code, str(error)))

    def _submit(self, address: str, command: Command, reply: Reply) -> None:
        if isinstance(command, TransportCommand):
            if isinstance(command, Panic):
                self._doors.audio(Silence())
            self.to_player(command, address, reply)
        elif isinstance(command, Regenerate):
            self.history.request_for(command)  # refuses now what is locked or out of range
            self._want(Wanted(address, command, reply, self._due_bar()))
        elif isinstance(command, ExportPattern):
            self.facts.exported = self._doors.export(command.name, self.history.present, self.facts.transport.bpm)
            reply(Accepted(self.value(address), self._bar()))
        elif isinstance(command, SetPattern | Undo | Redo) and self._busy:
            # what replaces the bar, or takes it back, must not be overtaken by the answer to an earlier regenerate
            self._want(Wanted(address, command, reply, -1))
        else:
            self._check_names(command)
            self._change(command, address, reply, due_bar=-1)

    @property
    def _busy(self) -> bool:
        return self._asked is not None or bool(self._wanted)

    def _check_names(self, command: Command) -> None:
        match command:
            case LoadKit(name):
                self._doors.check_kit(name)
            case SetModel(name):
                self._doors.check_model(name, self.history.present.style)
            case SetStyle(name):
                self._doors.check_model(self.history.present.model, name)
            case _:
                return

    # ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, command: Command | Generated, address: str, reply: Reply, *, due_bar: int) -> None:
        before = self.history.present
        step = self.history.apply(command)  # type: ignore[arg-type] - transport commands went another way
        self._journal.write(step, self.history)
        self._tell_problem()
        self._take_effect(before, address, reply, due_bar)

    def _take_effect(self, before: SessionState, address: str, reply: Reply, due_bar: int) -> None:
        after = self.history.present
        result = effects(before, after, self._outputs)
        for message in result.audio:
            self._doors.audio(message)
        command: PlayerCommand | None = None
        if result.outputs is not None:
            self.facts.outputs = result.outputs
            command = SetOutputs(result.outputs)
        if result.score is not None:
            if command is not None:
                self.to_player(command, "", _nobody)
            command = Cue(result.score, due_bar)
        elif command is None and any(pending.cue for pending in self._pending.values()):
            command = Cue(score_of(after))  # nothing new, but in force only with what is still on its way
        if command is None:
            bar = max(self._bar(), self._cued_bar)
            reply(Accepted(self.value(address), bar))
            self._tell_changes(bar)
        else:
            # what this change made: the next one may be made before the player has answered
            self.to_player(command, address, reply, self.value(address) if address else None)

    def _tell_problem(self) -> None:
        problem = self._journal.take_problem()
        if problem is not None:
            self._doors.publish(problem)

    def _tell_changes(self, bar: int) -> None:
        now = self._state_values()
        changed = changed_values(self._told, now)
        self._told = now
        if changed:
            self._doors.publish(SessionChanged(changed, bar))

    def _state_values(self) -> dict[str, tuple[Value, ...]]:
        return {endpoint.address: self.value(endpoint.address) for endpoint in STATE}

    # ── the generator ───────────────────────────────────────────────────────────────────────────────────────────────

    def _want(self, wanted: Wanted) -> None:
        if len(self._wanted) >= MAX_WAITING:
            wanted.reply(Rejected("full", f"{MAX_WAITING} regenerates wait already; this one was not taken."))
            return
        self._wanted.append(wanted)
        self._ask_next()

    def _ask_next(self) -> None:
        while self._asked is None and self._wanted:
            wanted = self._wanted.popleft()
            try:
                if not isinstance(wanted.command, Regenerate):
                    self._change(wanted.command, wanted.address, wanted.reply, due_bar=-1)
                    continue
                request = self.history.request_for(wanted.command)
            except HitloopError as error:  # locked meanwhile
                wanted.reply(Rejected(error.code, str(error)))
                continue
            self._token += 1
            self._asked = Asked(self._token, wanted, request, self._doors.now_ns())
            self._doors.generator(Ask(self._token, request))

    def _think(self) -> None:
        """Have the generator make what is likely asked next, while nobody waits."""
        if self.history.present is self._thought_of:
            return
        self._thought_of, self._thought_ns = self.history.present, self._doors.now_ns()
        likely: list[Request] = []
        with contextlib.suppress(LockedError):  # everything is locked: nothing is likely
            seed = self.history.request_for(Regenerate()).seed
            likely += [self.history.request_for(Regenerate(frozenset({lane}))) for lane in self._free_lanes()]
            for _ in range(AHEAD):
                likely.append(self.history.request_for(Regenerate(seed=seed)))
                seed = next_seed(seed)
        self._doors.generator(Think(tuple(likely)))

    def _free_lanes(self) -> list[Lane]:
        return [lane for lane in LANES if lane not in self.history.present.locks]

    def on_answer(self, answer: Answer) -> None:
        """A bar from the generator."""
        self.facts.pool = answer.pool
        if self._asked is None or self._asked.token != answer.token:
            return  # it was given up; its request may have been asked anew
        asked, self._asked = self._asked, None
        wanted = asked.wanted
        if answer.pattern is None:
            code, text = answer.error or ("generator", "The generator gave no bar; the bar repeats.")
            wanted.reply(Rejected(code, text))
        else:
            self.facts.ready_answers += answer.ready
            self.facts.made_answers += not answer.ready
            self.facts.model_hash = answer.model
            self._take(answer.pattern, asked)
        self._ask_next()

    def _take(self, pattern: Pattern, asked: Asked) -> None:
        wanted = asked.wanted
        generated = Generated(pattern, asked.request.lanes, asked.request.seed)
        try:
            self._change(generated, wanted.address, wanted.reply, due_bar=wanted.due_bar)
        except HitloopError as error:
            wanted.reply(Rejected(error.code, str(error)))

    # ── the player ──────────────────────────────────────────────────────────────────────────────────────────────────

    def to_player(
        self, command: PlayerCommand, address: str, reply: Reply, values: tuple[Value, ...] | None = None
    ) -> None:
        """Send a command; ``reply`` follows when the player has answered."""
        self._token += 1
        self._pending[self._token] = Pending(address, reply, values, self._doors.now_ns(), isinstance(command, Cue))
        self._doors.player(Envelope(self._token, command))
        if isinstance(command, SetOutputOffset):
            self._outputs = tuple(
                spec.with_offset(command.offset_ms) if command.output in ("", spec.name) else spec
                for spec in self._outputs
            )
            self.facts.outputs = outputs_of(self.history.present, self._outputs)

    def on_done(self, done: Done) -> None:
        """The player carried a command out."""
        self.facts.moved(done.transport)
        pending = self._pending.pop(done.token, None)
        if pending is not None and pending.cue:
            self._cued_bar = done.bar
        if pending is not None and pending.address:
            values = self.value(pending.address) if pending.values is None else pending.values
            pending.reply(Accepted(values, done.bar))
        self._tell_changes(done.bar)

    def on_refused(self, refused: Refused) -> None:
        """The player refused a command; nothing changed."""
        pending = self._pending.pop(refused.token, None)
        if pending is not None:
            pending.reply(Rejected(refused.code, refused.text))

    def on_bar(self, started: BarStarted) -> None:
        """A bar began: regenerate by itself where that is asked for."""
        self.facts.beat(started.bar * TICKS_PER_BAR, started.at_ns)
        self.facts.bar_pattern_id, self.facts.bar_line_ns = started.pattern_id, started.at_ns
        if self._cued_bar != started.bar + 1:
            self._cued_bar = -1  # it is in force, or the song went elsewhere
        auto = self.history.present.auto_bars
        if auto and (started.bar + 1) % auto == 0:
            self._want(Wanted("/hitloop/gen/regenerate", Regenerate(), _nobody, started.bar + 1))

    def on_player_started(self) -> None:
        """A player runs, perhaps a new one: it gets outputs and score."""
        self.facts.outputs = outputs_of(self.history.present, self._outputs)
        self.to_player(SetOutputs(self.facts.outputs), "", _nobody)
        self.to_player(Cue(score_of(self.history.present)), "", _nobody)

    def use_outputs(self, outputs: tuple[OutputSpec, ...]) -> None:
        """The configuration, or what is there, changed: new routes from the next bar on."""
        self._outputs = outputs
        self.facts.outputs = outputs_of(self.history.present, outputs)
        self.to_player(SetOutputs(self.facts.outputs), "", _nobody)

    @property
    def outputs(self) -> tuple[OutputSpec, ...]:
        """Every output as configured, with the offsets in force."""
        return self._outputs

    def look_after(self) -> None:
        """About ten times a second: give up on who does not answer."""
        self._think()
        now_ns = self._doors.now_ns()
        for token, pending in list(self._pending.items()):
            if now_ns - pending.sent_ns > PLAYER_PATIENCE_NS:
                del self._pending[token]
                text = "The player does not answer; it is being restarted. What was changed is kept and will play."
                pending.reply(Rejected("player", text))
        if self._asked is not None and now_ns - self._asked.sent_ns > GENERATOR_PATIENCE_NS:
            wanted, self._asked = self._asked.wanted, None
            text = f"The generator '{self.history.present.model}' did not answer in time; the bar repeats."
            self._doors.restart_generator(text)
            self._give_up(wanted, "late", text)

    def on_generator_started(self) -> None:
        """Another generator process runs in place of one that died: ask it again, but not for what it died of twice."""
        if self._thought_ns + GENERATOR_PATIENCE_NS < self._doors.now_ns():
            self._thought_of = None  # unless it is thinking ahead that it died of: then only with the next change
        if self._asked is None:
            return
        asked = self._asked
        if asked.again:
            self._asked = None
            text = f"The generator '{asked.request.generator}' died twice of this request; the bar repeats."
            self._give_up(asked.wanted, "generator", text)
        else:
            self._asked = replace(asked, again=True, sent_ns=self._doors.now_ns())
            self._doors.generator(Ask(asked.token, asked.request))

    def _give_up(self, wanted: Wanted, code: str, text: str) -> None:
        self.facts.given_up += 1
        self._doors.publish(Warned(code, text))
        wanted.reply(Rejected(code, text))
        self._ask_next()

    def _bar(self) -> int:
        return self.facts.position.bar

    def _due_bar(self) -> int:
        """The bar that a regenerate asked now should be in, or -1 where it is too near to promise."""
        if not self.facts.playing:
            return -1
        bar_ns = 4 * 60 * NS_PER_S / self.facts.transport.bpm
        left_ns = self.facts.bar_line_ns + bar_ns - self._doors.now_ns()
        return self._bar() + 1 if left_ns > COMFORTABLE_NS else -1


def _nobody(_: Outcome) -> None:
    """Nobody waits for this answer."""

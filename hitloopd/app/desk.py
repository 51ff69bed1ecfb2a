"""The desk: carries out what the surfaces ask, with the session, the player and the generator behind it.

A change is in the journal before it is acknowledged, and acknowledged when the player has said from which bar on it
is in force. One regenerate at a time is with the generator, so each starts from the seed that the one before it used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hitloopd.app.desk_values import DeskValues
from hitloopd.app.dressing import DRESSES, Change, Dressing, Reread
from hitloopd.app.effects import changed_values, effects, outputs_of, score_of, settings_of
from hitloopd.app.facts import Facts
from hitloopd.app.making import Commands, Making, MakingDoors, Waiting, Wanted
from hitloopd.app.messages import Answer, Ask, Check, Checked, Think
from hitloopd.app.wardrobe import Wardrobe
from hitloopd.control.lookup import STATE
from hitloopd.core.commands import (
    Command,
    Cue,
    Envelope,
    ExportPattern,
    Listen,
    Panic,
    PlayerCommand,
    Regenerate,
    SetModel,
    SetOutputOffset,
    SetOutputs,
    SetStyle,
    TransportCommand,
)
from hitloopd.core.errors import HitloopError
from hitloopd.core.notices import BarStarted, Done, Notice, Refused, SessionChanged
from hitloopd.core.routes import OutputSpec
from hitloopd.core.score import Score
from hitloopd.core.time import NS_PER_MS, NS_PER_S, TICKS_PER_BAR
from hitloopd.io.audio_messages import AudioReady, PlaySound, Silence, SoundReady, SoundRefused
from hitloopd.ports.surface import Accepted, Outcome, Rejected, Value
from hitloopd.session.history import History
from hitloopd.session.journal import Journal
from hitloopd.session.state import SessionState

Reply = Callable[[Outcome], None]

PLAYER_PATIENCE_NS = 2 * NS_PER_S
"""A player that does not answer for so long is being restarted; the change is kept and cued when it is back."""
COMFORTABLE_NS = 150 * NS_PER_MS
"""A regenerate asked this long before the bar line is expected at it; one asked later may take the line after."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A command that is with the player. ``values``: what the answer tells; ``None``: what is in force by then."""

    address: str
    reply: Reply
    values: tuple[Value, ...] | None
    sent_ns: int
    cue: bool


@dataclass(frozen=True, slots=True)
class Doors:
    """How the desk reaches the others; each call hands over and returns. ``audio`` is ``None`` where there is none."""

    player: Callable[[Envelope], object]
    generator: Callable[[Ask | Check | Think], object]
    audio: Callable[[object], object] | None
    publish: Callable[[Notice], None]
    restart_generator: Callable[[str], None]
    export: Callable[[str, SessionState, float], str]
    listen: Callable[[Listen], object]
    check_model: Callable[[str, str], object]
    now_ns: Callable[[], int]
    morphs: Callable[[str], bool] = lambda _: False


class ControlDesk:
    """Implements ``ports.surface.Desk``. Everything runs on the control loop."""

    def __init__(
        self,
        facts: Facts,
        journal: Journal,
        outputs: tuple[OutputSpec, ...],
        doors: Doors,
        wardrobe: Wardrobe | None = None,
    ) -> None:
        self.facts = facts
        self.history: History = journal.history
        self._journal = journal
        self._outputs = outputs
        self._doors = doors
        self.wardrobe = wardrobe or Wardrobe()
        self._values = DeskValues(facts, lambda: self.history.present, self.wardrobe)
        self._dressing = Dressing(
            self.history,
            self.wardrobe,
            audio=doors.audio,
            commit=self._dress,
            publish=doors.publish,
            now_ns=doors.now_ns,
        )
        self._sound = self._dressing.number
        self._token = 0
        self._pending: dict[int, Pending] = {}
        self._making = Making(
            facts,
            self.history,
            MakingDoors(
                doors.generator,
                self._change,
                doors.publish,
                doors.restart_generator,
                doors.check_model,
                doors.morphs,
                self._due_bar,
                doors.now_ns,
            ),
        )
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
                self._to_audio(Silence())
            self.to_player(command, address, reply)
        elif isinstance(command, Waiting) and self._making.takes(command):
            if isinstance(command, Regenerate):
                self.history.request_for(command)  # refuses now what is locked or out of range
            self._check_names(command)
            self._making.want(Wanted(address, command, reply, self._due_bar()))
        elif isinstance(command, ExportPattern):
            self.facts.exported = self._doors.export(command.name, self.history.present, self.facts.transport.bpm)
            reply(Accepted(self.value(address), self._bar()))
        elif isinstance(command, Listen):
            self._doors.listen(command)
            reply(Accepted(self.value(address), self._bar()))
        else:
            self._check_names(command)
            self._change(command, address, reply, due_bar=-1)

    def _check_names(self, command: Command) -> None:
        match command:
            case SetModel(name):
                self._doors.check_model(name, self.history.present.style)
            case SetStyle(name):
                self._doors.check_model(self.history.present.model, name)
            case _:
                return

    # ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, command: Command | Commands, address: str, reply: Reply, *, due_bar: int) -> None:
        if isinstance(command, DRESSES):
            self._dressing.want(Change(command, address, reply))
        else:
            self._commit(command, address, reply, due_bar=due_bar)

    def _dress(self, change: Change) -> None:
        """A change whose sounds are ready."""
        if not change.now:
            self._commit(change.command, change.address, change.reply, due_bar=-1)
            return
        self._to_audio(PlaySound(self._dressing.number))
        self._commit(change.command, "", _nobody, due_bar=-1)
        change.reply(Accepted(self.value(change.address), self._bar()))

    def _commit(self, command: Command | Commands | Reread, address: str, reply: Reply, *, due_bar: int) -> None:
        before = self.history.present
        if not isinstance(command, Reread):
            now_ns = self._doors.now_ns()
            step = self.history.apply(command, now_ns)  # type: ignore[arg-type] - transport commands went another way
            self._journal.write(step, self.history)
            self._tell_problem()
        self._take_effect(before, address, reply, due_bar)

    def _take_effect(self, before: SessionState, address: str, reply: Reply, due_bar: int) -> None:
        after = self.history.present
        sounds = self._sound, self._dressing.number
        self._sound = self._dressing.number
        result = effects(before, after, self._outputs, sounds)
        for message in result.audio:
            self._to_audio(message)
        command: PlayerCommand | None = None
        if result.outputs is not None:
            self.facts.outputs = result.outputs
            command = SetOutputs(result.outputs)
        if result.score is not None:
            if command is not None:
                self.to_player(command, "", _nobody)
            command = Cue(result.score, due_bar)
        elif command is None and any(pending.cue for pending in self._pending.values()):
            command = Cue(self._score())  # nothing new, but in force only with what is still on its way
        if command is None:
            bar = max(self._bar(), self._cued_bar)
            reply(Accepted(self.value(address) if address else (), bar))
            self._tell_changes(bar)
        else:
            # what this change made: the next one may be made before the player has answered
            self.to_player(command, address, reply, self.value(address) if address else None)

    def _score(self) -> Score:
        return score_of(self.history.present, self._sound)

    def _to_audio(self, message: object) -> None:
        if self._doors.audio is not None:
            self._doors.audio(message)

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

    def on_answer(self, answer: Answer | Checked) -> None:
        """A bar from the generator, or whether the one to switch to works."""
        if isinstance(answer, Checked):
            self._making.on_checked(answer)
        else:
            self._making.on_answer(answer)

    def on_generator_started(self) -> None:
        """Another generator process runs in place of one that died."""
        self._making.on_started()

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
            self._making.want(Wanted("/hitloop/gen/regenerate", Regenerate(), _nobody, started.bar + 1))

    def on_player_started(self) -> None:
        """A player runs, perhaps a new one: it gets outputs and score."""
        self.facts.outputs = outputs_of(self.history.present, self._outputs)
        self.to_player(SetOutputs(self.facts.outputs), "", _nobody)
        self.to_player(Cue(self._score()), "", _nobody)

    def use_outputs(self, outputs: tuple[OutputSpec, ...]) -> None:
        """The configuration, or what is there, changed: new routes from the next bar on."""
        self._outputs = outputs
        self.facts.outputs = outputs_of(self.history.present, outputs)
        self.to_player(SetOutputs(self.facts.outputs), "", _nobody)

    @property
    def outputs(self) -> tuple[OutputSpec, ...]:
        """Every output as configured, with the offsets in force."""
        return self._outputs

    # ── the audio process ───────────────────────────────────────────────────────────────────────────────────────────

    def on_audio(self, notice: AudioReady | SoundReady | SoundRefused) -> None:
        """It is there, or has done what it was asked."""
        match notice:
            case AudioReady():
                for setting in settings_of(self.history.present):
                    self._to_audio(setting)
                self._dressing.on_audio(notice)
            case SoundReady():
                self._dressing.on_ready(notice)
            case SoundRefused():
                self._dressing.on_refused(notice)

    def reread_kit(self, reply: Reply) -> None:
        """The kit's file changed: take it over at a bar line; ``reply`` is told of a broken one."""
        self._dressing.want(Change(Reread(), "", reply))

    # ── now and then ────────────────────────────────────────────────────────────────────────────────────────────────

    def look_after(self) -> None:
        """Some times a second: give up on who does not answer."""
        self._making.look_after()
        self._dressing.look_after()
        now_ns = self._doors.now_ns()
        for token, pending in list(self._pending.items()):
            if now_ns - pending.sent_ns > PLAYER_PATIENCE_NS:
                del self._pending[token]
                text = "The player does not answer; it is being restarted. What was changed is kept and will play."
                pending.reply(Rejected("player", text))

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

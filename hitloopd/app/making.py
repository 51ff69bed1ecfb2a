"""What is with the generator: one question at a time, in the order in which they were asked.

A regenerate asks for a bar. A switch of the generator asks first whether it works, then for its first bar. A turn of
the morph knob between two bars of a learned generator asks that one for the bar between; where it has none, the two
are morphed note by note. What would be overtaken by an answer that is still due waits here too.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from hitloopd.app.facts import Facts
from hitloopd.app.messages import Answer, Ask, Check, Checked, Think
from hitloopd.core.commands import Redo, Regenerate, SetModel, SetMorph, SetPattern, SetStyle, Undo
from hitloopd.core.errors import HitloopError, LockedError
from hitloopd.core.notices import Notice, Warned
from hitloopd.core.pattern import LANES, Pattern
from hitloopd.core.request import Request, next_seed
from hitloopd.core.time import NS_PER_S
from hitloopd.ports.surface import Outcome, Rejected
from hitloopd.session.history import History
from hitloopd.session.reduce import Generated, Morphed
from hitloopd.session.state import SessionState

GENERATOR_PATIENCE_NS: Final = 4 * NS_PER_S
"""A generator that does not answer for so long is killed and started anew; the bar repeats meanwhile."""
MAX_WAITING: Final = 1024
AHEAD: Final = 4

Reply = Callable[[Outcome], None]
Waiting = Regenerate | SetPattern | Undo | Redo | SetModel | SetStyle | SetMorph
Commands = Waiting | Generated | Morphed


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command that the generator is asked for, or that waits behind one."""

    address: str
    command: Waiting
    reply: Reply
    due_bar: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is with the generator."""

    wanted: Wanted
    question: Ask | Check
    sent_ns: int
    again: bool = False


class Commit(Protocol):
    """Carries a change out: the desk."""

    def __call__(self, command: Commands, address: str, reply: Reply, *, due_bar: int) -> None:
        """Raises ``HitloopError`` where it can't be done."""
        ...


@dataclass(frozen=True, slots=True)
class MakingDoors:
    """How the maker reaches the others."""

    send: Callable[[Ask | Check | Think], object]
    commit: Commit
    publish: Callable[[Notice], None]
    restart: Callable[[str], None]
    check_model: Callable[[str, str], object]
    morphs: Callable[[str], bool]
    due_bar: Callable[[], int]
    now_ns: Callable[[], int]


class Making:
    """The queue in front of the generator. Everything runs on the control loop."""

    def __init__(self, facts: Facts, history: History, doors: MakingDoors) -> None:
        self._facts = facts
        self._history = history
        self._doors = doors
        self._token = 0
        self._wanted: deque[Wanted] = deque()
        self._asked: Asked | None = None
        self._thought_of: SessionState | None = None
        self._thought_ns = 0

    def takes(self, command: object) -> bool:
        """Whether ``command`` goes through the generator's queue; else it is carried out at once."""
        present = self._history.present
        match command:
            case Regenerate():
                return True
            case SetModel(name):
                return self._busy or name != present.model or name in self._facts.refused
            case SetMorph(value):
                return self._busy or self._points(value) != ()
            case SetPattern() | Undo() | Redo() | SetStyle():
                # what replaces the bar, or takes it back, must not be overtaken by the answer to an earlier question
                return self._busy
            case _:
                return False

    def want(self, wanted: Wanted) -> None:
        """Take a command; it is answered when its turn has come."""
        if len(self._wanted) >= MAX_WAITING:
            text = f"{MAX_WAITING} changes wait for the generator already; this one was not taken."
            wanted.reply(Rejected("full", text))
            return
        self._wanted.append(wanted)
        self._next()

    def on_answer(self, answer: Answer) -> None:
        """A bar from the generator."""
        self._facts.pool = answer.pool
        asked = self._answered(answer.token)
        if asked is None or not isinstance(asked.question, Ask):
            return  # it was given up; its request may have been asked anew
        if answer.refused:
            self._tell_refused(asked.question.request.generator, answer.refused)
        if isinstance(asked.wanted.command, SetMorph):
            self._morph(asked.wanted.command, asked.wanted, answer.pattern)
        elif answer.pattern is None:
            code, text = answer.error or ("generator", "The generator gave no bar; the bar repeats.")
            asked.wanted.reply(Rejected(code, text))
        else:
            self._facts.ready_answers += answer.ready
            self._facts.made_answers += not answer.ready
            self._facts.model_hash = answer.model
            request = asked.question.request
            self._commit(Generated(answer.pattern, request.lanes, request.seed), asked.wanted)
        self._next()

    def on_checked(self, checked: Checked) -> None:
        """The generator says whether the one to switch to works."""
        asked = self._answered(checked.token)
        if asked is None or not isinstance(asked.wanted.command, SetModel):
            return
        wanted, name = asked.wanted, asked.wanted.command.name
        if checked.error is not None:
            self._facts.refused[name] = checked.error[1]
            wanted.reply(Rejected(*checked.error))
        else:
            self._facts.refused.pop(name, None)
            self._switch(asked.wanted.command, wanted)
        self._next()

    def look_after(self) -> None:
        """Some times a second: have likely bars made, give up on a generator that does not answer."""
        self._think()
        asked = self._asked
        if asked is not None and self._doors.now_ns() - asked.sent_ns > GENERATOR_PATIENCE_NS:
            self._asked = None
            text = f"The generator '{_name(asked.question)}' did not answer in time; the bar repeats."
            self._doors.restart(text)
            self._give_up(asked.wanted, "late", text)

    def on_started(self) -> None:
        """Another generator process runs in place of one that died: ask it again, but not for what it died of twice."""
        if self._thought_ns + GENERATOR_PATIENCE_NS < self._doors.now_ns():
            self._thought_of = None  # unless it is thinking ahead that it died of: then only with the next change
        asked = self._asked
        if asked is None:
            return
        if asked.again:
            self._asked = None
            text = f"The generator '{_name(asked.question)}' died twice of this request; the bar repeats."
            self._give_up(asked.wanted, "generator", text)
        else:
            self._asked = replace(asked, again=True, sent_ns=self._doors.now_ns())
            self._doors.send(asked.question)

    # ── one after the other ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _busy(self) -> bool:
        return self._asked is not None or bool(self._wanted)

    def _next(self) -> None:
        while self._asked is None and self._wanted:
            wanted = self._wanted.popleft()
            try:
                question = self._question(wanted.command)
                if question is None:
                    self._doors.commit(wanted.command, wanted.address, wanted.reply, due_bar=-1)
            except HitloopError as error:  # locked meanwhile
                wanted.reply(Rejected(error.code, str(error)))
                continue
            if question is not None:
                self._asked = Asked(wanted, question, self._doors.now_ns())
                self._doors.send(question)

    def _question(self, command: Waiting) -> Ask | Check | None:
        """What to ask the generator before ``command`` can be carried out, if anything."""
        self._token += 1
        present = self._history.present
        match command:
            case Regenerate():
                return Ask(self._token, self._history.request_for(command))
            case SetModel(name) if name != present.model or name in self._facts.refused:
                self._doors.check_model(name, present.style)
                return Check(self._token, name)
            case SetStyle(name):
                self._doors.check_model(present.model, name)
                return None
            case SetMorph(value) if points := self._points(value):
                return Ask(self._token, self._between(points, value))
            case _:
                return None

    def _answered(self, token: int) -> Asked | None:
        """The question that this answers; it is not asked any more."""
        asked = self._asked
        if asked is None or asked.question.token != token:
            return None
        self._asked = None
        return asked

    def _commit(self, command: Commands, wanted: Wanted) -> None:
        try:
            self._doors.commit(command, wanted.address, wanted.reply, due_bar=wanted.due_bar)
        except HitloopError as error:
            wanted.reply(Rejected(error.code, str(error)))

    def _give_up(self, wanted: Wanted, code: str, text: str) -> None:
        self._facts.given_up += 1
        self._doors.publish(Warned(code, text))
        if isinstance(wanted.command, SetMorph):
            self._morph(wanted.command, wanted, None)
        else:
            wanted.reply(Rejected(code, text))
        self._next()

    # ── another generator ───────────────────────────────────────────────────────────────────────────────────────────

    def _switch(self, command: SetModel, wanted: Wanted) -> None:
        """It works: from now on it makes the bars, and the first one at once, unless another is asked for already."""
        present = self._history.present
        free = [lane for lane in LANES if lane not in present.locks]
        if not free or any(isinstance(other.command, Regenerate) for other in self._wanted):
            self._commit(command, wanted)
            return
        self._commit(command, replace(wanted, address="", reply=_nobody))
        # loading took its time: the bar that was next when it was asked may be over
        self._wanted.appendleft(replace(wanted, command=Regenerate(), due_bar=self._doors.due_bar()))

    def _tell_refused(self, name: str, text: str) -> None:
        """A generator can't work and another plays in its place: said once, kept in health."""
        if self._facts.refused.get(name) != text:
            self._facts.refused[name] = text
            self._doors.publish(Warned("model", text))

    # ── the morph knob ──────────────────────────────────────────────────────────────────────────────────────────────

    def _points(self, value: float) -> tuple[()] | tuple[Pattern, Pattern]:
        """The bars to morph between, where a learned generator is to be asked for it."""
        state = self._history.present
        if state.previous is None or not 0.0 < value < 1.0:
            return ()
        return (state.previous, state.current) if self._doors.morphs(state.current.provenance.generator) else ()

    def _between(self, points: tuple[Pattern, Pattern], value: float) -> Request:
        state = self._history.present
        return Request(
            generator=state.current.provenance.generator,
            seed=state.seed,
            style=state.style,
            energy=state.energy,
            temperature=state.temperature,
            root=state.current.root,
            scale=state.scale,
            points=points,
            morph=value,
        )

    def _morph(self, command: SetMorph, wanted: Wanted, pattern: Pattern | None) -> None:
        """Take the bar between, or where there is none, morph note by note."""
        self._commit(command if pattern is None else Morphed(pattern, command.value), wanted)

    # ── ahead of time ───────────────────────────────────────────────────────────────────────────────────────────────

    def _think(self) -> None:
        """Have the generator make what is likely asked next, while nobody waits."""
        present = self._history.present
        if present is self._thought_of:
            return
        self._thought_of, self._thought_ns = present, self._doors.now_ns()
        likely: list[Request] = []
        with contextlib.suppress(LockedError):  # everything is locked: nothing is likely
            seed = self._history.request_for(Regenerate()).seed
            free = [lane for lane in LANES if lane not in present.locks]
            likely += [self._history.request_for(Regenerate(frozenset({lane}))) for lane in free]
            for _ in range(AHEAD):
                likely.append(self._history.request_for(Regenerate(seed=seed)))
                seed = next_seed(seed)
        self._doors.send(Think(tuple(likely)))


def _name(question: Ask | Check) -> str:
    return question.name if isinstance(question, Check) else question.request.generator


def _nobody(_: Outcome) -> None:
    """Nobody waits for this answer."""

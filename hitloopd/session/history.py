"""Undo and redo over everything the user owns, 200 deep."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from hitloopd.core.commands import Redo, Regenerate, SessionCommand, Undo
from hitloopd.core.errors import NothingToDoError
from hitloopd.core.request import Request
from hitloopd.session.gesture import Gesture
from hitloopd.session.reduce import Generated, Morphed, reduce, request_for
from hitloopd.session.state import SessionState

DEPTH: Final = 200


class Step(enum.StrEnum):
    """What a command did to the history, for the journal. *move*: the last change goes on, as a knob does."""

    NONE = "none"
    PUSH = "push"
    MOVE = "move"
    UNDO = "undo"
    REDO = "redo"


class History:
    """The present, what was before it and what was taken back.

    Args:
        present: where to start.
        past: older states, oldest first.
        future: undone states, the next to redo last.
        last_seed: the last seed used, undone bars included.

    Thread: control loop. Real-time: no.
    """

    def __init__(
        self,
        present: SessionState,
        *,
        past: Iterable[SessionState] = (),
        future: Iterable[SessionState] = (),
        last_seed: int | None = None,
    ) -> None:
        self.present = present
        self.last_seed = present.seed if last_seed is None else last_seed
        self._past = deque(past, maxlen=DEPTH)
        self._future = list(future)
        self._gesture = Gesture()

    @property
    def past(self) -> tuple[SessionState, ...]:
        """Oldest first."""
        return tuple(self._past)

    @property
    def future(self) -> tuple[SessionState, ...]:
        """What redo gives, the next one last."""
        return tuple(self._future)

    def apply(self, command: SessionCommand | Generated | Morphed, at_ns: int | None = None) -> Step:
        """Carry ``command`` out and say what it did; ``present`` is the state after it.

        Args:
            command: what to do.
            at_ns: when it came, monotonic: values of one knob that come close together are undone together.

        Raises:
            HitloopError: it can't be done, and nothing changed.
        """
        match command:
            case Undo():
                return self._undo()
            case Redo():
                return self._redo()
            case _:
                return self._change(command, at_ns)

    def request_for(self, command: Regenerate) -> Request:
        """What to ask the generator; see ``reduce.request_for``.

        Raises:
            LockedError: a lane asked for is locked, or all are.
        """
        return request_for(self.present, command, last_seed=self.last_seed)

    def after(self, command: SessionCommand) -> SessionState:
        """What ``apply`` would make of the present, without doing it. Raises as ``apply``."""
        match command:
            case Undo():
                return self._last(self._past, "There is nothing to undo.")
            case Redo():
                return self._last(self._future, "There is nothing to redo.")
            case _:
                return reduce(self.present, command)

    def _change(self, command: SessionCommand | Generated | Morphed, at_ns: int | None) -> Step:
        state = reduce(self.present, command)
        goes_on = self._gesture.goes_on(command, at_ns)
        if isinstance(command, Generated):
            self.last_seed = command.seed
        if state == self.present:
            if not goes_on:
                self._gesture.end()  # nothing was pushed that could go on
            return Step.NONE
        if goes_on and self._past:
            self.present = state
            return Step.MOVE
        self._past.append(self.present)
        self._future.clear()
        self.present = state
        return Step.PUSH

    def _undo(self) -> Step:
        self._last(self._past, "There is nothing to undo.")
        self._gesture.end()
        self._future.append(self.present)
        self.present = self._past.pop()
        return Step.UNDO

    def _redo(self) -> Step:
        self._last(self._future, "There is nothing to redo.")
        self._gesture.end()
        self._past.append(self.present)
        self.present = self._future.pop()
        return Step.REDO

    def _last(self, states: Sequence[SessionState], otherwise: str) -> SessionState:
        if not states:
            raise NothingToDoError(otherwise)
        return states[-1]

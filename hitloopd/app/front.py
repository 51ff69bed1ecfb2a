"""What the person in front of the terminal sees and types: lines, the live view, keys. Runs in the supervisor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from hitloopd.app.keys import HELP_KEY, QUIT_KEY, Keyboard
from hitloopd.app.messages import BarsDone, Do, Finished, Note, Ready, Shown
from hitloopd.app.terminal import Screen
from hitloopd.app.view import ViewState, bar_grid, frame, status_line
from hitloopd.core.time import BEATS_PER_BAR, NS_PER_S, TICKS_PER_BAR, TICKS_PER_BEAT
from hitloopd.core.transport import Position, State


class Front:
    """Turns messages into lines and keys into messages.

    Args:
        screen: where to write.
        view: draw the live view in place.
        grids: print every bar as a grid when it begins, where there is no live view.
        quiet: say nothing but what goes wrong (``--json``).
    """

    def __init__(self, screen: Screen, *, view: bool = False, grids: bool = False, quiet: bool = False) -> None:
        self.screen = screen
        self.view = view
        self.grids = grids
        self.quiet = quiet
        self.summary: dict[str, object] = {}
        self.problems: list[str] = []
        self.done = False
        self._said: set[str] = set()
        self._keyboard = Keyboard()
        self._state = ViewState()
        self._beat: tuple[int, int, int] | None = None
        self._help = False
        self._drawn = ""

    # ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def listen(self, message: object) -> None:
        """One message of the daemon."""
        match message:
            case Note(level, text):
                self._line(level, text)
            case Ready(_, lines):
                for line in lines:
                    if line not in self._said:  # a process that was started again has nothing new to say
                        self._said.add(line)
                        self._line("info", line)
            case Shown():
                self._shown(message)
            case BarsDone():
                self.done = True
            case Finished(summary):
                self.summary = dict(summary)
            case _:
                self._line("warning", f"unknown message {message!r}")

    def _line(self, level: str, text: str) -> None:
        if level == "error":
            self.problems.append(text)
        if not self.quiet or level == "error":
            mark = "" if level in ("info", "log") else f"{level}: "
            self.screen.log(f"{mark}{text}")

    def _shown(self, shown: Shown) -> None:
        self._beat = shown.beat or self._beat
        self._state = replace(
            self._state,
            transport=shown.transport,
            pattern=shown.pattern,
            knob=shown.knob,
            energy=shown.energy,
            locked=shown.locks,
            muted=shown.mutes,
            model=shown.model,
            style=shown.style,
            seed=shown.seed,
            kit=shown.kit,
        )
        if shown.bar_started >= 0 and self.grids and not (self.view and self.screen.live):
            self.screen.log(
                bar_grid(shown.pattern, title=f"bar {shown.bar_started + 1}", ascii_only=self.screen.ascii_only)
            )

    # ── drawing and keys ────────────────────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        """Bring the screen up to date."""
        if not self.screen.live or self.quiet:
            return
        state = self._now()
        if self.view:
            lines = frame(state, self.screen.width, colour=True, ascii_only=self.screen.ascii_only)
        else:
            lines = [status_line(state)[: self.screen.width]]
        text = "\n".join(lines)
        if text != self._drawn:
            self._drawn = text
            self.screen.draw(lines)

    def _now(self) -> ViewState:
        """The state with the position moved on since the last beat."""
        state = replace(self._state, help=self._help, prefix=self._keyboard.prefix)
        transport = state.transport
        if transport.state is not State.PLAYING or self._beat is None:
            return state
        bar, beat, at_ns = self._beat
        since = (time.monotonic_ns() - at_ns) / NS_PER_S * transport.bpm / 60
        into = min(max(since, 0.0), 1.0) * TICKS_PER_BEAT
        tick = bar * TICKS_PER_BAR + min(beat * TICKS_PER_BEAT + int(into), BEATS_PER_BAR * TICKS_PER_BEAT - 1)
        return replace(state, transport=replace(transport, position=Position(tick)))

    def press(self, key: str, tell: Callable[[Do], object]) -> bool:
        """One key; False: quit."""
        if key == QUIT_KEY:
            return False
        if key == HELP_KEY:
            self._help = not self._help
        elif key:
            message = self._keyboard.press(key, self._now().situation)
            if message is not None:
                tell(Do(*message))
        return True

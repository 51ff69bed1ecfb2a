"""The supervisor: starts, watches and restarts the processes, owns signals and the exit code. It does nothing else.

It keeps both ends of every link, so a restarted process gets the one its predecessor had and finds there what was sent
meanwhile. Children leave Ctrl-C and terminate signals to it: they are told, in order, and the notes end first.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, Final

from hitloopd import __version__
from hitloopd.app.messages import Failed, Note, Processes, Quit, Reload, Restart
from hitloopd.app.options import RunOptions
from hitloopd.app.processes import CONTROL, ORDER, PLAYER, Plan, child, plan
from hitloopd.app.settings import Settings
from hitloopd.io.link import Link, pair

LOOK_S: Final = 0.1
"""How often somebody in front of a terminal is looked after; words, deaths and signals wake us at once."""
REST_S: Final = 1.0
"""... and how often where nobody is."""
PATIENCE_S: Final = 4.0
MANY_RESTARTS: Final = 5
WITHIN_S: Final = 10.0
VITAL: Final = frozenset({PLAYER, CONTROL})
"""Without these there is no daemon. The others may die again and again: it plays on and tries them now and then."""

Listener = Callable[[object], None]


@dataclass(slots=True)
class Child:
    """One process and what became of those before it."""

    name: str
    process: BaseProcess
    restarts: int = 0
    started: deque[float] = field(default_factory=lambda: deque[float](maxlen=MANY_RESTARTS))
    told: bool = False

    def dies_often(self, now: float) -> bool:
        """It was started many times within a short time."""
        return len(self.started) == MANY_RESTARTS and now - self.started[0] < WITHIN_S


class Supervisor:
    """Runs a daemon until it is told to end.

    Args:
        settings: as loaded.
        options: as asked for on the command line.
        listen: gets every message for the person in front of the terminal.
    """

    def __init__(self, settings: Settings, options: RunOptions, listen: Listener) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._plan: Plan = plan(settings, options, self._context)
        self._listen = listen
        self._children: dict[str, Child] = {}
        self._ends: dict[str, tuple[Link, Link]] = {name: pair() for name in self._plan.names}
        self._ending = False
        self._exit_code = 0
        self._reload = False
        self._alarm: list[socket.socket] = []
        """Rings when a signal came, so that nobody has to look for one."""

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, look: Callable[[], bool] = lambda: True, look_s: float = LOOK_S) -> int:
        """Start everything and stay until the end.

        Args:
            look: called when something came, and else every ``look_s``; False ends the daemon.
            look_s: the longest time between two looks.

        Returns:
            The exit code.
        """
        with self._signals():
            # said once Ctrl-C is ours: whoever has read it may end us in good order
            self._listen(Note("info", f"hitloopd {__version__}"))
            try:
                for name in self._plan.names:
                    self._start(name)
                while not self._ending:
                    self._wait(look_s)
                    self._mourn()
                    self._ending |= not look()
            finally:
                self._stop()
        return self._exit_code

    def end(self, exit_code: int = 0) -> None:
        """End in good order at the next look."""
        self._ending = True
        self._exit_code = max(self._exit_code, exit_code)

    def tell_control(self, message: object) -> None:
        """Send something to the control process."""
        self._ends[CONTROL][0].send(message)

    def _start(self, name: str) -> None:
        process = self._context.Process(
            target=child, args=(name, self._ends[name][1], *self._plan.arguments[name]), name=f"hitloopd-{name}"
        )
        with _signals_held():
            process.start()
        before = self._children.get(name)
        if before is None:
            self._children[name] = Child(name, process)
        else:
            before.process, before.restarts, before.told = process, before.restarts + 1, False
        self._children[name].started.append(time.monotonic())
        self._tell_processes()

    def _stop(self) -> None:
        """In order: the player ends its notes first, control says the last word."""
        self._ending = True
        for name in ORDER:
            entry = self._children.get(name)
            if entry is None:
                continue
            self._ends[name][0].send(Quit())
            deadline = time.monotonic() + PATIENCE_S
            while entry.process.is_alive() and time.monotonic() < deadline:
                self._wait(0.02)
            if entry.process.is_alive():
                self._listen(Note("warning", f"{name} did not end in {PATIENCE_S:g} s and was killed"))
                entry.process.kill()
            entry.process.join(PATIENCE_S)
        self._wait(0)
        for ours, theirs in self._ends.values():
            ours.close()
            theirs.close()
        self._plan.close()

    # ── watching ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _wait(self, timeout_s: float) -> None:
        """Wait for words or deaths, and pass the words on."""
        links: dict[Any, str] = {ours: name for name, (ours, _) in self._ends.items()}
        sentinels = [entry.process.sentinel for entry in self._children.values() if entry.process.is_alive()]
        wait([*links, *sentinels, *self._alarm], timeout_s)
        for bell in self._alarm:
            with contextlib.suppress(BlockingIOError):  # no signal came
                bell.recv(512)
        for link in links:
            for message in link.receive():
                self._on(message)
        if self._reload:
            self._reload = False
            self.tell_control(Reload())

    def _on(self, message: object) -> None:
        match message:
            case Restart(name, why):
                self._listen(Note("warning", why))
                self._children[name].told = True
                self._children[name].process.kill()
            case Failed(name, text, exit_code):
                self._listen(Note("error", f"{name}: {text}"))
                self.end(exit_code)
            case _:
                self._listen(message)

    def _mourn(self) -> None:
        """Start what died."""
        for entry in self._children.values():
            if not entry.process.is_alive() and not self._ending:
                entry.process.join()
                self._replace(entry)

    def _replace(self, entry: Child) -> None:
        name, often = entry.name, entry.dies_often(time.monotonic())
        if often and name in VITAL:
            text = (
                f"the {name} process died {MANY_RESTARTS} times within {WITHIN_S:g} s; giving up. Try: hitloopd doctor"
            )
            self._listen(Note("error", text))
            self.end(1)
            return
        if not entry.told:
            entry.told = True
            how = f"trying again every {WITHIN_S:g} s" if often else "starting it again"
            reason = f"exit code {entry.process.exitcode}"
            self._listen(Note("warning", f"the {name} process ended by itself ({reason}); {how}"))
            self._tell_processes()
        if not often:
            self._start(name)

    def _tell_processes(self) -> None:
        rows = {
            name: (entry.process.is_alive(), entry.restarts, entry.process.pid or 0)
            for name, entry in self._children.items()
        }
        self.tell_control(Processes(rows))

    # ── signals ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _signals(self) -> Generator[None]:
        """SIGINT and SIGTERM end, SIGHUP reads the config again; what was there before is put back."""
        words = {"SIGINT": self._on_end, "SIGTERM": self._on_end, "SIGBREAK": self._on_end, "SIGHUP": self._on_reload}
        numbers = {int(getattr(signal, name)): handle for name, handle in words.items() if hasattr(signal, name)}
        before = {number: signal.signal(number, handle) for number, handle in numbers.items()}
        bell, rope = socket.socketpair()
        with bell, rope:
            bell.setblocking(False)
            rope.setblocking(False)
            rung_before = signal.set_wakeup_fd(rope.fileno(), warn_on_full_buffer=False)
            self._alarm = [bell]
            try:
                yield
            finally:
                self._alarm = []
                signal.set_wakeup_fd(rung_before)
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _on_end(self, _number: int, _frame: FrameType | None) -> None:
        self.end()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload = True


@contextlib.contextmanager
def _signals_held() -> Generator[None]:
    """Keep Ctrl-C from a child that has not come to ignoring it yet: it inherits the mask, and ours is for moments."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # multiprocessing's helper: starting it later would let the signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

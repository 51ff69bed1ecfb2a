"""The journal: what the user did is in the operating system's hands before it is acknowledged.

Conventions: append-only lines (``session.replay`` has the format) in ``journal.jsonl`` of the state folder. One write
call per change, so a ``kill -9`` loses nothing that was acknowledged; ``sync`` guards against power cuts too and
belongs off the event loop. A disk that refuses never raises here: methods return False, ``problem`` says why, play
goes on.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hitloopd.core.notices import Warned
from hitloopd.core.pattern import Pattern
from hitloopd.session import lockfile
from hitloopd.session.codec import FIELDS, PATTERN_FIELDS
from hitloopd.session.history import History, Step
from hitloopd.session.replay import VERSION, Replay, framed
from hitloopd.session.state import SessionState

NAME: Final = "journal.jsonl"
DAMAGED: Final = "journal.damaged"
MAX_BYTES: Final = 2 << 20
RETRY_NS: Final = 5_000_000_000  # after a refusal: not at every key press
_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows would turn newlines into two bytes


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bar as it stands in the file; holding the pattern keeps its Python identity from being used again."""

    pattern: Pattern
    id: str
    line: bytes


class Journal:
    """One state folder, held by one process.

    Opening restores ``history`` and ``memo``; ``report`` says in one line what could not be restored, if anything.

    Args:
        folder: the state folder; made if it is missing.
        default: the state to start with where there is none.
        max_bytes: the file is written anew, without what undo can't reach, when it grows beyond this.

    Raises:
        DeviceError: another process holds the folder; the message says which.

    Thread: control loop, but for ``sync``. Real-time: no.
    """

    def __init__(self, folder: Path, default: SessionState, *, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.memo: dict[str, Any] = {}
        self.report = ""
        self.problem = ""
        self._told = False
        self._max_bytes = max_bytes
        self._fd = self._lock = -1
        self._size = 0
        self._retry_ns = 0
        self._swap = threading.Lock()  # between sync on its thread and a rewrite that changes the descriptor
        self._bars: dict[int, _Bar] = {}
        self._in_file: set[str] = set()
        self._hold()
        self.history = self._restore(default)
        self._written = self.history.present
        self._seed = self.history.last_seed
        if self._fd < 0:
            self._rewrite(self.history)

    def write(self, step: Step, history: History) -> bool:
        """Write what ``history.apply`` just did. Do it before the change is acknowledged.

        Returns:
            False if the disk refuses; ``problem`` says why, and the whole history is written once it takes it again.
        """
        lines: list[bytes] = []
        if step in {Step.PUSH, Step.MOVE}:
            lines += self._delta(history.present, self._written, step)
        elif step is not Step.NONE:
            lines.append(framed({"op": step.value}))
        if history.last_seed != self._seed:
            lines.append(framed({"op": "seed", "seed": history.last_seed}))
        self._written, self._seed = history.present, history.last_seed
        return self._append(b"".join(lines), history)

    def remember(self, memo: Mapping[str, Any]) -> bool:
        """Remember what the app wants back after a restart: tempo, playing, origin; any JSON. The last one counts."""
        if self.memo == memo:
            return self._fd >= 0
        self.memo = dict(memo)
        return self._append(framed({"op": "memo", "memo": self.memo}), None)

    def sync(self) -> bool:
        """Have the disk itself take what was written. Thread: any but the loop. Real-time: no."""
        with self._swap:
            if self._fd < 0:
                return False
            fd = os.dup(self._fd)
        try:
            os.fsync(fd)
        except OSError as error:
            self._refused(error)
            return False
        finally:
            os.close(fd)
        return True

    def take_problem(self) -> Warned | None:
        """The present problem as a notice, once each time it begins."""
        if not self.problem or self._told:
            return None
        self._told = True
        return Warned("journal", self.problem)

    def close(self) -> None:
        """Let the folder go."""
        with self._swap:
            for fd in (self._fd, self._lock):
                if fd >= 0:
                    os.close(fd)
            self._fd = self._lock = -1

    # ── opening ──

    def _hold(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = lockfile.hold(self.folder)
        except OSError as error:
            self._refused(error)

    def _restore(self, default: SessionState) -> History:
        try:
            data = (self.folder / NAME).read_bytes()
        except FileNotFoundError:
            return History(default)
        except OSError as error:
            self._refused(error)
            return History(default)
        replay = Replay()
        try:
            replay.feed(data)
            history = replay.history()
        except Exception as error:  # noqa: BLE001  (a journal of another version must never keep the daemon from starting)
            return self._set_aside(data, History(default), f"could not be read ({error})")
        self.memo = replay.memo
        if history is None or replay.good_bytes < len(data):
            lost = data[replay.good_bytes :]
            return self._set_aside(lost, history or History(default), f"ends in {len(lost)} damaged bytes")
        self._go_on(replay)
        return history

    def _go_on(self, replay: Replay) -> None:
        """Append to the file as it is: nothing needs to be written at a start."""
        if self._lock < 0:
            return
        try:
            self._fd = os.open(self.folder / NAME, os.O_WRONLY | os.O_APPEND | _BINARY)
        except OSError as error:
            self._refused(error)
        self._size = replay.good_bytes
        self._in_file = set(replay.patterns)

    def _set_aside(self, lost: bytes, history: History, what: str) -> History:
        self.report = f"The journal {self.folder / NAME} {what}; what was left out is kept in {DAMAGED}."
        with contextlib.suppress(OSError):  # a folder that can't be written is told by the rewrite that follows
            (self.folder / DAMAGED).write_bytes(lost)
        return history

    # ── writing ──

    def _append(self, data: bytes, history: History | None) -> bool:
        if self._fd < 0:
            return self._try_again(history)
        try:
            self._write_whole(data)
        except OSError as error:
            self._give_up(error)
            return False
        if self._size > self._max_bytes and history is not None:
            self._rewrite(history)
        return True

    def _write_whole(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        self._size += len(data)

    def _try_again(self, history: History | None) -> bool:
        if history is None or time.monotonic_ns() < self._retry_ns:
            return False
        if self._lock < 0:
            self._hold()
        return self._rewrite(history)

    def _rewrite(self, history: History) -> bool:
        """Write the history into a new file and put it in the old one's place in one step."""
        if self._lock < 0:
            return False
        new, path = self.folder / f"{NAME}.new", self.folder / NAME
        self._in_file.clear()
        reachable = {id(bar) for state in _chain(history) for bar in _bars_of(state)}
        self._bars = {key: kept for key, kept in self._bars.items() if key in reachable}
        data = b"".join(self._lines(history))
        try:
            _write_file(new, data)
            with self._swap:
                if self._fd >= 0:
                    os.close(self._fd)  # Windows replaces no open file
                    self._fd = -1
                new.replace(path)
                self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | _BINARY)
            _sync_folder(self.folder)
        except OSError as error:
            self._give_up(error)
            return False
        self._size = len(data)
        self._max_bytes = max(self._max_bytes, 2 * len(data))  # a long history must not be rewritten at every change
        self.problem, self._told = "", False
        return True

    def _lines(self, history: History) -> Iterable[bytes]:
        """A whole history: the oldest state, each later one as a change, then as many undos as were in force."""
        oldest, *later = _chain(history)
        yield framed({"op": "journal", "version": VERSION})
        yield from self._new_bars(oldest)
        yield framed({"op": "state", "set": {name: self._encoded(name, oldest) for name in FIELDS}})
        before = oldest
        for state in later:
            yield from self._delta(state, before)
            before = state
        yield from (framed({"op": Step.UNDO.value}) for _ in history.future)
        yield framed({"op": "seed", "seed": history.last_seed})
        yield framed({"op": "memo", "memo": self.memo})

    def _delta(self, state: SessionState, before: SessionState, step: Step = Step.PUSH) -> Iterable[bytes]:
        changed = [name for name in FIELDS if getattr(state, name) != getattr(before, name)]
        if any(name in PATTERN_FIELDS for name in changed):
            yield from self._new_bars(state)
        yield framed({"op": step.value, "set": {name: self._encoded(name, state) for name in changed}})

    def _new_bars(self, state: SessionState) -> Iterable[bytes]:
        for pattern in _bars_of(state):
            if pattern is not None and (bar := self._bar(pattern)).id not in self._in_file:
                self._in_file.add(bar.id)
                yield bar.line

    def _encoded(self, name: str, state: SessionState) -> Any:  # noqa: ANN401  (JSON)
        value = getattr(state, name)
        if name in PATTERN_FIELDS:
            return None if value is None else self._bar(value).id
        return FIELDS[name].encode(value)

    def _bar(self, pattern: Pattern) -> _Bar:
        """A bar's line; kept, because making it costs more than writing it."""
        kept = self._bars.get(id(pattern))
        if kept is None:
            key = pattern.id
            line = framed({"op": "pattern", "id": key, "pattern": pattern.as_json()})
            kept = self._bars[id(pattern)] = _Bar(pattern, key, line)
        return kept

    # ── refusals ──

    def _give_up(self, error: OSError) -> None:
        """The file may end in half a line now: nothing more goes into it until it is written anew."""
        self._refused(error)
        with self._swap:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1

    def _refused(self, error: OSError) -> None:
        self._retry_ns = time.monotonic_ns() + RETRY_NS
        if not self.problem:
            self.problem = (
                f"The state folder {self.folder} can't be written: {error.strerror or error}. "
                "Play goes on; what you do now is lost with the next restart."
            )


def _bars_of(state: SessionState) -> list[Pattern | None]:
    return [getattr(state, name) for name in PATTERN_FIELDS]


def _chain(history: History) -> list[SessionState]:
    return [*history.past, history.present, *reversed(history.future)]


def _write_file(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name last; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

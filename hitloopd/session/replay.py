"""Reading a journal: lines back into a history. Knows the format, opens no file.

Conventions: a line is a CRC-32 in eight hex digits, a space, a JSON object, a newline. ``op`` says what it is:

* ``journal`` (first line) with ``version``;
* ``pattern``: ``id`` and ``pattern``, before the first state that names it;
* ``state``: a whole state to start from; ``push``: the fields that a change set; ``move``: those that the same change
  set as it went on; ``undo``, ``redo``;
* ``seed``: the last seed used; ``memo``: what the app wants remembered of the transport.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hitloopd.core.pattern import Pattern, pattern_from_json
from hitloopd.session.codec import FIELDS, PATTERN_FIELDS
from hitloopd.session.history import DEPTH, History
from hitloopd.session.state import SessionState

VERSION: Final = 1
Entry = dict[str, Any]


def framed(entry: Mapping[str, Any]) -> bytes:
    """One journal line."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def unframed(line: bytes) -> Entry | None:
    """The entry of a line without its newline; ``None`` if it is torn or corrupt."""
    crc, _, text = line.partition(b" ")
    if crc != b"%08x" % zlib.crc32(text):
        return None
    return json.loads(text)


@dataclass(slots=True)
class Replay:
    """A journal being read. ``feed`` all of it, then ask for ``history``."""

    memo: dict[str, Any] = field(default_factory=dict[str, Any])
    good_bytes: int = 0
    patterns: dict[str, Any] = field(default_factory=dict[str, Any])
    _present: Entry | None = None
    _past: deque[Entry] = field(default_factory=lambda: deque[Entry](maxlen=DEPTH))
    _future: list[Entry] = field(default_factory=list[Entry])
    _last_seed: int | None = None
    _decoded: dict[tuple[str, int], Any] = field(default_factory=dict[tuple[str, int], Any])

    def feed(self, data: bytes) -> None:
        """Read lines up to the first bad one; ``good_bytes`` is where that begins."""
        steps: Mapping[str, Callable[[Entry], bool]] = {
            "journal": self._header,
            "pattern": self._pattern,
            "state": self._whole,
            "push": self._push,
            "move": self._move,
            "undo": self._undo,
            "redo": self._redo,
            "seed": self._seed,
            "memo": self._memo,
        }
        while (end := data.find(b"\n", self.good_bytes)) >= 0:
            entry = unframed(data[self.good_bytes : end])
            step = None if entry is None else steps.get(str(entry.get("op")))
            if entry is None or step is None or not step(entry):
                return
            self.good_bytes = end + 1

    def history(self) -> History | None:
        """What was restored; ``None`` if the journal has no state.

        Raises:
            HitloopError, KeyError, TypeError, ValueError: written by another version.
        """
        if self._present is None:
            return None
        return History(
            self._state(self._present),
            past=[self._state(raw) for raw in self._past],
            future=[self._state(raw) for raw in self._future],
            last_seed=self._last_seed,
        )

    def _header(self, entry: Entry) -> bool:
        return entry["version"] == VERSION

    def _pattern(self, entry: Entry) -> bool:
        self.patterns[entry["id"]] = entry["pattern"]
        return True

    def _whole(self, entry: Entry) -> bool:
        self._present = entry["set"]
        self._past.clear()
        self._future.clear()
        return True

    def _push(self, entry: Entry) -> bool:
        if self._present is None:
            return False
        self._past.append(self._present)
        self._future.clear()
        self._present = {**self._present, **entry["set"]}
        return True

    def _move(self, entry: Entry) -> bool:
        if self._present is None:
            return False
        self._present = {**self._present, **entry["set"]}
        return True

    def _undo(self, _: Entry) -> bool:
        if self._present is None or not self._past:
            return False
        self._future.append(self._present)
        self._present = self._past.pop()
        return True

    def _redo(self, _: Entry) -> bool:
        if self._present is None or not self._future:
            return False
        self._past.append(self._present)
        self._present = self._future.pop()
        return True

    def _seed(self, entry: Entry) -> bool:
        self._last_seed = entry["seed"]
        return True

    def _memo(self, entry: Entry) -> bool:
        self.memo = entry["memo"]
        return True

    def _state(self, raw: Entry) -> SessionState:
        return SessionState(**{name: self._field(name, value) for name, value in raw.items() if name in FIELDS})

    def _field(self, name: str, value: Any) -> Any:  # noqa: ANN401  (JSON in, whatever the field is out)
        """Decode once per written value: states that share a value share it again, and reading stays quick."""
        key = (name, id(value))
        if key not in self._decoded:
            self._decoded[key] = self._bar(value) if name in PATTERN_FIELDS else FIELDS[name].decode(value)
        return self._decoded[key]

    def _bar(self, name: str | None) -> Pattern | None:
        if name is None:
            return None
        key = ("pattern", id(self.patterns[name]))
        if key not in self._decoded:
            self._decoded[key] = pattern_from_json(self.patterns[name])
        return self._decoded[key]

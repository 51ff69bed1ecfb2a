"""What a row of the address table is made of, and how arguments from the wire become the row's own types.

Conventions: numbers are taken as int, float, double, T or F; words are strings. A wrong type or range is refused before
a command exists, so nothing can change. Nothing here knows OSC bytes: MIDI control and the command line use it too.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hitloopd.control.wire import Raw
from hitloopd.core.commands import Command
from hitloopd.core.errors import ArgumentError, RangeError, nearest
from hitloopd.core.pattern import Lane
from hitloopd.ports.surface import Value


class Kind(enum.Enum):
    """What an argument is, by the OSC type tag that the reference and OSCQuery show for it."""

    INT = "i"
    FLOAT = "f"
    BOOL = "T"
    PRESS = "b"  # a button: everything but 0 is a press; shown as T
    STRING = "s"
    ANY = "*"


class Access(enum.IntEnum):
    """As in OSCQuery: what a client may do with an address."""

    NONE = 0
    READ = 1
    WRITE = 2
    BOTH = 3


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument.

    Args:
        name: with its unit where it has one.
        kind: what it becomes.
        low: least value of a number.
        high: greatest value of a number.
        choices: the valid words of a string; empty is any.
        words: words that are taken in place of a number, such as ``auto``.
        optional: it may be left out.
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    optional: bool = False

    def coerce(self, path: str, raw: Raw) -> Value:
        """The argument in its own type.

        Raises:
            ArgumentError: the type can't be taken.
            RangeError: the value lies outside the range or is none of the choices.
        """
        if self.kind is Kind.ANY and raw is not None:
            return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        if self.kind is Kind.STRING:
            return self._word(path, raw)
        if isinstance(raw, str) and raw in self.words:
            return raw
        if not isinstance(raw, int | float):
            raise ArgumentError(
                f"{path}: {self.name} must be {self.describe()}, got {_shown(raw)}; nothing was changed."
            )
        return self._number(path, raw)

    def describe(self) -> str:
        """Type and range for people: ``a number 20 to 300``."""
        match self.kind:
            case Kind.STRING:
                text = f"one of {', '.join(self.choices)}" if self.choices else "a string"
            case Kind.BOOL | Kind.PRESS:
                text = "0 or 1"
            case Kind.INT:
                text = f"a whole number {self.low:.10g} to {self.high:.10g}"
            case Kind.ANY:
                text = "anything"
            case Kind.FLOAT:
                text = f"a number {self.low:g} to {self.high:g}"
        return f"{text} or {' or '.join(self.words)}" if self.words else text

    def _word(self, path: str, raw: Raw) -> str:
        if isinstance(raw, bytes):
            raw = raw.decode("utf-8", "replace")
        if not isinstance(raw, str):
            raise ArgumentError(
                f"{path}: {self.name} must be {self.describe()}, got {_shown(raw)}; nothing was changed."
            )
        if self.choices and raw not in self.choices:
            raise RangeError(
                f"{path}: {self.name} must be {self.describe()}, got '{raw[:80]}'; nothing was changed."
                f"{nearest(raw[:80], self.choices)}"
            )
        return raw

    def _number(self, path: str, raw: float) -> Value:
        if self.kind is Kind.PRESS:
            return raw != 0
        # Whole numbers from a fader's float are rounded before the range is checked; a NaN or an impulse can't be.
        value = round(raw) if self.kind is Kind.INT and math.isfinite(raw) else raw
        bad = value not in (0, 1) if self.kind is Kind.BOOL else not self.low <= value <= self.high
        if bad:
            raise RangeError(f"{path}: {self.name} must be {self.describe()}, got {raw:g}; nothing was changed.")
        match self.kind:
            case Kind.BOOL:
                return bool(value)
            case Kind.INT:
                return int(value)
            case _:
                return float(value)


@dataclass(frozen=True, slots=True)
class Call:
    """A use of an address: its arguments, checked, and what the path itself said."""

    args: tuple[Value, ...]
    now_ns: int
    in_lane: Lane | None = None
    cell: int = 0

    @property
    def lane(self) -> Lane:
        """The lane in the path; only rows with ``<lane>`` ask for it."""
        assert self.in_lane is not None
        return self.in_lane

    def number(self, index: int, default: float = 0.0) -> float:
        """An argument as float."""
        return float(self.args[index]) if index < len(self.args) else default

    def number_or_word(self, index: int) -> float | None:
        """An argument as float; ``None`` where a word such as ``auto`` stands."""
        value = self.args[index]
        return None if isinstance(value, str) else float(value)

    def whole(self, index: int, default: int = 0) -> int:
        """An argument as int."""
        return int(self.args[index]) if index < len(self.args) else default

    def maybe_whole(self, index: int) -> int | None:
        """An argument as int, or ``None`` where it was left out."""
        return int(self.args[index]) if index < len(self.args) else None

    def text(self, index: int, default: str = "") -> str:
        """An argument as text."""
        return str(self.args[index]) if index < len(self.args) else default

    def flag(self, index: int) -> bool:
        """An argument as bool; left out is False."""
        return bool(self.args[index]) if index < len(self.args) else False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        template: the path; ``<lane>`` and ``<cell>`` stand for every lane and 0..15.
        doc: one sentence.
        args: what it takes.
        access: whether it may be asked, set, both, or is only ever sent to clients.
        build: makes the command; ``None``: the desk is asked, or the door itself answers.
        answer: what a question or an acknowledgement carries, in words for the reference.
        acts_bare: without arguments it acts instead of asking.
        watched: subscribers to ``state`` are told when it changes.
    """

    template: str
    doc: str
    args: tuple[Arg, ...] = ()
    access: Access = Access.BOTH
    build: Callable[[Call], Command] | None = None
    answer: str = ""
    acts_bare: bool = False
    watched: bool = False

    @property
    def readable(self) -> bool:
        """It can be asked."""
        return bool(self.access & Access.READ)

    def is_release(self, call: Call) -> bool:
        """A button let go: nothing to do."""
        return call.args == (False,) and self.args[0].kind is Kind.PRESS

    def usage(self) -> str:
        """The arguments for people: ``bpm [ramp_beats]``."""
        return " ".join(f"[{arg.name}]" if arg.optional else arg.name for arg in self.args)

    def coerce(self, path: str, raw: Sequence[Raw]) -> tuple[Value, ...]:
        """The arguments in the row's own types.

        Raises:
            ArgumentError: too many, too few, or of a wrong type.
            RangeError: one is outside its range.
        """
        if len(raw) > 0 and raw[-1] is None and len(raw) <= len(self.args) and self.args[len(raw) - 1].optional:
            raw = raw[:-1]
        needed = sum(not arg.optional for arg in self.args)
        if not needed <= len(raw) <= len(self.args):
            takes = f"takes {self.usage()}" if self.args else "takes no arguments"
            raise ArgumentError(f"{path} {takes}, got {len(raw)} arguments; nothing was changed.")
        return tuple(arg.coerce(path, value) for arg, value in zip(self.args, raw, strict=False))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row at one concrete path.

    Args:
        path: as it was used; an alias keeps its own.
        address: the full path that the desk knows.
        row: its line of the table.
        lane: the lane in the path.
        cell: the cell in the path.
    """

    path: str
    address: str
    row: Row
    lane: Lane | None = None
    cell: int = 0

    def call(self, raw: Sequence[Raw], now_ns: int) -> Call:
        """Check the arguments. Raises ``ArgumentError`` or ``RangeError``."""
        return Call(self.row.coerce(self.path, raw), now_ns, self.lane, self.cell)

    def asks(self, raw: Sequence[Raw]) -> bool:
        """Whether this use is a question."""
        return not raw and not self.row.acts_bare and self.row.readable


def _shown(raw: Raw) -> str:
    match raw:
        case None:
            return "nil"
        case bytes():
            return f"a blob of {len(raw)} bytes"
        case str():
            return f"the string '{raw[:80]}'"
        case _:
            return str(raw)

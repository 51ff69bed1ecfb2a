"""What the keys of the live view do: one table of key, OSC address, arguments and words for people.

A key means exactly what an OSC client would send; the desk carries it out. This module must not know the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hitloopd.core.pattern import LANES, Lane
from hitloopd.core.time import MAX_BPM, MIN_BPM
from hitloopd.core.transport import State

Args = tuple[str | int | float | bool, ...]
Message = tuple[str, Args]


@dataclass(frozen=True, slots=True)
class Press:
    """One key: what it sends and what it is for."""

    key: str
    address: str
    doc: str
    args: Args = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What keys depend on: whether it plays, the tempo, what is locked and muted."""

    state: State = State.STOPPED
    bpm: float = 120.0
    locked: frozenset[Lane] = frozenset()
    muted: frozenset[Lane] = frozenset()


PRESSES: Final = (
    Press(" ", "/hitloop/transport/play", "play or stop"),
    Press("r", "/hitloop/gen/regenerate", "regenerate all lanes that are not locked"),
    *(Press(str(n), f"/hitloop/lane/{lane}/regenerate", f"regenerate {lane}") for n, lane in enumerate(LANES, 1)),
    Press("l", "/hitloop/lane/<lane>/lock", "then 1-5: lock a lane, or let it go"),
    Press("m", "/hitloop/lane/<lane>/mute", "then 1-5: mute a lane, or let it sound"),
    Press("c", "/hitloop/gen/calmer", "calmer"),
    Press("e", "/hitloop/gen/energetic", "energetic"),
    Press("u", "/hitloop/pattern/undo", "undo"),
    Press("U", "/hitloop/pattern/redo", "redo"),
    Press("+", "/hitloop/transport/bpm", "one BPM faster", (1.0,)),
    Press("-", "/hitloop/transport/bpm", "one BPM slower", (-1.0,)),
    Press("t", "/hitloop/transport/tap", "tap the tempo"),
    Press("p", "/hitloop/sys/panic", "panic: release every note"),
    Press("?", "", "show or hide these keys"),
    Press("q", "", "quit"),
)
BY_KEY: Final[Mapping[str, Press]] = {press.key: press for press in PRESSES}
HELP_KEY: Final = "?"
QUIT_KEY: Final = "q"
_PREFIXES: Final = "lm"
_SAME: Final = {"=": "+", "_": "-"}  # the same physical keys without, or with, shift


class Keyboard:
    """Turns characters into messages, and remembers a prefix key (``l``, ``m``) until its lane comes."""

    def __init__(self) -> None:
        self.prefix = ""

    def press(self, char: str, now: Situation) -> Message | None:
        """The address and arguments that ``char`` sends now; ``None`` for a prefix, help, quit or an unknown key."""
        prefix, self.prefix = self.prefix, ""
        char = _SAME.get(char, char)
        if prefix and char in "12345":
            return _toggle(prefix, LANES[int(char) - 1], now)
        press = BY_KEY.get(char)
        if press is None or not press.address:
            return None
        if char in _PREFIXES:
            self.prefix = char
            return None
        return _message(press, now)


def help_lines() -> list[str]:
    """The key table for people, one key a line."""
    return [f"{'space' if press.key == ' ' else press.key:>5}  {press.doc}" for press in PRESSES]


def _toggle(prefix: str, lane: Lane, now: Situation) -> Message:
    held = now.locked if prefix == "l" else now.muted
    return BY_KEY[prefix].address.replace("<lane>", lane), (lane not in held,)


def _message(press: Press, now: Situation) -> Message:
    if press.key == " " and now.state is not State.STOPPED:
        return "/hitloop/transport/stop", ()
    if press.address == "/hitloop/transport/bpm":
        (step,) = press.args
        return press.address, (min(max(now.bpm + float(step), MIN_BPM), MAX_BPM),)
    return press.address, press.args

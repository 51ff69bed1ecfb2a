"""The end of a run of so many bars: stop the player after them, let the sound ring out, and say that it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from hitloopd.app.facts import Facts
from hitloopd.core.time import NS_PER_S
from hitloopd.core.transport import State

LEAST_RING_NS: Final = NS_PER_S // 2
RING_NS: Final = 3 * NS_PER_S
"""How long the sound of the last bar must, and how long it may then still ring before the end."""


class LastBar:
    """Watches for the end.

    Args:
        bars: how many; 0: it plays on.
        facts: where the song is.
        stop_at: has the player stop at a bar's line.
        ask_sound: asks the audio process what still sounds; ``None``: there is none.
        over: called once it is all over.
    """

    def __init__(
        self,
        bars: int,
        facts: Facts,
        *,
        stop_at: Callable[[int], object],
        ask_sound: Callable[[], object] | None,
        over: Callable[[], object],
    ) -> None:
        self._bars = bars
        self._facts = facts
        self._stop_at = stop_at
        self._ask_sound = ask_sound
        self._over = over
        self._told = self._ringing = False
        self._from_ns = self._until_ns = 0

    def player_started(self) -> None:
        """Another player does not know where to stop yet."""
        self._told = False

    def moved(self) -> None:
        """The transport changed: have it stop after the bars that were asked for, or see that it has."""
        facts = self._facts
        if not self._bars:
            return
        if facts.playing and not self._told:
            self._told = True
            self._stop_at(self._bars)
        elif self._over_now and not self._ringing:
            self._ringing = True
            self._from_ns = time.monotonic_ns() + LEAST_RING_NS
            self._until_ns = self._from_ns + RING_NS

    @property
    def _over_now(self) -> bool:
        transport = self._facts.transport
        return transport.state is State.STOPPED and transport.position.bar >= self._bars

    def look(self) -> None:
        """Wait for silence, but not for ever: a bass may hold for long, and an audio process may be dead."""
        if not self._ringing:
            return
        if self._ask_sound is None or time.monotonic_ns() > self._until_ns:
            self._end()
        else:
            self._ask_sound()

    def sounding(self, voices: int) -> None:
        """So many voices still sound."""
        if self._ringing and voices == 0 and time.monotonic_ns() > self._from_ns:
            self._end()

    def _end(self) -> None:
        self._ringing = False
        self._over()

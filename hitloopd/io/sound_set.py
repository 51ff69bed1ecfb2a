"""The sounds that may play: one sampler for each kit that is in use, about to be, or ringing out.

What a musician wants to know: a note knows its kit. So a change of kit happens with the first note that is meant for
the new one, to the frame, however the tempo moves; notes of the bar before still get the old one, and what sounds
rings out on the samples that it began with.

Conventions: a sound has a number, 0 stands for "whatever plays"; all methods belong to the callback's thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hitloopd.io.sampler import Sampler

KNOWN_MAX: Final = 4
RINGING_MAX: Final = 4
"""Sounds that may ring out at once besides those known; an older one is faded, not cut."""

Block = NDArray[np.floating[Any]]


class SoundSet:
    """Samplers by number.

    Args:
        first: plays until another is chosen.
        block_max: the longest block.
    """

    def __init__(self, first: Sampler, block_max: int) -> None:
        self.current = first
        self._known: dict[int, Sampler] = {}
        self._fresh: set[int] = set()
        self._ringing: list[Sampler] = []
        self._spent: deque[Sampler] = deque()
        self._settings: dict[tuple[str, int], Any] = {}
        self._rest = np.zeros((block_max, 2), dtype=np.float32)

    @property
    def active(self) -> int:
        """How many voices sound. Thread: any, for looking. Real-time: yes."""
        return sum(sampler.active for sampler in self._all())

    def offer(self, number: int, sampler: Sampler) -> None:
        """A sound is ready: it plays from the first note that carries its number. Thread: callback. Real-time: yes."""
        if self._known.get(number) is not sampler:
            self._dress(sampler)
            if number in self._known:
                self._leave(self._known[number])
        self._ringing = [old for old in self._ringing if old is not sampler]
        self._known.pop(number, None)  # newest last
        self._known[number] = sampler
        self._fresh.add(number)
        while len(self._known) > KNOWN_MAX:
            oldest = next(n for n in self._known if self._known[n] is not self.current)
            self._fresh.discard(oldest)
            self._leave(self._known.pop(oldest))

    def replace(self, number: int, sampler: Sampler) -> None:
        """The same sound with more in it; 0 is what plays. Thread: callback. Real-time: yes."""
        old = self._known.get(number) if number else self.current
        if old is None:
            return
        self._dress(sampler)
        if number:
            self._known[number] = sampler
        if old is self.current:
            self.current = sampler
        self._leave(old)

    def play(self, number: int) -> None:
        """This sound from now on, also for notes that were meant for another. Thread: callback. Real-time: yes."""
        sampler = self._known.get(number)
        if sampler is None:
            return
        others = [other for other in self._all() if other is not sampler]
        self._known, self._ringing = {number: sampler}, []
        self._fresh.clear()
        self.current = sampler
        for other in others:
            self._leave(other)

    def of(self, number: int) -> Sampler:
        """The sampler for a note; one that was only offered plays from here on. Thread: callback. Real-time: yes."""
        sampler = self._known.get(number)
        if sampler is None:
            return self.current
        if number in self._fresh:
            self._fresh.discard(number)
            before, self.current = self.current, sampler
            if before is not sampler and before not in self._known.values():
                self._leave(before)
        return sampler

    def set(self, method: str, lane: int, value: Any) -> None:  # noqa: ANN401 - gain, pan and group alike
        """What the user set on a lane: for every sound, also those to come. Thread: callback. Real-time: yes."""
        self._settings[method, lane] = value
        for sampler in self._all():
            getattr(sampler, method)(lane, value)

    def each(self, call: Callable[[Sampler], object]) -> None:
        """The same to everything that may sound. Thread: callback. Real-time: yes."""
        for sampler in self._all():
            call(sampler)

    def render(self, out: Block) -> None:
        """Write the next block of all of them. Thread: callback. Real-time: yes."""
        self.current.render(out)
        for sampler in self._all()[1:]:
            if sampler.active:
                rest = self._rest[: len(out)]
                sampler.render(rest)
                out += rest
            else:
                sampler.settle()
        if self._ringing:
            self._spent.extend(old for old in self._ringing if not old.active)
            self._ringing = [old for old in self._ringing if old.active]

    def clear_spent(self) -> None:
        """Let go of what has rung out: freeing megabytes is no work for a callback. Thread: other. Real-time: no."""
        while self._spent:
            self._spent.popleft()

    def _all(self) -> list[Sampler]:
        """The one that plays first, each once."""
        found = [self.current]
        for sampler in (*self._known.values(), *self._ringing):
            if sampler not in found:
                found.append(sampler)
        return found

    def _dress(self, sampler: Sampler) -> None:
        for (method, lane), value in self._settings.items():
            getattr(sampler, method)(lane, value)
        sampler.settle()

    def _leave(self, sampler: Sampler) -> None:
        """Let it ring out, if it still does."""
        if not sampler.active:
            self._spent.append(sampler)
            return
        self._ringing.append(sampler)
        for old in self._ringing[:-RINGING_MAX]:
            old.fade_all()

"""Bars made ahead: what is likely to be asked next is made while nobody asks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from hitloopd.core.errors import require_range
from hitloopd.core.pattern import Pattern
from hitloopd.core.request import Request

DEFAULT_SIZE: Final = 64

_Key = tuple[Request, tuple[str, ...]]


class Pool:
    """Ready bars by request. Equal requests give equal bars, so one made ahead is just what would have been made.

    One thread owns it: the generator process answers with ``take``, says what may come with ``expect``, and calls
    ``work`` while idle.

    Args:
        generate: makes a bar; may raise.
        size: how many bars are kept, at least 1; the ones unused for longest go, expected ones last.
    """

    def __init__(self, generate: Callable[[Request], Pattern], *, size: int = DEFAULT_SIZE) -> None:
        self._generate = generate
        self._size = int(require_range("pool size", size, 1, 1_000_000))
        self._bars: OrderedDict[_Key, Pattern] = OrderedDict()
        self._expected: dict[_Key, Request] = {}
        self._refused: set[_Key] = set()

    @property
    def ready(self) -> int:
        """How many of the expected bars are there."""
        return sum(key in self._bars for key in self._expected)

    def take(self, request: Request) -> tuple[Pattern, bool]:
        """The bar for ``request``, and whether it was ready.

        Raises:
            Exception: whatever the generator raises.

        Thread: generator process. Real-time: no.
        """
        key = _key(request)
        bar = self._bars.get(key)
        if bar is not None:
            self._bars.move_to_end(key)
            return bar, True
        bar = self._generate(request)
        self._keep(key, bar)
        return bar, False

    def forget(self, generator: str) -> None:
        """Let go of what this generator made: another one has its name now. Thread: generator process."""
        for key in [key for key in self._bars if key[0].generator == generator]:
            del self._bars[key]
        self._refused = {key for key in self._refused if key[0].generator != generator}

    def expect(self, requests: Iterable[Request]) -> None:
        """Say what is likely next, most likely first, in place of what was said before.

        More than the pool holds are left out. Thread: generator process. Real-time: no.
        """
        wanted = {_key(request): request for request in requests}
        self._expected = dict(list(wanted.items())[: self._size])
        self._refused &= self._expected.keys()

    def work(self) -> bool:
        """Make the most likely bar that is not there yet; False when all are.

        A request that the generator refuses is not tried again until it is expected anew: who really asks is told why.

        Raises:
            Exception: whatever the generator raises; the next call goes on with the next bar.

        Thread: generator process. Real-time: no.
        """
        for key, request in self._expected.items():
            if key not in self._bars and key not in self._refused:
                self._refused.add(key)  # until it is proved wrong
                self._keep(key, self._generate(request))
                self._refused.discard(key)
                return True
        return False

    def _keep(self, key: _Key, bar: Pattern) -> None:
        self._bars[key] = bar
        self._bars.move_to_end(key)
        if len(self._bars) > self._size:
            idle = (old for old in self._bars if old not in self._expected and old != key)
            del self._bars[next(idle, next(iter(self._bars)))]


def _key(request: Request) -> _Key:
    """A request without its patterns, and their ids: patterns themselves can't be looked up."""
    if request.condition is None and not request.points:
        return request, ()
    condition = "" if request.condition is None else request.condition.id
    return replace(request, condition=None, points=()), (condition, *(point.id for point in request.points))

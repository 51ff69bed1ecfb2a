"""The generator process: answers requests from its pool of ready bars, and fills the pool while nobody asks."""

from __future__ import annotations

import contextlib
import os
import select
from dataclasses import replace

from hitloopd.app.messages import Answer, Ask, Pooled, Quit, Ready, Think
from hitloopd.core.errors import HitloopError
from hitloopd.core.pattern import Pattern
from hitloopd.core.request import Request
from hitloopd.generate.pool import Pool
from hitloopd.generate.registry import load
from hitloopd.io.link import Link
from hitloopd.ports.generator import Generator

POOL_SIZE = 64
NICE = 5
"""Bars are made ahead, so the generator can let everybody else go first."""


def run(supervisor: Link, control: Link) -> None:
    """Answer until told to quit or nobody is left. The process's entry point."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no nice; then the pool alone must do
        os.nice(NICE)
    worker = Worker(control)
    supervisor.send(Ready("generator"))
    while not supervisor.closed:
        if any(isinstance(message, Quit) for message in supervisor.receive()):
            return
        asked = control.receive(1)
        for message in asked:
            worker.take(message)
        if not asked and not worker.work():
            worker.tell()
            select.select([supervisor, control], (), (), 1.0)


class Worker:
    """Generators, loaded when first asked for, and the pool of what they made."""

    def __init__(self, control: Link) -> None:
        self._control = control
        self._generators: dict[str, Generator] = {}
        self._told = 0
        self._pool = Pool(self._generate, size=POOL_SIZE)

    def take(self, message: object) -> None:
        """What control says."""
        if isinstance(message, Ask):
            self._answer(message)
        elif isinstance(message, Think):
            self._pool.expect(message.requests)

    def _answer(self, ask: Ask) -> None:
        """One request; whatever goes wrong inside a generator becomes an answer too."""
        try:
            pattern, ready = self._pool.take(ask.request)
            answer = Answer(ask.token, pattern, pattern.provenance.model, ready)
        except HitloopError as error:
            answer = Answer(ask.token, None, error=(error.code, str(error)))
        except Exception as error:  # noqa: BLE001 - a stranger's generator must not take the process down
            text = f"The generator '{ask.request.generator}' failed: {type(error).__name__}: {error}. The bar repeats."
            answer = Answer(ask.token, None, error=("generator", text))
        self._told = self._pool.ready
        self._control.send(replace(answer, pool=self._told))

    def tell(self) -> None:
        """Say how many bars are ready, where that changed."""
        if self._pool.ready != self._told:
            self._told = self._pool.ready
            self._control.send(Pooled(self._told))

    def work(self) -> bool:
        """Make one bar ahead; False when there is nothing left to make."""
        try:
            return self._pool.work()
        except Exception:  # noqa: BLE001 - told when somebody really asks for it
            return False

    def _generate(self, request: Request) -> Pattern:
        generator = self._generators.get(request.generator)
        if generator is None:
            generator = self._generators[request.generator] = load(request.generator)
        return generator.generate(request)

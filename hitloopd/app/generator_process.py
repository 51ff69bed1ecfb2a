"""The generator process: answers requests from its pool of ready bars, and fills the pool while nobody asks."""

from __future__ import annotations

import contextlib
import os
import select
from dataclasses import replace

from hitloopd.app.messages import Answer, Ask, Check, Checked, Pooled, Quit, Ready, Think
from hitloopd.core.errors import HitloopError
from hitloopd.core.pattern import Pattern
from hitloopd.core.request import Request
from hitloopd.generate.places import Places
from hitloopd.generate.pool import Pool
from hitloopd.generate.registry import load
from hitloopd.io.link import Link
from hitloopd.ports.generator import Generator

POOL_SIZE = 64
STAND_IN = "rules"
"""Needs neither data nor a model, so it always works."""
NICE = 5
"""Bars are made ahead, so the generator can let everybody else go first."""


def run(supervisor: Link, control: Link, places: Places) -> None:
    """Answer until told to quit or nobody is left. The process's entry point."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no nice; then the pool alone must do
        os.nice(NICE)
    worker = Worker(control, places)
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
    """Generators, loaded when first asked for, and the pool of what they made.

    For one that can't be loaded another stands in, so that the music goes on; every answer says why until it works.
    """

    def __init__(self, control: Link, places: Places) -> None:
        self._control = control
        self._places = places
        self._generators: dict[str, Generator] = {}
        self._refused: dict[str, str] = {}
        self._told = 0
        self._pool = Pool(self._generate, size=POOL_SIZE)

    def take(self, message: object) -> None:
        """What control says."""
        if isinstance(message, Ask):
            self._answer(message)
        elif isinstance(message, Check):
            self._check(message)
        elif isinstance(message, Think):
            self._pool.expect(message.requests)

    def _answer(self, ask: Ask) -> None:
        """One request; whatever goes wrong inside a generator becomes an answer too."""
        try:
            pattern, ready = self._pool.take(ask.request)
            refused = self._refused.get(ask.request.generator, "")
            answer = Answer(ask.token, pattern, pattern.provenance.model, ready, refused=refused)
        except HitloopError as error:
            answer = Answer(ask.token, None, error=(error.code, str(error)))
        except Exception as error:  # noqa: BLE001 - a stranger's generator must not take the process down
            text = f"The generator '{ask.request.generator}' failed: {type(error).__name__}: {error}. The bar repeats."
            answer = Answer(ask.token, None, error=("generator", text))
        self._told = self._pool.ready
        self._control.send(replace(answer, pool=self._told))

    def _check(self, check: Check) -> None:
        """Load a generator anew, whatever was made or refused under its name before."""
        self._generators.pop(check.name, None)
        self._refused.pop(check.name, None)
        self._pool.forget(check.name)
        try:
            self._generators[check.name] = load(check.name, self._places)
        except HitloopError as error:
            self._control.send(Checked(check.token, (error.code, str(error))))
        else:
            self._control.send(Checked(check.token))

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
        name = request.generator
        if name in self._refused:
            return self._stand_in(request)
        generator = self._generators.get(name)
        if generator is None:
            try:
                generator = self._generators[name] = load(name, self._places)
            except HitloopError as error:
                self._refused[name] = f"{error} Meanwhile {STAND_IN} plays."
                return self._stand_in(request)
        return generator.generate(request)

    def _stand_in(self, request: Request) -> Pattern:
        rules = self._generators.get(STAND_IN) or load(STAND_IN)
        style = request.style if request.style in rules.styles else rules.styles[0]
        return rules.generate(replace(request, generator=STAND_IN, style=style, points=()))

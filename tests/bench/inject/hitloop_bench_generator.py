"""A generator as a stranger might write one: each bar costs 20 ms of pure Python. Comes in by the plug-in door."""

from __future__ import annotations

import random

from hitloop_bench_stalls import stall

from hitloopd.core.pattern import Lane, Note, Pattern, Provenance
from hitloopd.core.request import Request
from hitloopd.core.time import TICKS_PER_CELL


class Stall:
    """Four on the floor, sixteenths with a random accent, and a stall."""

    name = "stall"
    styles = ("house",)

    @property
    def model_hash(self) -> str:
        """There is one table, written below."""
        return "bench"

    def generate(self, request: Request) -> Pattern:
        """The bar of this seed, 20 ms later."""
        stall("generator")
        rng = random.Random(request.seed)
        kicks = [Note(cell * TICKS_PER_CELL, Lane.KICK, velocity=0.9) for cell in (0, 4, 8, 12)]
        hats = [Note(cell * TICKS_PER_CELL, Lane.HIHAT, velocity=0.4 + 0.5 * rng.random()) for cell in range(16)]
        return Pattern((*kicks, *hats), request.root, Provenance(self.name, self.model_hash, request.seed))

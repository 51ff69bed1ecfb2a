"""The paper's random patterns: every cell of the 16 x 5 grid is on or off by the flip of a coin."""

from __future__ import annotations

import hashlib
from typing import Final

from hitloopd.core.energy import default_length_ticks
from hitloopd.core.pattern import LANES, PITCHES, Lane, Note, Pattern, Provenance
from hitloopd.core.request import Request
from hitloopd.core.time import CELLS_PER_BAR, TICKS_PER_CELL
from hitloopd.generate.chance import Draw, stream
from hitloopd.generate.scales import SCALES, ladder

VELOCITY: Final = 102 / 127  # the paper's cells know on and off only


class CoinFlip:
    """Generator ``random``: what Hitloop's users got when they were not told that no AI was at work.

    Each cell's coin is one number 0..1, which becomes the note's priority: with the energy knob in the middle a cell
    sounds with probability one half, as in the paper; further down fewer do, further up more. The lowest number of what
    was asked for counts as 0, so that the calmest end is one note and not silence. Temperature, energy and style change
    nothing. Lanes have coins of their own: a lane made alone is that of the whole bar, but for that one note.
    """

    name = "random"
    styles: tuple[str, ...] = ()

    @property
    def model_hash(self) -> str:
        """Hash of the rule: its version and the scales."""
        return hashlib.blake2b(f"coin flip 1:{VELOCITY}:{sorted(SCALES.items())}".encode(), digest_size=6).hexdigest()

    def generate(self, request: Request) -> Pattern:
        """The bar: all cells of the lanes asked for, each with its coin.

        Raises:
            UnknownNameError: there is no such scale.

        Thread: generator process. Real-time: no.
        """
        scale = tuple(sorted(set(ladder(request.scale))))
        coins = [coin for lane in LANES if lane in request.lanes for coin in _coins(lane, request.seed, scale)]
        lowest = min((coin[0] for coin in coins), default=0.0)
        notes = tuple(
            Note(
                start_ticks=cell * TICKS_PER_CELL,
                lane=lane,
                pitch=pitch,
                length_ticks=default_length_ticks(lane),
                velocity=VELOCITY,
                priority=0.0 if coin == lowest else coin,
            )
            for coin, lane, cell, pitch in coins
        )
        return Pattern(notes, request.root, self._provenance(request))

    def _provenance(self, request: Request) -> Provenance:
        return Provenance(
            generator=self.name,
            model=self.model_hash,
            seed=request.seed,
            parameters={
                "style": request.style,
                "energy": float(request.energy),
                "temperature": float(request.temperature),
                "scale": request.scale,
                "lanes": ",".join(lane.value for lane in LANES if lane in request.lanes),
            },
            sources=("coin flip",),
        )


def _coins(lane: Lane, seed: int, scale: tuple[int, ...]) -> list[tuple[float, Lane, int, int]]:
    """The coin and the pitch of each cell of a lane."""
    draw = stream("random", seed, lane.value)
    return [(draw(), lane, cell, _pitch(lane, draw, scale)) for cell in range(CELLS_PER_BAR)]


def _pitch(lane: Lane, draw: Draw, scale: tuple[int, ...]) -> int:
    if lane is not Lane.BASS:
        return 0
    return min(scale[int(draw() * len(scale))], PITCHES - 1)

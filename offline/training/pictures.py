"""Pictures of bars: time to the right, lanes from the kick up, brighter is louder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from hitloopd.generate.roll import THRESHOLD
from offline.jobs import write_atomically

Rolls = npt.NDArray[np.float32]

COLUMNS: Final = 4
_ZOOM: Final = (4, 3)  # pixels of a row and of a step
_GAP: Final = 8
_GROUND: Final = (18, 20, 26)
_PAPER: Final = (60, 64, 76)
# kick, snare, hihat, cymbal, and one colour for the bass
_INK: Final = ((244, 96, 84), (250, 190, 70), (120, 220, 140), (96, 200, 240))
_BASS_INK: Final = (190, 140, 250)


def draw_bars(rolls: Rolls, path: Path) -> None:
    """A PNG with all the bars, four beside each other, written whole or not at all."""
    from matplotlib import image  # noqa: PLC0415 - half a second that only pictures cost

    tiles = [_tile(roll) for roll in rolls]
    height, width, _ = tiles[0].shape
    lines = -(-len(tiles) // COLUMNS)
    sheet = np.full((lines * (height + _GAP) + _GAP, COLUMNS * (width + _GAP) + _GAP, 3), _PAPER, dtype=np.uint8)
    for index, tile in enumerate(tiles):
        y = _GAP + index // COLUMNS * (height + _GAP)
        x = _GAP + index % COLUMNS * (width + _GAP)
        sheet[y : y + height, x : x + width] = tile
    file = io.BytesIO()
    image.imsave(file, sheet, format="png")
    write_atomically(path, file.getvalue())


def _tile(roll: Rolls) -> npt.NDArray[np.uint8]:
    ink = np.array([*_INK, *[_BASS_INK] * (roll.shape[1] - len(_INK))], dtype=np.float32)
    ground = np.broadcast_to(np.array(_GROUND, dtype=np.float32), (*roll.shape, 3)).copy()
    ground[::32] += 24  # the beats
    loud = np.clip(roll, 0, 1)[:, :, None]
    shade = np.where(loud >= THRESHOLD, 0.35 + 0.65 * loud, 0)
    colours = ground * (1 - shade) + ink[None] * shade
    upright = colours.transpose(1, 0, 2)[::-1]
    return np.clip(upright, 0, 255).astype(np.uint8).repeat(_ZOOM[0], 0).repeat(_ZOOM[1], 1)

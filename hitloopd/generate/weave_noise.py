"""Chance for ``weave``: Gumbel noise that follows from seed and place alone, the same on every machine.

A choice is the one whose logit and noise add up highest; with Gumbel noise that is a fair draw. Each number comes from
a counter through the mixing function of SplitMix64 (Steele, Lea and Flood, 2014), so any of them can be had without
the others: a hit's chance does not depend on how many hits were drawn before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11))
_GRAIN: Final = 65536.0  # a multiple of 1/65536: the last bit of a logarithm never reaches a choice
ROOM: Final = 1024  # numbers at a place
_COUNTERS: Final = np.arange(1, ROOM + 1, dtype=np.uint64) * _GOLDEN


def key_of(seed: int) -> int:
    """The key of a seed's numbers."""
    return int.from_bytes(hashlib.blake2b(f"weave:{seed}".encode(), digest_size=8).digest(), "big")


def gumbel(keys: Sequence[int], places: Sequence[int], count: int) -> Floats:
    """``count`` (up to 1 024) numbers for each key and place ``[n, count]``.

    >>> gumbel([key_of(1)], [0], 2).tolist() == gumbel([key_of(1)], [0], 3)[:, :2].tolist()
    True
    """
    first = np.array(keys, dtype=np.uint64) + np.array(places, dtype=np.uint64) * np.uint64(ROOM) * _GOLDEN
    z: Any = first[:, None] + _COUNTERS[:count]
    z ^= z >> _SHIFTS[0]
    z *= _FIRST
    z ^= z >> _SHIFTS[1]
    z *= _SECOND
    z ^= z >> _SHIFTS[2]
    uniform: Any = (z >> _SHIFTS[3]).astype(np.float64)
    uniform += 0.5
    uniform *= 2.0**-53
    np.log(np.negative(np.log(uniform, out=uniform), out=uniform), out=uniform)
    uniform *= -_GRAIN
    return (np.rint(uniform, out=uniform) / _GRAIN).astype(np.float32)

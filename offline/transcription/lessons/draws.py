"""Numbers that sounds are drawn with."""

from __future__ import annotations

import numpy as np


def log_uniform(draw: np.random.Generator, low: float, high: float) -> float:
    """A number between two others, as likely in one octave as in another."""
    return float(np.exp(draw.uniform(np.log(low), np.log(high))))


def noise_seed(draw: np.random.Generator) -> int:
    """What decides the noise in a synthesised sound."""
    return int(draw.integers(1, 1 << 30))

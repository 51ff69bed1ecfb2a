"""Recording what is heard through JACK, and finding the hits in it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from tests.jack.server import JackServer, end


@dataclass(frozen=True)
class Sound:
    """Samples, the frame of the first one, and the frames at which the server had xruns."""

    samples: np.ndarray
    first: int
    xruns: list[int]

    def onsets(self, level: float, *, quiet: int = 1200) -> list[int]:
        """Frames at which it gets louder than ``level`` after ``quiet`` frames below."""
        loud = np.flatnonzero(np.abs(self.samples) > level)
        begins = loud[np.diff(loud, prepend=-(10**9)) > quiet]
        return [int(frame) + self.first for frame in begins]

    def hits(self, times: float, *, step: int = 48, window: int = 20, dead: int = 4800) -> list[int]:
        """Frames at which it is suddenly ``times`` louder than ever in the 20 ms before: hits whose tails run together.

        Right to within ``step``.
        """
        whole = len(self.samples) // step
        peaks = np.abs(self.samples[: whole * step]).reshape(whole, step).max(axis=1)
        before = np.lib.stride_tricks.sliding_window_view(peaks, window).max(axis=1)[:-1]
        sudden = np.flatnonzero(peaks[window:] > np.maximum(times * before, 2e-3)) + window
        found: list[int] = []
        for index in sudden:
            frame = int(index) * step + self.first
            if not found or frame - found[-1] > dead:
                found.append(frame)
        return found


class Ears:
    """Records one audio port until ``stop``."""

    def __init__(self, server: JackServer, source: str, folder: Path) -> None:
        self._path = folder / "heard.f32"
        script = Path(__file__).with_name("ears.py")
        self._process = server.popen(
            sys.executable, str(script), source, str(self._path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout.readline() == "connected\n", f"{source} did not come"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._process)

    def stop(self) -> Sound:
        told = json.loads(self._process.communicate(timeout=20)[0])
        return Sound(np.fromfile(self._path, dtype=np.float32), told["first"], told["xruns"])

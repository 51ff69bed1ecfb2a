"""Sample packs made of plain tones, for tests: what each sounds like is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import soundfile
import yaml

RATE = 44_100
TONES = {"kick": 110.0, "snare": 330.0, "hihat": 1760.0, "cymbal": 880.0, "bass": 65.41}


def tone(hz: float, seconds: float = 0.4, level: float = 0.1, rate: int = RATE) -> np.ndarray:
    """A sine that decays; begins and ends at zero."""
    t = np.arange(round(seconds * rate)) / rate
    return level * np.sin(2 * np.pi * hz * t) * np.exp(-5 * t / seconds) * np.minimum(1.0, t[::-1] / 0.01)


def row(file: str, lane: str, **more) -> dict:
    """A row as the extraction writes it."""
    return {
        "file": file,
        "lane": lane,
        "recording": "tram.wav",
        "start_s": 12.5,
        "length_s": 0.4,
        "confidence": 0.9,
        "reference": f"{lane}/{lane}.wav",
        "distances": {"mel": 0.1, "contrast": 0.2, "bandwidth": 0.05},
        "author": "Ada",
        "licence": "CC BY 4.0",
        "origin": "example.org/tram",
        "fundamental_hz": None,
        **more,
    }


def write_pack(
    folder: Path,
    tones: Mapping[str, Iterable[float]] | None = None,
    *,
    seconds: float = 0.4,
    name: str = "",
    **bass,
) -> Path:
    """A pack with one sample for each frequency of each lane; the bass rows get ``bass`` on top."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for lane, pitches in (tones or {lane: (hz,) for lane, hz in TONES.items()}).items():
        for number, hz in enumerate(pitches, 1):
            file = f"{lane}-{number}.wav"
            soundfile.write(folder / file, tone(hz, seconds), RATE, "PCM_24")
            rows.append(row(file, lane, **({"fundamental_hz": hz, **bass} if lane == "bass" else {})))
    candidates = [{**row("", "kick"), "file": None}] * 3
    data = {"format": 1, "name": name or folder.name, "samples": rows, "candidates": candidates}
    (folder / "pack.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return folder
